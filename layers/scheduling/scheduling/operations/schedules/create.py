"""Create a schedule."""

from dataclasses import replace
from datetime import datetime

from scheduling.domain import exact_json
from scheduling.domain.cron.next_fire import find_next_fire
from scheduling.domain.deliveries.firing import as_read
from scheduling.domain.errors import Conflict, IdempotencyMismatch
from scheduling.domain.ids import HOST_API, InstallId, digest_large_payload
from scheduling.domain.install import Install, WriteReservation, check_quota, reserve_write
from scheduling.domain.requests.idempotency import IDEMPOTENCY_TTL, IdempotencyKey, IdempotencyRecord
from scheduling.domain.rules import ScheduleInput, requested_name
from scheduling.domain.schedule import Definition, Schedule, ScheduleState
from scheduling.operations.schedules.input_rules import read_rules
from scheduling.operations.schedules.queries import require_manageable_install
from scheduling.operations.services import Services, retry_on_conflict
from scheduling.operations.sync.converge import apply_or_rollback, finish_pending_change
from scheduling.operations.sync.optimistic_writes import write_schedule

_FAILURE = "Schedule not created: the timer service is not available"


@retry_on_conflict
def create_schedule(
    services: Services,
    install_id: InstallId,
    schedule_input: ScheduleInput,
    idempotency_key: IdempotencyKey | None = None,
    *,
    actor: str = HOST_API,
) -> Schedule:
    """Create a schedule and its timer; a repeated key returns the result of the first request.

    An admin's write is not counted against the extension's, and may be made while the install is disabled.
    After any error but UnconfirmedChange, nothing of the schedule exists or will exist.

    Raises:
        InstallNotFound: The install is absent, being deleted, or, for its extension, disabled.
        CapabilityDenied: The install may not have schedules.
        IdempotencyMismatch: The key was used for another request.
        ValidationFailed: Fields break rules.
        NameTaken: Another schedule of the install has the name.
        QuotaExceeded: The install has as many schedules as it may.
        RateLimited: The extension has written too often; an admin never has.
        Unavailable: A system does not respond.
    """
    record_key = idempotency_key.value if idempotency_key else None
    snapshot = services.schedules.read_snapshot(
        install_id, name=requested_name(schedule_input), idempotency_key=record_key
    )
    install = require_manageable_install(services, snapshot.install, actor)
    now = services.clock()
    record = snapshot.idempotency_record
    if idempotency_key and record and now - record.schedule.created_at < IDEMPOTENCY_TTL:
        first_schedule = _return_first_result(services, record, idempotency_key, schedule_input)
        # What the install has lost since then is no part of the first result.
        return as_read(first_schedule, replace(install, removed_endpoints=frozenset()), now)
    rules = read_rules(services, install, now, actor, name_taken=snapshot.name_owner is not None)
    schedule = _build_schedule(services, install, rules.build_definition(schedule_input), now, actor)
    reservation = _insert_schedule(services, install, schedule, idempotency_key)
    if schedule.pending:
        schedule = apply_or_rollback(
            services, None, schedule, reservation, failure=_FAILURE, delete_record_key=record_key
        )
    return as_read(schedule, install, now)


def _build_schedule(
    services: Services, install: Install, definition: Definition, now: datetime, actor: str
) -> Schedule:
    suspended = not install.active
    return Schedule(
        id=services.new_schedule_id(now),
        install_id=install.id,
        tenant_id=install.tenant_id,
        definition=definition,
        created_at=now,
        timer_since=now,
        pending_since=now if definition.enabled and not suspended else None,
        suspended=suspended,
        next_fire=find_next_fire(definition.cron, definition.timezone, now) if definition.enabled else None,
        payload_digest=digest_large_payload(definition.payload),
        propagated_generation=install.generation,
        changed_by=actor,
    )


def _insert_schedule(
    services: Services, install: Install, schedule: Schedule, idempotency_key: IdempotencyKey | None
) -> WriteReservation:
    check_quota(install, services.limits)
    reservation = reserve_write(install, services.limits, schedule.created_at, schedule.changed_by)
    record = IdempotencyRecord(idempotency_key, schedule) if idempotency_key else None
    write_schedule(services, None, schedule, reserve=reservation, save_record=record)
    return reservation


def _return_first_result(
    services: Services,
    record: IdempotencyRecord,
    idempotency_key: IdempotencyKey,
    schedule_input: ScheduleInput,
) -> Schedule:
    """Return the first result once it is final: the request that returned it may still roll it back."""
    if record.key.request_hash != idempotency_key.request_hash:
        raise IdempotencyMismatch
    first_schedule = record.schedule
    snapshot = services.schedules.read_snapshot(
        first_schedule.install_id, first_schedule.id, idempotency_key=idempotency_key.value
    )
    if snapshot.idempotency_record is None:
        raise Conflict
    current = snapshot.schedule
    if current and current.pending and current.state is ScheduleState.ACTIVE:
        finish_pending_change(services, current, "Schedule not yet created")
    payload = schedule_input.fields.get("payload")
    payload_text = exact_json.dumps(payload) if payload is not None else None
    return replace(
        first_schedule,
        definition=replace(first_schedule.definition, payload=payload_text),
        pending_since=current.pending_since if current else None,
    )
