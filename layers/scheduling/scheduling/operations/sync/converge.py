"""Two systems, one truth: the row is the desired state, and only this module makes EventBridge match it."""

import logging
from datetime import timedelta

from scheduling.domain.cron.timezones import DEFAULT_TIMEZONE, INVALID_TIMEZONE_TEXT
from scheduling.domain.deliveries.completion import has_passed
from scheduling.domain.deliveries.spread import spread_minutes
from scheduling.domain.errors import (
    Conflict,
    RulesViolated,
    SchedulingError,
    TimerFailed,
    Unavailable,
    UnconfirmedChange,
)
from scheduling.domain.install import WriteReservation
from scheduling.domain.schedule import Schedule
from scheduling.operations.services import Services, retry_on_conflict
from scheduling.operations.sync.optimistic_writes import WriteOutcome, write_schedule

logger = logging.getLogger(__name__)

PENDING_GRACE = timedelta(seconds=60)
"""How long an operation in progress is left alone: longer than any function runs."""


def converge(services: Services, schedule: Schedule, *, exists: bool = True) -> Schedule | None:
    """Make EventBridge match the pending row, and mark the row as synced if nobody has changed it meanwhile.

    If somebody has, match the changed row: so whoever writes to EventBridge last has written the desired state.

    Returns:
        The synced row, or None once it is deleted. A mark that cannot be removed is no failure, since EventBridge
        matches and the reconciler removes the mark.

    Raises:
        TimerFailed: EventBridge does not match.
    """
    applied_timer = _apply_timer(services, schedule, exists=exists)
    try:
        try:
            services.schedules.replace_schedule(schedule, schedule.synced())
        except Conflict:
            return _converge_to_current(services, schedule, applied_timer)
    except Unavailable as unavailable:
        logger.warning("%s stays marked as pending: %s", schedule.id, unavailable)
    return schedule.synced()


_AppliedTimer = tuple[bool, int]
"""The last write to EventBridge: whether there is a timer, and its revision."""


def _apply_timer(services: Services, schedule: Schedule, *, exists: bool = True) -> _AppliedTimer:
    if not schedule.should_have_timer:
        services.timers.delete_timer(schedule.id)
    elif schedule.unreadable:
        logger.warning("timer of %s left as it is: %s", schedule.id, schedule.unreadable)
    elif not has_passed(schedule, services.clock()):  # else EventBridge deletes it, after its fire
        spread = spread_minutes(schedule, services.limits)
        services.timers.put_timer(schedule, exists=exists, spread_minutes=spread)
    return schedule.should_have_timer, schedule.timer_revision


@retry_on_conflict
def _converge_to_current(
    services: Services, schedule: Schedule, applied_timer: _AppliedTimer
) -> Schedule | None:
    """Match the row as it now is, however often it changes meanwhile."""
    current = services.schedules.read_snapshot(schedule.install_id, schedule.id).schedule
    if current is None:
        services.timers.delete_timer(schedule.id)
        return None
    if current.pending:
        _apply_timer(services, current)
        services.schedules.replace_schedule(current, current.synced())
        return current.synced()
    if applied_timer != (current.should_have_timer, current.timer_revision):
        _apply_timer(services, current)
        if services.schedules.read_snapshot(schedule.install_id, schedule.id).schedule != current:
            raise Conflict
    return current


def finish_pending_change(services: Services, schedule: Schedule, failure: str) -> None:
    """Finish a pending change before another one is based on the row.

    A change whose function has died, and which EventBridge refuses, can never be finished: return, so that its owner
    can correct or delete it.

    Raises:
        Conflict: The change is finished; read the row again.
        Unavailable: EventBridge does not respond; the text begins with `failure`.
    """
    try:
        converge(services, schedule)
    except TimerFailed as error:
        if error.refused and _is_abandoned(services, schedule):
            return
        raise Unavailable(f"{failure}: an earlier change of it is not finished") from error
    raise Conflict


def _is_abandoned(services: Services, schedule: Schedule) -> bool:
    return schedule.pending_since is not None and schedule.pending_since <= services.clock() - PENDING_GRACE


def apply_or_rollback(
    services: Services,
    before: Schedule | None,
    after: Schedule,
    reservation: WriteReservation,
    *,
    failure: str,
    delete_record_key: str | None = None,
) -> Schedule:
    """Make EventBridge match a change of the row from `before` to `after`, or roll the change back.

    A change that others have finished meanwhile, or have based theirs on, stays, and nothing is raised.

    Returns:
        The change, pending if EventBridge may not match it yet.

    Raises:
        RulesViolated: EventBridge refused the time zone; the change is rolled back.
        Unavailable: EventBridge did not respond; the change is rolled back. The text is `failure`.
        SchedulingError: EventBridge refused; the change is rolled back. The text is `failure`.
        UnconfirmedChange: Others may have based theirs on the change or on its rollback.
    """
    try:
        converge(services, after, exists=before is not None and before.should_have_timer)
    except TimerFailed as error:
        logger.warning("timer of %s failed: %s", after.id, error)
        rollback = _roll_back(services, before, after, reservation, delete_record_key)
        if rollback is WriteOutcome.APPLIED:
            raise _build_error(services, error, after, failure) from error
        matches = _try_converge_again(services, after)
        if rollback is WriteOutcome.UNKNOWN:
            raise UnconfirmedChange from error
        if not matches:
            return after
    return after.synced() or after


def _build_error(services: Services, error: TimerFailed, change: Schedule, failure: str) -> SchedulingError:
    """Return the error for the caller; what EventBridge finds invalid is the zone, or the stack's own target."""
    if error.invalid and change.should_have_timer and change.definition.timezone != DEFAULT_TIMEZONE:
        try:
            if services.timers.is_zone_refused(change):
                return RulesViolated.from_field_errors({"timezone": INVALID_TIMEZONE_TEXT})
        except TimerFailed as failed_check:
            logger.warning("the zone of %s could not be checked: %s", change.id, failed_check)
            return Unavailable(failure)
    if error.invalid:
        logger.error("EventBridge refuses the target or the role of timers: %s", error)
    return SchedulingError(failure) if error.refused else Unavailable(failure)


def _try_converge_again(services: Services, schedule: Schedule) -> bool:
    """Match the row once more: the failed call may have reached EventBridge after others have synced the row."""
    try:
        _mark_and_converge(services, schedule)
    except (TimerFailed, Unavailable) as error:
        logger.warning("timer of %s left to the reconciler: %s", schedule.id, error)
        return False
    return True


@retry_on_conflict
def _mark_and_converge(services: Services, schedule: Schedule) -> None:
    current = services.schedules.read_snapshot(schedule.install_id, schedule.id).schedule
    if current is None:
        services.timers.delete_timer(schedule.id)
        return
    pending_schedule = current.marked_pending(services.clock())
    write_schedule(services, current, pending_schedule)
    converge(services, pending_schedule)


def _roll_back(
    services: Services,
    before: Schedule | None,
    after: Schedule,
    reservation: WriteReservation,
    delete_record_key: str | None,
) -> WriteOutcome:
    """Roll the change back, its timer included.

    Returns:
        APPLIED; NOT_APPLIED where others have finished the change or based theirs on it; UNKNOWN where they have
        based theirs on the change or on its rollback.
    """
    now = services.clock()
    target = before.rollback_to(after, now) if before else after.rolled_back(now)
    response_lost = False

    def write_rollback() -> WriteOutcome:
        nonlocal response_lost
        try:
            write_schedule(services, after, target, release=reservation, delete_record_key=delete_record_key)
        except Conflict:
            if _is_change_kept(services, after, reservation) or not response_lost:
                return WriteOutcome.NOT_APPLIED
            return WriteOutcome.UNKNOWN
        except UnconfirmedChange:
            response_lost = True
            raise
        return WriteOutcome.APPLIED

    try:
        rollback = services.retry(write_rollback, retry_on=(Conflict, Unavailable))
    except Unavailable as unavailable:
        raise UnconfirmedChange from unavailable
    if rollback is WriteOutcome.APPLIED:
        try:
            converge(services, target)
        except TimerFailed as error:
            logger.warning("timer of %s left to the reconciler: %s", after.id, error)
    return rollback


def _is_change_kept(services: Services, change: Schedule, reservation: WriteReservation) -> bool:
    """Return whether the row still holds the change, which is now others' to finish.

    Raises:
        Conflict: The row holds the change, and it is still this operation's.
    """
    snapshot = services.schedules.read_snapshot(change.install_id, change.id)
    if snapshot.schedule is None or snapshot.schedule.change_token != change.change_token:
        return False
    same_install = snapshot.install is not None and snapshot.install.generation == reservation.generation
    if same_install and snapshot.schedule.pending:
        raise Conflict
    return True
