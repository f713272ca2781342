"""Create a schedule."""

from dataclasses import replace
from datetime import datetime

from scheduling.domain import exact_json
from scheduling.domain.errors import Conflict, IdempotencyMismatch
from scheduling.domain.ids import InstallId, ScheduleIdGenerator
from scheduling.domain.install import (
    Install,
    WriteReservation,
    check_quota,
    require_manageable,
    reserve_write,
)
from scheduling.domain.rules import Rules, ScheduleInput, requested_name
from scheduling.domain.schedule import (
    IDEMPOTENCY_TTL,
    Definition,
    IdempotencyKey,
    IdempotencyRecord,
    Schedule,
    ScheduleState,
)
from scheduling.operations.schedules.queries import read_endpoints
from scheduling.operations.services import Services
from scheduling.operations.sync.converge import apply_or_rollback, finish_pending_change
from scheduling.operations.sync.optimistic_writes import write_schedule

_ID_GENERATOR = ScheduleIdGenerator()


def create_schedule(
    services: Services,
    install_id: InstallId,
    schedule_input: ScheduleInput,
    idempotency_key: IdempotencyKey | None = None,
) -> Schedule:
    """A new schedule of the install, its timer set; with `key`, the one that the same request made before.

    Raises InstallNotFound, CapabilityDenied, IdempotencyMismatch, ValidationFailed, NameTaken, QuotaReached,
    RateLimited, and Unavailable; whichever it is, nothing of the schedule exists or will.
    """
    return services.retry(
        lambda: _create_schedule_once(services, install_id, schedule_input, idempotency_key)
    )


def _create_schedule_once(
    services: Services,
    install_id: InstallId,
    schedule_input: ScheduleInput,
    idempotency_key: IdempotencyKey | None,
) -> Schedule:
    snapshot = services.schedules.read_schedule(
        install_id,
        name=requested_name(schedule_input),
        idempotency_key=idempotency_key.value if idempotency_key else None,
    )
    install = require_manageable(snapshot.install)
    now = services.clock()
    if (
        idempotency_key
        and snapshot.idempotency_record
        and now - snapshot.idempotency_record.schedule.created_at < IDEMPOTENCY_TTL
    ):
        return _return_first_result(services, snapshot.idempotency_record, idempotency_key, schedule_input)
    name_taken = snapshot.name_owner is not None
    rules = Rules(read_endpoints(services, install), services.limits, now, name_taken=name_taken)
    schedule = _build_schedule(install, rules.build_definition(schedule_input), now)
    reservation = _insert_schedule(services, install, schedule, idempotency_key)
    if schedule.pending:
        failure = "Schedule not created: the timer service is not available"
        delete_record_key = idempotency_key.value if idempotency_key else None
        apply_or_rollback(
            services, None, schedule, reservation, failure=failure, delete_record_key=delete_record_key
        )
    return schedule


def _build_schedule(install: Install, definition: Definition, now: datetime) -> Schedule:
    suspended = not install.active
    return Schedule(
        id=_ID_GENERATOR.new_id(now),
        install_id=install.id,
        tenant_id=install.tenant_id,
        definition=definition,
        created_at=now,
        timer_since=now,
        pending_since=now if definition.enabled and not suspended else None,
        suspended=suspended,
        propagated_generation=install.generation,
    )


def _insert_schedule(
    services: Services, install: Install, schedule: Schedule, idempotency_key: IdempotencyKey | None
) -> WriteReservation:
    check_quota(install, services.limits)
    reservation = reserve_write(install, services.limits, schedule.created_at)
    record = IdempotencyRecord(idempotency_key, schedule) if idempotency_key else None
    write_schedule(services, None, schedule, reserve=reservation, save_record=record)
    return reservation


def _return_first_result(
    services: Services,
    record: IdempotencyRecord,
    idempotency_key: IdempotencyKey,
    schedule_input: ScheduleInput,
) -> Schedule:
    """The first answer again, once it is certain to stand: the call that gave it may still take it back."""
    if record.key.request_hash != idempotency_key.request_hash:
        raise IdempotencyMismatch
    first_schedule = record.schedule
    snapshot = services.schedules.read_schedule(
        first_schedule.install_id, first_schedule.id, idempotency_key=idempotency_key.value
    )
    if snapshot.idempotency_record is None:
        raise Conflict
    current = snapshot.schedule
    if current and current.pending and current.state is ScheduleState.ACTIVE:
        finish_pending_change(services, current, "Schedule not yet created")
    payload = schedule_input.fields.get("payload")
    payload_text = exact_json.dumps(payload) if payload is not None else None
    return replace(first_schedule, definition=replace(first_schedule.definition, payload=payload_text))
