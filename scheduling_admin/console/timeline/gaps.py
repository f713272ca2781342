"""The periods of a timeline in which a schedule does not fire, by cause."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduling.domain.deliveries.completion import one_time_moment
from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.schedule import PAUSED_AFTER_FAILURES, Schedule

from scheduling_admin.output.changes import describe_actor

DRAWN_FROM_FIRST = "It is drawn from the first occurrence without a run."
COMPLETED_TEXT = "Its only time has passed, and its occurrence is finished."


class GapCause(StrEnum):
    """Why a schedule does not fire."""

    DISABLED = "disabled"
    COMPLETED = "completed"
    INSTALL_DISABLED = "install-disabled"
    PAUSED = "paused"
    NOT_GRANTED = "not-granted"
    NO_TIMER = "no-timer"
    TIMER_CHANGED = "timer-changed"
    UNREADABLE = "unreadable"
    DST_SKIP = "dst-skip"
    DST_REPEAT = "dst-repeat"
    NOT_CREATED = "not-created"
    NOT_LOADED = "not-loaded"

    @property
    def label(self) -> str:
        """The cause in words."""
        return _LABELS[self]


_LABELS: Mapping[GapCause, str] = {
    GapCause.DISABLED: "Disabled",
    GapCause.COMPLETED: "Completed",
    GapCause.INSTALL_DISABLED: "Install disabled",
    GapCause.PAUSED: "Tenant paused",
    GapCause.NOT_GRANTED: "Not granted",
    GapCause.NO_TIMER: "No timer",
    GapCause.TIMER_CHANGED: "Timer changed by others",
    GapCause.UNREADABLE: "Unreadable",
    GapCause.DST_SKIP: "Clocks go forward",
    GapCause.DST_REPEAT: "Clocks go back",
    GapCause.NOT_CREATED: "Not created yet",
    GapCause.NOT_LOADED: "Not loaded",
}


@dataclass(frozen=True)
class Gap:
    """A period without fires; `detail` is a sentence on its cause.

    It may begin before `start` unless `start_known`, and last longer than `end` unless `end_known`.
    """

    cause: GapCause
    start: datetime
    end: datetime
    detail: str
    start_known: bool = True
    end_known: bool = True


@dataclass(frozen=True)
class Blocker:
    """What keeps a schedule from firing at present; `since` is None where the table does not record it."""

    cause: GapCause
    detail: str
    since: datetime | None


def list_blockers(install: Install, schedule: Schedule) -> list[Blocker]:
    """Return what keeps the schedule from firing, apart from its timer."""
    if schedule.unreadable or install.unreadable:
        return [Blocker(GapCause.UNREADABLE, f"{schedule.unreadable or install.unreadable}.", None)]
    if schedule.completed:
        return [Blocker(GapCause.COMPLETED, COMPLETED_TEXT, one_time_moment(schedule))]
    blockers = list(_list_install_blockers(install))
    if not schedule.definition.enabled:
        blockers.append(_find_disabled_blocker(schedule))
    if schedule.suspended and not blockers:
        text = "It is still suspended, although its install is active."
        blockers.append(Blocker(GapCause.NO_TIMER, text, None))
    return blockers


def _list_install_blockers(install: Install) -> Iterator[Blocker]:
    if install.paused:
        yield Blocker(GapCause.PAUSED, f"The tenant is paused, by {_actor(install)}.", None)
    if not install.enabled:
        text = f"The install is disabled, by {_actor(install)}."
        yield Blocker(GapCause.INSTALL_DISABLED, text, None)
    if SCHEDULER_MANAGE not in install.granted_capabilities:
        text = f"The install is not granted {SCHEDULER_MANAGE}, by {_actor(install)}."
        yield Blocker(GapCause.NOT_GRANTED, text, None)


def _find_disabled_blocker(schedule: Schedule) -> Blocker:
    """Return that it is disabled: what removes its endpoint does not record when, every other change does."""
    reason = schedule.disabled_reason
    text = describe_disabled_by_service(reason) if reason else f"It is disabled, by {_actor(schedule)}."
    is_recorded = reason in (None, PAUSED_AFTER_FAILURES)
    return Blocker(GapCause.DISABLED, text, schedule.timer_since if is_recorded else None)


def describe_disabled_by_service(reason: str) -> str:
    """Return why the service has disabled a schedule, as a sentence."""
    return f"The service has disabled the schedule: {reason}."


def _actor(entity: Install | Schedule) -> str:
    return describe_actor(entity.changed_by)
