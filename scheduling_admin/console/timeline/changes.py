"""The periods without fires that the kept changes of a schedule and its install show, from when to when and by whom."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.schedule import COMPLETED, Schedule

from scheduling_admin.console.timeline.gaps import (
    COMPLETED_TEXT,
    Gap,
    GapCause,
    describe_disabled_by_service,
)
from scheduling_admin.console.timeline.window import TimeWindow
from scheduling_admin.output.changes import describe_actor


@dataclass(frozen=True)
class _Switch:
    """A field of which some values mean that nothing fires."""

    cause: GapCause
    subject: str
    name: str
    is_install: bool
    stops: Callable[[Any], bool]
    read: Callable[[Install, Schedule], object]


_SWITCHES = (
    _Switch(
        GapCause.DISABLED,
        "The schedule was disabled",
        "enabled",
        False,
        lambda enabled: not enabled,
        lambda _, schedule: schedule.definition.enabled,
    ),
    _Switch(
        GapCause.INSTALL_DISABLED,
        "The install was disabled",
        "enabled",
        True,
        lambda enabled: not enabled,
        lambda install, _: install.enabled,
    ),
    _Switch(
        GapCause.PAUSED,
        "The tenant was paused",
        "paused",
        True,
        bool,
        lambda install, _: install.paused,
    ),
    _Switch(
        GapCause.NOT_GRANTED,
        f"The install was not granted {SCHEDULER_MANAGE}",
        "grantedCapabilities",
        True,
        lambda granted: SCHEDULER_MANAGE not in granted,
        lambda install, _: install.granted_capabilities,
    ),
)


def find_change_gaps(
    changes: Sequence[KeptChange], install: Install, schedule: Schedule, window: TimeWindow
) -> list[Gap]:
    """Return the periods within the window; `changes` are the oldest first."""
    gaps = [gap for each in _SWITCHES for gap in _find_gaps(each, changes, install, schedule, window)]
    return sorted(gaps, key=lambda gap: gap.start)


def _find_gaps(
    switch: _Switch,
    changes: Sequence[KeptChange],
    install: Install,
    schedule: Schedule,
    window: TimeWindow,
) -> Iterator[Gap]:
    """Yield the periods between a change that stops the schedule and the next one that does not."""
    relevant = [each for each in changes if _changes(each, switch)]
    ends: list[KeptChange | None] = [*relevant[1:], None]
    if (
        relevant
        and (before := relevant[0].before)
        and switch.name in before
        and switch.stops(before[switch.name])
    ):
        yield from _clip(switch, None, relevant[0], window)
    for change, end in zip(relevant, ends, strict=False):
        value = (change.after or {}).get(switch.name)
        still_so = end is not None or switch.stops(switch.read(install, schedule))
        if switch.name in (change.after or {}) and switch.stops(value) and still_so:
            yield from _clip(switch, change, end, window)


def _changes(change: KeptChange, switch: _Switch) -> bool:
    concerned = (change.schedule_id is None) is switch.is_install
    return concerned and switch.name in {**(change.before or {}), **(change.after or {})}


def _clip(
    switch: _Switch, start: KeptChange | None, end: KeptChange | None, window: TimeWindow
) -> Iterator[Gap]:
    """Yield a period that the window shows, at least a part of it."""
    first = start.time if start else window.start
    last = end.time if end else window.end
    if last <= window.start or first >= window.end or first >= last:
        return
    cause, subject = _describe_start(switch, start)
    detail = f"{subject}{_describe(end, ', until a change by')}."
    yield Gap(cause, first, last, detail, start_known=start is not None, end_known=end is not None)


def _describe_start(switch: _Switch, start: KeptChange | None) -> tuple[GapCause, str]:
    """Return the cause, and what has happened, by whom if it is known."""
    reason = ((start.after if start else None) or {}).get("disabledReason")
    if switch.cause is GapCause.DISABLED and reason == COMPLETED:
        return GapCause.COMPLETED, COMPLETED_TEXT.rstrip(".")
    if switch.cause is GapCause.DISABLED and reason:
        return switch.cause, describe_disabled_by_service(str(reason)).rstrip(".")
    return switch.cause, f"{switch.subject}{_describe(start, ' by')}"


def _describe(change: KeptChange | None, words: str) -> str:
    return f"{words} {describe_actor(change.actor)}" if change else ""
