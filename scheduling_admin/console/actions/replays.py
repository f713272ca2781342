"""The replay of dead letters: of an install, a schedule or one occurrence."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

import htpy as h
from htpy import Node
from scheduling.domain.deliveries.completion import may_run

from scheduling_admin.commands.replay import replay
from scheduling_admin.commands.schedules import find_schedule
from scheduling_admin.console.actions.targets import Plan, Result, Target, describe_schedule
from scheduling_admin.console.links import occurrence_link
from scheduling_admin.console.pages.layout import render_data_table, text
from scheduling_admin.console.times import format_moment
from scheduling_admin.stack.session import AdminSession

MAX_LISTED = 50
_CONDITIONS = (
    "even if its attempts are used up, but not after a success, nor if its rule has no such time any more."
)


class _Options(TypedDict):
    """The options of the command `replay` that select dead letters."""

    install: str | None
    schedule: str | None
    occurrence: str | None


def plan_replay(session: AdminSession, target: Target) -> Plan:
    """Return which occurrences a replay would run."""
    document: Any = replay(session, **_select(target), dry_run=True).document
    letters = document["deadLetters"]
    subject = _describe_subject(session, target)
    effects = [_describe_effect(letters, target)]
    if letters and target.schedule and not _may_run(session, target):
        effects.append("At present the schedule does not fire, so that it would be skipped: enable it first.")
    if not document["reachedEnd"]:
        effects.append("There are more dead letters than were read: others of these may be among them.")
    command = " ".join(f"--{name} {value}" for name, value in _select(target).items() if value)
    return Plan(
        f"Replay {subject}?",
        tuple(effects),
        f"replay {command}",
        _render_dead_letters(letters),
        possible=bool(letters),
    )


def perform_replay(session: AdminSession, target: Target) -> Result:
    """Replay, and lead to the occurrence if it is one."""
    document: Any = replay(session, **_select(target), yes=True).document
    count = document["delivered"]
    if not count:
        return Result("There is no dead letter of it any more: nothing was replayed.", succeeded=False)
    if target.occurrence:
        return Result(see=f"{target.link}?live=replay")
    occurrences = "1 occurrence was" if count == 1 else f"{count:,} occurrences were"
    return Result(f"{occurrences} sent to the queue again. The timeline shows how each ends.")


def _select(target: Target) -> _Options:
    """Return the options of the command; a schedule's id says more than its install's."""
    if target.schedule:
        return _Options(install=None, schedule=target.schedule, occurrence=target.occurrence)
    return _Options(install=target.install, schedule=None, occurrence=None)


def _describe_subject(session: AdminSession, target: Target) -> str:
    if not target.schedule:
        return f"the dead letters of install {target.install}"
    name = describe_schedule(session, target)
    return (
        f"the occurrence {target.occurrence} of {name}"
        if target.occurrence
        else f"the dead letters of {name}"
    )


def _describe_effect(letters: Sequence[Mapping[str, Any]], target: Target) -> str:
    if not letters:
        return f"There is no dead letter of {'it' if target.occurrence else 'these'}: there is nothing to replay."
    if target.occurrence:
        return f"It runs once more, {_CONDITIONS}"
    count = len({(each["scheduleId"], each["scheduledTime"]) for each in letters})
    if count == 1:
        return f"1 occurrence runs once more, {_CONDITIONS}"
    return f"{count:,} occurrences run once more, each {_CONDITIONS}"


def _may_run(session: AdminSession, target: Target) -> bool:
    _, schedule = find_schedule(session, *target.schedule_ids)
    return may_run(schedule)


def _render_dead_letters(letters: Sequence[Mapping[str, Any]]) -> Node:
    """Render the occurrences and why they failed, the newest first."""
    newest = sorted(letters, key=lambda each: str(each["scheduledTime"]), reverse=True)
    more = len(letters) - MAX_LISTED
    return [
        render_data_table(("@Time", "Reason"), map(_build_row, newest[:MAX_LISTED])) if letters else None,
        h.p(".muted")[f"and {more:,} more"] if more > 0 else None,
    ]


def _build_row(letter: Mapping[str, Any]) -> Sequence[Node]:
    time = str(letter["scheduledTime"])
    url = occurrence_link(letter["installId"], letter["scheduleId"], time)
    moment = datetime.fromisoformat(time)
    return (
        [h.a(href=url)[format_moment(moment)], h.span(".sub")[time]],
        text(letter["reason"]) if letter["reason"] else None,
    )
