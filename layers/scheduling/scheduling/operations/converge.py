"""Two systems, one truth: the row says what is wanted, and EventBridge is made to match it here and nowhere else."""

import logging
from typing import NoReturn

from scheduling.domain.errors import SchedulingError, Unavailable
from scheduling.domain.install import Acceptance, Install
from scheduling.domain.schedule import Schedule
from scheduling.operations.ports import Conflict, EarlierWrite, TimerFailed
from scheduling.operations.services import Services

logger = logging.getLogger(__name__)


def write(
    services: Services,
    before: Schedule | None,
    after: Schedule,
    *,
    accept: Acceptance | None = None,
    remember: EarlierWrite | None = None,
    forget: str | None = None,
) -> None:
    """Replace the row, and where the answer was lost, look whether it was.

    Raises Conflict or Unavailable, and then the row is not replaced; a retry inside the SDK may have made it so
    and been refused the second time.
    """
    try:
        services.schedules.replace(before, after, accept=accept, remember=remember, forget=forget)
    except (Conflict, Unavailable):
        current = services.schedules.read(after.install_id, after.id).schedule
        if current is None or current.change != after.change:
            raise


def wants_timer(install: Install | None, schedule: Schedule) -> bool:
    """Whether the schedule is to have an EventBridge schedule: enabled, of an enabled install."""
    return install is not None and install.active and schedule.due


def converge(
    services: Services, install: Install | None, schedule: Schedule, *, exists: bool = True
) -> Schedule | None:
    """Make EventBridge match the row, and mark the row as settled if it is still of the revision that was matched.

    If it is not, match the newer one, so that whoever writes to EventBridge last has written what the row says.
    Gives the settled row, or None once it is gone. Raises TimerFailed.
    """
    _match(services, install, schedule, exists=exists)
    try:
        services.schedules.replace(schedule, schedule.settled())
    except Conflict:
        return services.retry(lambda: _follow(services, schedule))
    except Unavailable as unavailable:
        logger.warning("%s matches its timer but stays marked as pending: %s", schedule.id, unavailable)
    return schedule.settled()


def settle_first(services: Services, install: Install, schedule: Schedule, failure: str) -> NoReturn:
    """Help an unfinished change to its end before another is built on it; then raises Conflict: read again.

    Raises Unavailable with the text `failure` where EventBridge does not answer.
    """
    try:
        converge(services, install, schedule)
    except TimerFailed as failed:
        raise Unavailable(f"{failure}: an earlier change of it is not finished") from failed
    raise Conflict


def _match(services: Services, install: Install | None, schedule: Schedule, *, exists: bool = True) -> None:
    if wants_timer(install, schedule):
        services.timers.put(schedule, exists=exists)
    else:
        services.timers.remove(schedule.id)


def _follow(services: Services, matched: Schedule) -> Schedule | None:
    """Match whatever the row has become; raises Conflict while it keeps changing."""
    snapshot = services.schedules.read(matched.install_id, matched.id)
    current = snapshot.schedule
    if current is None:
        services.timers.remove(matched.id)
        return None
    if current.pending:
        _match(services, snapshot.install, current)
        services.schedules.replace(current, current.settled())
        return current.settled()
    if current.revision != matched.revision:
        _match(services, snapshot.install, current)
        if services.schedules.read(matched.install_id, matched.id).schedule != current:
            raise Conflict
    return current


def carry_out(
    services: Services,
    install: Install,
    before: Schedule | None,
    after: Schedule,
    *,
    failure: str,
    forget: str | None = None,
) -> None:
    """Bring EventBridge after a change of the row from `before` to `after`, or take the change back.

    Raises Unavailable or SchedulingError with the text `failure` where it was taken back: then nothing of the
    change remains. Where a concurrent call has settled the change meanwhile, it stands, and nothing is raised.
    """
    try:
        converge(services, install, after, exists=before is not None and wants_timer(install, before))
    except TimerFailed as failed:
        logger.warning("timer of %s failed: %s", after.id, failed)
        if _take_back(services, install, before, after, forget):
            raise (SchedulingError if failed.refused else Unavailable)(failure) from failed


def _take_back(
    services: Services, install: Install, before: Schedule | None, after: Schedule, forget: str | None
) -> bool:
    now = services.clock()
    target = before.restored_over(after, now) if before else after.withdrawn(now)

    def take_back() -> bool:
        try:
            write(services, after, target, forget=forget)
        except Conflict:
            current = services.schedules.read(after.install_id, after.id).schedule
            if current is None or current.revision != after.revision or not current.pending:
                return False
            raise
        return True

    try:
        if not services.retry(take_back):
            return False
    except Unavailable as unavailable:
        raise Unavailable("The change could not be confirmed; it may still take effect") from unavailable
    try:
        converge(services, install, target)
    except TimerFailed as failed:
        logger.warning("timer of %s left to the reconciler: %s", after.id, failed)
    return True
