"""Create a schedule."""

from dataclasses import replace
from datetime import datetime

from scheduling.domain import exact_json
from scheduling.domain.errors import Conflict, IdempotencyMismatch
from scheduling.domain.ids import InstallId, ScheduleIds
from scheduling.domain.install import Acceptance, Install, accept_write, check_room, managed
from scheduling.domain.rules import Rules, ScheduleInput, wanted_name
from scheduling.domain.schedule import KEY_LIFETIME, Definition, EarlierWrite, IdempotencyKey, Life, Schedule
from scheduling.operations.schedules.queries import endpoints_of
from scheduling.operations.services import Services
from scheduling.operations.sync.converge import carry_out, settle_first
from scheduling.operations.sync.optimistic_writes import write

_IDS = ScheduleIds()


def create(
    services: Services, install_id: InstallId, given: ScheduleInput, key: IdempotencyKey | None = None
) -> Schedule:
    """A new schedule of the install, its timer set; with `key`, the one that the same request made before.

    Raises InstallNotFound, CapabilityDenied, IdempotencyMismatch, ValidationFailed, NameTaken, QuotaReached,
    RateLimited, and Unavailable; whichever it is, nothing of the schedule exists or will.
    """
    return services.retry(lambda: _create(services, install_id, given, key))


def _create(
    services: Services, install_id: InstallId, given: ScheduleInput, key: IdempotencyKey | None
) -> Schedule:
    snapshot = services.schedules.read(install_id, name=wanted_name(given), key=key.value if key else None)
    install = managed(snapshot.install)
    now = services.clock()
    if key and snapshot.earlier and now - snapshot.earlier.schedule.created_at < KEY_LIFETIME:
        return _again(services, snapshot.earlier, key, given)
    taken = snapshot.name_owner is not None
    rules = Rules(endpoints_of(services, install), services.limits, now, name_taken=taken)
    schedule = _new(install, rules.define(given), now)
    accepted = _insert(services, install, schedule, key)
    if schedule.pending:
        failure = "Schedule not created: the timer service is not available"
        forget = key.value if key else None
        carry_out(services, None, schedule, accepted, failure=failure, forget=forget)
    return schedule


def _new(install: Install, definition: Definition, now: datetime) -> Schedule:
    suspended = not install.active
    return Schedule(
        id=_IDS.new(now),
        install_id=install.id,
        tenant_id=install.tenant_id,
        definition=definition,
        created_at=now,
        timer_since=now,
        pending_since=now if definition.enabled and not suspended else None,
        suspended=suspended,
        followed=install.generation,
    )


def _insert(
    services: Services, install: Install, schedule: Schedule, key: IdempotencyKey | None
) -> Acceptance:
    check_room(install, services.limits)
    accepted = accept_write(install, services.limits, schedule.created_at)
    remember = EarlierWrite(key, schedule) if key else None
    write(services, None, schedule, accept=accepted, remember=remember)
    return accepted


def _again(services: Services, earlier: EarlierWrite, key: IdempotencyKey, given: ScheduleInput) -> Schedule:
    """The first answer again, once it is certain to stand: the call that gave it may still take it back."""
    if earlier.key.request_hash != key.request_hash:
        raise IdempotencyMismatch
    first = earlier.schedule
    snapshot = services.schedules.read(first.install_id, first.id, key=key.value)
    if snapshot.earlier is None:
        raise Conflict
    current = snapshot.schedule
    if current and current.pending and current.life is Life.ACTIVE:
        settle_first(services, current, "Schedule not yet created")
    payload = given.fields.get("payload")
    text = exact_json.dumps(payload) if payload is not None else None
    return replace(first, definition=replace(first.definition, payload=text))
