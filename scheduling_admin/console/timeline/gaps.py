"""The periods of a timeline in which a schedule does not fire, by cause."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.schedule import Schedule


class GapCause(StrEnum):
    """Why a schedule does not fire."""

    DISABLED = "disabled"
    INSTALL_DISABLED = "install-disabled"
    PAUSED = "paused"
    NOT_GRANTED = "not-granted"
    NO_TIMER = "no-timer"
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
    GapCause.INSTALL_DISABLED: "Install disabled",
    GapCause.PAUSED: "Tenant paused",
    GapCause.NOT_GRANTED: "Not granted",
    GapCause.NO_TIMER: "No timer",
    GapCause.UNREADABLE: "Unreadable",
    GapCause.DST_SKIP: "Clocks go forward",
    GapCause.DST_REPEAT: "Clocks go back",
    GapCause.NOT_CREATED: "Not created yet",
    GapCause.NOT_LOADED: "Not loaded",
}


@dataclass(frozen=True)
class Gap:
    """A period without fires; `detail` is a sentence on its cause, and `start_known` whether its start is recorded."""

    cause: GapCause
    start: datetime
    end: datetime
    detail: str
    start_known: bool = True


@dataclass(frozen=True)
class Blocker:
    """What keeps a schedule from firing at present; `since` is None where the table does not record it."""

    cause: GapCause
    detail: str
    since: datetime | None


def find_blocker(install: Install, schedule: Schedule) -> Blocker | None:
    """Return the first thing that keeps the schedule from firing, apart from its timer."""
    if schedule.unreadable or install.unreadable:
        return Blocker(GapCause.UNREADABLE, f"{schedule.unreadable or install.unreadable}.", None)
    if install.paused:
        return Blocker(GapCause.PAUSED, f"The tenant is paused, by {install.changed_by}.", None)
    if not install.enabled:
        return Blocker(GapCause.INSTALL_DISABLED, f"The install is disabled, by {install.changed_by}.", None)
    if SCHEDULER_MANAGE not in install.granted_capabilities:
        text = f"The install is not granted {SCHEDULER_MANAGE}, by {install.changed_by}."
        return Blocker(GapCause.NOT_GRANTED, text, None)
    if not schedule.definition.enabled:
        return Blocker(GapCause.DISABLED, _describe_disabled(schedule), schedule.timer_since)
    return None


def _describe_disabled(schedule: Schedule) -> str:
    if schedule.disabled_reason:
        return f"The service has disabled the schedule: {schedule.disabled_reason}."
    return f"The schedule is disabled, by {schedule.changed_by}."
