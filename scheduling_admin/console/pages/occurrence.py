"""The page of one occurrence: what `explain` says, the run, and what can be done."""

from collections.abc import Mapping, Sequence
from typing import Any

import htpy as h
from htpy import Node
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule

from scheduling_admin.console.links import action_link, occurrence_link, schedule_path
from scheduling_admin.console.pages.lanes import schedule_label
from scheduling_admin.console.pages.layout import clean, render_chip, render_facts, text
from scheduling_admin.explain.evidence import Verdict
from scheduling_admin.output.times import format_milliseconds

_VERDICT_KINDS: Mapping[str, str] = {
    Verdict.SUCCEEDED: "on",
    Verdict.RUNNING: "info",
    Verdict.UPCOMING: "info",
    Verdict.WAITING: "warn",
    Verdict.RETRYING: "warn",
    Verdict.OVERDUE: "warn",
    Verdict.FAILED: "bad",
    Verdict.CRASHED: "bad",
    Verdict.MISSED: "bad",
    Verdict.NOT_RUN: "bad",
}
_LIVE_VERDICTS = (Verdict.RUNNING, Verdict.WAITING, Verdict.RETRYING, Verdict.OVERDUE, Verdict.UNKNOWN)
_POLL = "every 2s"
_TROUBLED = (Verdict.FAILED, Verdict.CRASHED, Verdict.MISSED, Verdict.NOT_RUN, Verdict.WAITING)


def render_occurrence(
    install: Install,
    schedule: Schedule,
    document: Mapping[str, Any],
    local_time: str,
    *,
    read_only: bool,
    live: bool,
) -> Node:
    """Render an explanation, as the command `explain` returns it.

    Args:
        install: The schedule's install.
        schedule: The schedule.
        document: The JSON document of the command.
        local_time: The time of the occurrence, in the schedule's zone and in UTC.
        read_only: Whether the console refuses actions.
        live: Whether the outcome is expected at any moment, so that the part reads itself again.
    """
    verdict = str(document["verdict"])
    time = document["scheduledTime"]
    polls = live and verdict in _LIVE_VERDICTS and time
    url = occurrence_link(install.id, schedule.id, time) + "?part=1&live=1" if time else None
    return h.article(
        {"hx-get": url, "hx-trigger": _POLL, "hx-swap": "outerHTML"} if polls else {},
        class_="occurrence",
        data_verdict=verdict,
    )[
        _render_header(schedule, local_time, verdict),
        h.p(".summary")[text(document["summary"])],
        _render_sentences(document["reasons"], "reasons"),
        _render_sentences(document["advice"], "advice"),
        _render_actions(install, schedule, verdict, read_only=read_only),
        _render_run(document["run"]),
        _render_dead_letters(document["deadLetters"]),
        _render_footer(install, schedule, time or document["localTime"]),
    ]


def _render_footer(install: Install, schedule: Schedule, time: str) -> Node:
    return h.p(".muted")[
        h.a(href=schedule_path(install.id, schedule.id))["Open the schedule"],
        h.span(".command")[f" Same as: scheduling-admin explain {install.id} {schedule.id} {time}"],
    ]


def _render_header(schedule: Schedule, local_time: str, verdict: str) -> Node:
    return h.header[
        h.p(".eyebrow")[text(schedule_label(schedule))],
        h.h2[local_time],
        render_chip(verdict.replace("-", " "), _VERDICT_KINDS.get(verdict, "off")),
    ]


def _render_sentences(sentences: Sequence[str], kind: str) -> Node:
    return h.ul(f".{kind}")[(h.li[text(each)] for each in sentences)] if sentences else None


def _render_actions(install: Install, schedule: Schedule, verdict: str, *, read_only: bool) -> Node:
    if read_only:
        return None
    target = {"install": str(install.id), "schedule": str(schedule.id)}
    return h.div(".actions")[
        h.a(".button.primary", href=action_link("replay", **target))["Replay dead letters"]
        if verdict in _TROUBLED
        else None,
        h.a(".button", href=action_link("run", **target))["Run now"],
    ]


def _render_run(run: Mapping[str, Any] | None) -> Node:
    if run is None:
        return h.p(".muted")["The history has no run of it."]
    duration = run["durationMs"]
    runner = " ".join(str(run[each]) for each in ("runnerStatus", "runnerError") if run[each])
    return [
        h.h3["Run"],
        render_facts(
            [
                ("Status", run["status"]),
                ("Trigger", run["trigger"]),
                ("Attempts", str(run["attempt"])),
                ("Started", run["startedAt"]),
                ("Duration", None if duration is None else format_milliseconds(duration)),
                ("Answer", None if run["httpStatus"] is None else f"HTTP {run['httpStatus']}"),
                ("Runner", clean(runner)),
                ("Request id", h.code[run["requestId"]] if run["requestId"] else None),
                ("Error", h.pre[clean(run["error"])] if run["error"] else None),
                ("Detail", h.pre[clean(run["detail"])] if run["detail"] else None),
            ]
        ),
    ]


def _render_dead_letters(dead_letters: Sequence[Mapping[str, Any]]) -> Node:
    if not dead_letters:
        return None
    return [
        h.h3["Dead letters"],
        h.ul[(h.li[f"{each['sentAt']}: ", text(each["reason"] or "no reason")] for each in dead_letters)],
    ]
