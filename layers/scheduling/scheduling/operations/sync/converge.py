"""Two systems, one truth: the row says what is wanted, and here, nowhere else, EventBridge is made to match it."""

import logging
from typing import NoReturn

from scheduling.domain.errors import Conflict, SchedulingError, TimerFailed, Unavailable, Uncertain
from scheduling.domain.install import Acceptance
from scheduling.domain.schedule import Schedule
from scheduling.operations.services import Services
from scheduling.operations.sync.optimistic_writes import write

logger = logging.getLogger(__name__)


def converge(services: Services, schedule: Schedule, *, exists: bool = True) -> Schedule | None:
    """Make EventBridge match the pending row, and mark the row as settled if it is still the one matched.

    If it is not, match what it has become: whoever writes to EventBridge last has written what the row says.
    Gives the settled row, or None once it is gone. Raises TimerFailed; that the mark could not be removed is
    no failure, since EventBridge matches and the reconciler removes it.
    """
    matched = _match(services, schedule, exists=exists)
    try:
        try:
            services.schedules.replace(schedule, schedule.settled())
        except Conflict:
            return services.retry(lambda: _follow(services, schedule, matched))
    except Unavailable as unavailable:
        logger.warning("%s stays marked as pending: %s", schedule.id, unavailable)
    return schedule.settled()


_Matched = tuple[bool, int]
"""What was last written to EventBridge: whether there is a timer, and its number."""


def _match(services: Services, schedule: Schedule, *, exists: bool = True) -> _Matched:
    if schedule.due:
        services.timers.put(schedule, exists=exists)
    else:
        services.timers.remove(schedule.id)
    return schedule.due, schedule.timer_revision


def _follow(services: Services, schedule: Schedule, matched: _Matched) -> Schedule | None:
    """Match whatever the row has become; raises Conflict while it keeps changing."""
    current = services.schedules.read(schedule.install_id, schedule.id).schedule
    if current is None:
        services.timers.remove(schedule.id)
        return None
    if current.pending:
        _match(services, current)
        services.schedules.replace(current, current.settled())
        return current.settled()
    if matched != (current.due, current.timer_revision):
        _match(services, current)
        if services.schedules.read(schedule.install_id, schedule.id).schedule != current:
            raise Conflict
    return current


def settle_first(services: Services, schedule: Schedule, failure: str) -> NoReturn:
    """Help an unfinished change to its end before another is built on it; then raises Conflict: read again.

    Raises Unavailable with the text `failure` where EventBridge does not answer.
    """
    try:
        converge(services, schedule)
    except TimerFailed as failed:
        raise Unavailable(f"{failure}: an earlier change of it is not finished") from failed
    raise Conflict


def carry_out(
    services: Services,
    before: Schedule | None,
    after: Schedule,
    accepted: Acceptance,
    *,
    failure: str,
    forget: str | None = None,
) -> None:
    """Bring EventBridge after a change of the row from `before` to `after`, or take the change back.

    Raises Unavailable or SchedulingError with the text `failure` where it was taken back: then nothing of the
    change remains. Where others have settled the change meanwhile, or built on it, it stands, and nothing is
    raised. Raises Uncertain where they may as well have built on what was taken back.
    """
    try:
        converge(services, after, exists=before is not None and before.due)
    except TimerFailed as failed:
        logger.warning("timer of %s failed: %s", after.id, failed)
        taken_back = _take_back(services, before, after, accepted, forget)
        if taken_back:
            raise (SchedulingError if failed.refused else Unavailable)(failure) from failed
        _look_again(services, after)
        if taken_back is None:
            raise Uncertain from failed


def _look_again(services: Services, schedule: Schedule) -> None:
    """Match the row once more: what failed may have reached EventBridge after those who have settled the row."""

    def mark_and_match() -> None:
        current = services.schedules.read(schedule.install_id, schedule.id).schedule
        if current is None:
            services.timers.remove(schedule.id)
            return
        touched = current.touched(services.clock())
        write(services, current, touched)
        converge(services, touched)

    try:
        services.retry(mark_and_match)
    except (TimerFailed, Unavailable) as failed:
        logger.warning("timer of %s left to the reconciler: %s", schedule.id, failed)


def _take_back(
    services: Services,
    before: Schedule | None,
    after: Schedule,
    accepted: Acceptance,
    forget: str | None,
) -> bool | None:
    """Whether the change was taken back, or None where others have built on either; the timer follows if it was."""
    now = services.clock()
    target = before.restored_over(after, now) if before else after.withdrawn(now)
    lost = False

    def take_back() -> bool | None:
        nonlocal lost
        try:
            write(services, after, target, release=accepted, forget=forget)
        except Conflict:
            if _stands(services, after, accepted):
                return False
            return None if lost else False
        except Uncertain:
            lost = True
            raise
        return True

    try:
        taken_back = services.retry(take_back, on=(Conflict, Unavailable))
    except Unavailable as unavailable:
        raise Uncertain from unavailable
    if not taken_back:
        return taken_back
    try:
        converge(services, target)
    except TimerFailed as failed:
        logger.warning("timer of %s left to the reconciler: %s", after.id, failed)
    return True


def _stands(services: Services, change: Schedule, accepted: Acceptance) -> bool:
    """Whether the row is still of that change, by now others' to settle. Raises Conflict while it is not."""
    seen = services.schedules.read(change.install_id, change.id)
    if seen.schedule is None or seen.schedule.change_token != change.change_token:
        return False
    same_install = seen.install is not None and seen.install.generation == accepted.generation
    if same_install and seen.schedule.pending:
        raise Conflict
    return True
