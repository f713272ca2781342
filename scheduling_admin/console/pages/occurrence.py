"""The page of one occurrence: what `explain` says, the run, and what can be done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import htpy as h
from htpy import Node
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule

from scheduling_admin.console.links import action_link, occurrence_link, schedule_path
from scheduling_admin.console.pages.lanes import schedule_label
from scheduling_admin.console.pages.layout import (
    clean,
    render_chip,
    render_command,
    render_facts,
    render_notice,
    text,
)
from scheduling_admin.console.times import format_moment, format_zone
from scheduling_admin.explain.evidence import Verdict
from scheduling_admin.output.times import format_milliseconds


@dataclass(frozen=True)
class OccurrenceTimes:
    """The time of an occurrence on the clock of its zone, in UTC, and on the viewer's clock if that shows another."""

    local: str
    utc: str
    viewer: str | None


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
_REPLAYED = "It was sent to the queue again. This page shows the new attempt once it has started."


def render_occurrence(
    install: Install,
    schedule: Schedule,
    document: Mapping[str, Any],
    times: OccurrenceTimes,
    *,
    read_only: bool,
    state: str | None,
    is_replayed: bool = False,
) -> Node:
    """Render an explanation, as the command `explain` returns it.

    Args:
        install: The schedule's install.
        schedule: The schedule.
        document: The JSON document of the command.
        times: The time of the occurrence on several clocks.
        read_only: Whether the console refuses actions.
        state: The state of its run, if another one is expected at any moment: the part reads itself again then.
        is_replayed: Whether it was sent to the queue a moment ago, whatever its run says.
    """
    verdict = str(document["verdict"])
    time = document["scheduledTime"]
    polls = state is not None and (verdict in _LIVE_VERDICTS or is_replayed) and time
    url = f"{occurrence_link(install.id, schedule.id, time)}?part=1&live=1&state={state}" if time else None
    return h.article(
        {"hx-get": url, "hx-trigger": _POLL, "hx-swap": "outerHTML"} if polls else {},
        class_="occurrence",
        data_verdict=verdict,
    )[
        _render_header(schedule, times, verdict),
        render_notice(_REPLAYED, "info") if is_replayed else None,
        h.p(".summary")[text(document["summary"])],
        _render_sentences(document["reasons"], "reasons"),
        _render_sentences(document["advice"], "advice"),
        None if read_only else _render_actions(install, schedule, document),
        _render_run(document["run"]),
        _render_footer(install, schedule, time or document["localTime"]),
    ]


def _render_footer(install: Install, schedule: Schedule, time: str) -> Node:
    return [
        h.p[h.a(href=schedule_path(install.id, schedule.id))["Open the schedule"]],
        render_command(f"explain {install.id} {schedule.id} {time}"),
    ]


def _render_header(schedule: Schedule, times: OccurrenceTimes, verdict: str) -> Node:
    return h.header[
        h.p(".eyebrow")[text(schedule_label(schedule))],
        h.h2[times.local],
        h.p(".muted")[" · ".join(filter(None, (times.utc, times.viewer)))],
        render_chip(verdict.replace("-", " "), _VERDICT_KINDS.get(verdict, "off")),
    ]


def _render_sentences(sentences: Sequence[str], kind: str) -> Node:
    return h.ul(f".{kind}")[(h.li[text(each)] for each in sentences)] if sentences else None


def _render_actions(install: Install, schedule: Schedule, document: Mapping[str, Any]) -> Node:
    target = {"install": str(install.id), "schedule": str(schedule.id)}
    replay = action_link("replay", **target, occurrence=document["scheduledTime"])
    return h.div(".actions")[
        h.a(".button.primary", href=replay)["Replay this occurrence"] if document["deadLetters"] else None,
        h.a(".button", href=action_link("run", **target))["Run the schedule now"],
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
                ("Attempts", str(run["attempt"] or "none")),
                ("Started", _render_start(run["startedAt"]) if run["attempt"] else None),
                ("Duration", None if duration is None else format_milliseconds(duration)),
                ("Answer", None if run["httpStatus"] is None else f"HTTP {run['httpStatus']}"),
                ("Runner", clean(runner)),
                ("Request id", h.code[run["requestId"]] if run["requestId"] else None),
                ("Error", h.pre[clean(run["error"])] if run["error"] else None),
                ("Detail", h.pre[clean(run["detail"])] if run["detail"] else None),
            ]
        ),
    ]


def _render_start(started_at: str) -> Node:
    moment = datetime.fromisoformat(started_at)
    return h.time(datetime=started_at, title=started_at)[f"{format_moment(moment)} {format_zone(moment)}"]
