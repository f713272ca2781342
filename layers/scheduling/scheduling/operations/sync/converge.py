"""Two systems, one truth: the row says what is wanted, and here, nowhere else, EventBridge is made to match it."""

import logging
from typing import NoReturn

from scheduling.domain.errors import Conflict, SchedulingError, TimerFailed, Unavailable, UnconfirmedChange
from scheduling.domain.install import WriteReservation
from scheduling.domain.schedule import Schedule
from scheduling.operations.services import Services
from scheduling.operations.sync.optimistic_writes import write_schedule

logger = logging.getLogger(__name__)


def converge(services: Services, schedule: Schedule, *, exists: bool = True) -> Schedule | None:
    """Make EventBridge match the pending row, and mark the row as settled if it is still the one matched.

    If it is not, match what it has become: whoever writes to EventBridge last has written what the row says.
    Gives the settled row, or None once it is gone. Raises TimerFailed; that the mark could not be removed is
    no failure, since EventBridge matches and the reconciler removes it.
    """
    applied_timer = _apply_timer(services, schedule, exists=exists)
    try:
        try:
            services.schedules.replace_schedule(schedule, schedule.synced())
        except Conflict:
            return services.retry(lambda: _converge_to_current(services, schedule, applied_timer))
    except Unavailable as unavailable:
        logger.warning("%s stays marked as pending: %s", schedule.id, unavailable)
    return schedule.synced()


_AppliedTimer = tuple[bool, int]
"""What was last written to EventBridge: whether there is a timer, and its number."""


def _apply_timer(services: Services, schedule: Schedule, *, exists: bool = True) -> _AppliedTimer:
    if schedule.should_have_timer:
        services.timers.put_timer(schedule, exists=exists)
    else:
        services.timers.delete_timer(schedule.id)
    return schedule.should_have_timer, schedule.timer_revision


def _converge_to_current(
    services: Services, schedule: Schedule, applied_timer: _AppliedTimer
) -> Schedule | None:
    """Match whatever the row has become; raises Conflict while it keeps changing."""
    current = services.schedules.read_schedule(schedule.install_id, schedule.id).schedule
    if current is None:
        services.timers.delete_timer(schedule.id)
        return None
    if current.pending:
        _apply_timer(services, current)
        services.schedules.replace_schedule(current, current.synced())
        return current.synced()
    if applied_timer != (current.should_have_timer, current.timer_revision):
        _apply_timer(services, current)
        if services.schedules.read_schedule(schedule.install_id, schedule.id).schedule != current:
            raise Conflict
    return current


def finish_pending_change(services: Services, schedule: Schedule, failure: str) -> NoReturn:
    """Help an unfinished change to its end before another is built on it; then raises Conflict: read again.

    Raises Unavailable with the text `failure` where EventBridge does not answer.
    """
    try:
        converge(services, schedule)
    except TimerFailed as error:
        raise Unavailable(f"{failure}: an earlier change of it is not finished") from error
    raise Conflict


def apply_or_rollback(
    services: Services,
    before: Schedule | None,
    after: Schedule,
    reservation: WriteReservation,
    *,
    failure: str,
    delete_record_key: str | None = None,
) -> None:
    """Bring EventBridge after a change of the row from `before` to `after`, or take the change back.

    Raises Unavailable or SchedulingError with the text `failure` where it was taken back: then nothing of the
    change remains. Where others have settled the change meanwhile, or built on it, it stands, and nothing is
    raised. Raises Uncertain where they may as well have built on what was taken back.
    """
    try:
        converge(services, after, exists=before is not None and before.should_have_timer)
    except TimerFailed as error:
        logger.warning("timer of %s failed: %s", after.id, error)
        rolled_back = _rollback_change(services, before, after, reservation, delete_record_key)
        if rolled_back:
            raise (SchedulingError if error.refused else Unavailable)(failure) from error
        _converge_again(services, after)
        if rolled_back is None:
            raise UnconfirmedChange from error


def _converge_again(services: Services, schedule: Schedule) -> None:
    """Match the row once more: what failed may have reached EventBridge after those who have settled the row."""

    def mark_and_converge() -> None:
        current = services.schedules.read_schedule(schedule.install_id, schedule.id).schedule
        if current is None:
            services.timers.delete_timer(schedule.id)
            return
        pending_schedule = current.marked_pending(services.clock())
        write_schedule(services, current, pending_schedule)
        converge(services, pending_schedule)

    try:
        services.retry(mark_and_converge)
    except (TimerFailed, Unavailable) as error:
        logger.warning("timer of %s left to the reconciler: %s", schedule.id, error)


def _rollback_change(
    services: Services,
    before: Schedule | None,
    after: Schedule,
    reservation: WriteReservation,
    delete_record_key: str | None,
) -> bool | None:
    """Whether the change was taken back, or None where others have built on either; the timer follows if it was."""
    now = services.clock()
    target = before.rollback_to(after, now) if before else after.rolled_back(now)
    response_lost = False

    def write_rollback() -> bool | None:
        nonlocal response_lost
        try:
            write_schedule(services, after, target, release=reservation, delete_record_key=delete_record_key)
        except Conflict:
            if _is_change_current(services, after, reservation):
                return False
            return None if response_lost else False
        except UnconfirmedChange:
            response_lost = True
            raise
        return True

    try:
        rolled_back = services.retry(write_rollback, retry_on=(Conflict, Unavailable))
    except Unavailable as unavailable:
        raise UnconfirmedChange from unavailable
    if not rolled_back:
        return rolled_back
    try:
        converge(services, target)
    except TimerFailed as error:
        logger.warning("timer of %s left to the reconciler: %s", after.id, error)
    return True


def _is_change_current(services: Services, change: Schedule, reservation: WriteReservation) -> bool:
    """Whether the row is still of that change, by now others' to settle. Raises Conflict while it is not."""
    snapshot = services.schedules.read_schedule(change.install_id, change.id)
    if snapshot.schedule is None or snapshot.schedule.change_token != change.change_token:
        return False
    same_install = snapshot.install is not None and snapshot.install.generation == reservation.generation
    if same_install and snapshot.schedule.pending:
        raise Conflict
    return True
