"""The periods without fires that the kept changes of a schedule and its install show, from when to when and by whom."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.schedule import Schedule

from scheduling_admin.console.timeline.gaps import Gap, GapCause
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
    """Yield the part of a period that the window shows."""
    first = start.time if start else window.start
    last = end.time if end else window.end
    if last <= window.start or first >= window.end or first >= last:
        return
    detail = "".join((switch.subject, _describe(start, " by"), _describe(end, ", until a change by"), "."))
    yield Gap(switch.cause, max(first, window.start), min(last, window.end), detail, start is not None)


def _describe(change: KeptChange | None, words: str) -> str:
    return f"{words} {describe_actor(change.actor)}" if change else ""
