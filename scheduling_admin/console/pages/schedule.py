"""The page of one schedule."""

from collections.abc import Sequence

import htpy as h
from htpy import Node
from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.cron.occurrences import LocalTime
from scheduling.domain.install import Install
from scheduling.domain.preview import Preview
from scheduling.domain.runs import Run
from scheduling.domain.schedule import Schedule

from scheduling_admin.console.links import (
    action_link,
    link,
    occurrence_link,
    schedule_path,
    window_parameters,
)
from scheduling_admin.console.pages.fires import render_fires
from scheduling_admin.console.pages.lanes import render_state_chip, schedule_label
from scheduling_admin.console.pages.layout import (
    clean,
    render_advice,
    render_data_table,
    render_facts,
    render_notice,
    text,
)
from scheduling_admin.console.svg.strip import render_strip
from scheduling_admin.console.svg.symbols import render_icon
from scheduling_admin.console.timeline.lanes import Lane
from scheduling_admin.console.timeline.marks import Mark, mark_from_run
from scheduling_admin.console.times import format_moment
from scheduling_admin.errors import AdminError
from scheduling_admin.explain.evidence import usable_timezone
from scheduling_admin.output.changes import describe_actor, describe_change
from scheduling_admin.output.fields import describe_definition
from scheduling_admin.output.times import format_milliseconds, format_wall_time
from scheduling_admin.status import evaluate_firing_status

_MAX_PAYLOAD, _MAX_ERROR = 4_000, 200
TABLE_RUNS = 20
_TIMER_ADVICE = "The next sweep repairs it; `scheduling-admin reconcile --sweep` does so now."


def render_heading(install: Install, schedule: Schedule, lane: Lane, *, read_only: bool) -> Node:
    """Render what the schedule is, whether it fires, and what can be done."""
    blockers = evaluate_firing_status(install, schedule).blockers
    return [
        h.header(".subject")[
            h.div[
                h.p(".eyebrow")[text(schedule.definition.endpoint)],
                h.h1[text(schedule_label(schedule)), " ", render_state_chip(install, schedule, lane)],
                h.p(".muted")[h.code[schedule.id]],
            ],
            None if read_only else _render_actions(install, schedule),
        ],
        (render_notice(f"It does not fire: {each}.") for each in blockers),
        (
            h.p(".notice.warning")[h.strong[text(each)], " ", render_advice(_TIMER_ADVICE)]
            for each in (lane.timer.differences if not blockers and not schedule.pending else ())
        ),
        render_notice(f"The timer cannot be read: {lane.timer.problem}") if lane.timer.problem else None,
    ]


def _render_actions(install: Install, schedule: Schedule) -> Node:
    target = {"install": str(install.id), "schedule": str(schedule.id)}
    enabled = schedule.definition.enabled
    name, label = ("disable-schedule", "Disable") if enabled else ("enable-schedule", "Enable")
    return h.div(".actions")[
        h.a(".button.primary", href=action_link("run", **target))["Run now"],
        h.a(".button", href=action_link("replay", **target))["Replay"],
        h.a(".button", href=action_link(name, **target))[label],
        h.a(".button.danger", href=action_link("delete", **target))["Delete"],
    ]


def render_rule(schedule: Schedule, next_fires: Sequence[LocalTime], *, has_timer: bool) -> Node:
    """Render the rule in words, and its next fires."""
    definition = schedule.definition
    last_run = schedule.last_run
    return h.section(".card", aria_label="Rule")[
        h.h2[text(describe_definition(definition) or "The rule cannot be read")],
        render_facts(
            [
                ("Rule", h.code[clean(definition.cron)]),
                ("Time zone", clean(definition.timezone)),
                ("Created", format_moment(schedule.created_at)),
                ("Changed by", text(describe_actor(schedule.changed_by))),
                ("Revision", str(schedule.revision)),
                ("Failures in a row", str(schedule.consecutive_failures)),
                (
                    "Last run",
                    f"{last_run.status}, {format_moment(last_run.started_at)}" if last_run else None,
                ),
                (
                    "Last success",
                    format_moment(schedule.last_success_at) if schedule.last_success_at else None,
                ),
            ]
        ),
        h.h3["Next fires" if has_timer else "Next fires, once it has a timer"],
        render_fires(next_fires, definition.timezone) if next_fires else h.p(".muted")["It will not fire."],
    ]


def render_history(
    install: Install, schedule: Schedule, runs: Sequence[Run] | AdminError, lane: Lane
) -> Node:
    """Render the newest runs: a strip of their durations, and a table."""
    path = schedule_path(install.id, schedule.id)
    heading = h.h2["History"]
    if isinstance(runs, AdminError):
        return h.section(".card")[heading, render_notice(str(runs), "error")]

    def link_run(time: str) -> str:
        return occurrence_link(install.id, schedule.id, time)

    marked = [(run, mark_from_run(run, lane.window.now, lane.timer.spread)) for run in runs]

    return h.section(".card", aria_label="History")[
        heading,
        render_strip(marked, lambda mark: link_run(mark.scheduled_time), format_moment)
        if runs
        else h.p(".muted")["It has not run yet."],
        render_data_table(
            ("@Time", "Outcome", "@Duration", "Answer"),
            (_build_run(run, mark, link_run(run.scheduled_time)) for run, mark in marked[:TABLE_RUNS]),
        )
        if runs
        else None,
        h.p[
            h.a(href=link(f"{path}/table", **window_parameters(lane.window)))[
                "All occurrences of the timeline"
            ]
        ],
        h.form(".form", action=f"{path}/at", method="get")[
            h.label[
                f"Explain a time, in {clean(usable_timezone(schedule))}",
                h.input(name="time", placeholder="2026-11-23T09:00", required=True, autocomplete="off"),
            ],
            h.div[h.button(".button", type="submit")["Explain"]],
        ],
    ]


def _build_run(run: Run, mark: Mark, url: str) -> Sequence[Node]:
    answer = [
        f"HTTP {run.http_status}" if run.http_status else None,
        h.span(".sub")[text(run.error[:_MAX_ERROR])] if run.error else None,
    ]
    return (
        [
            h.a(href=url)[format_moment(mark.moment)],
            h.span(".sub")[mark.origin] if mark.origin else None,
        ],
        [render_icon(mark.kind), " ", mark.kind.label],
        None if run.duration_ms is None else format_milliseconds(run.duration_ms),
        answer if any(answer) else None,
    )


def render_payload(schedule: Schedule) -> Node:
    """Render the payload, or the beginning of a long one."""
    payload = schedule.definition.payload
    if payload is None:
        return None
    note = (
        "" if len(payload) <= _MAX_PAYLOAD else f"The first {_MAX_PAYLOAD:,} of {len(payload):,} characters."
    )
    return h.section(".card", aria_label="Payload")[
        h.h2["Payload"],
        h.pre(".output")[clean(payload[:_MAX_PAYLOAD])],
        h.p(".muted")[note] if note else None,
    ]


def render_changes(changes: Sequence[KeptChange] | AdminError) -> Node:
    """Render who has changed what and when, the newest first."""
    heading = h.h2["Changes"]
    if isinstance(changes, AdminError):
        return h.section(".card")[heading, render_notice(str(changes), "error")]
    return h.section(".card", aria_label="Changes")[
        heading,
        render_data_table(
            ("@Time", "Event", "By", "Change"), map(_build_change, reversed(changes[-TABLE_RUNS:]))
        )
        if changes
        else h.p(".muted")["No change is known of the last 30 days."],
    ]


def _build_change(change: KeptChange) -> Sequence[Node]:
    lines = list(describe_change(change))
    return (
        format_moment(change.time),
        text(change.name),
        text(describe_actor(change.actor)),
        [h.span(".line")[text(each)] for each in lines] if lines else None,
    )


def render_edit(install: Install, schedule: Schedule) -> Node:
    """Render the form of an edit, which leads to its preview."""
    definition = schedule.definition
    values = (
        ("endpoint", "Endpoint", definition.endpoint),
        ("cron", "Rule (five fields, or at(…))", definition.cron),
        ("timezone", "Time zone", definition.timezone),
    )
    return h.section(".card", aria_label="Edit")[
        h.h2["Edit"],
        h.form(
            {
                "hx-get": f"{schedule_path(install.id, schedule.id, 'preview')}?part=1",
                "hx-target": "#preview",
                "hx-trigger": "submit, input delay:400ms",
                "hx-sync": "this:replace",
            },
            class_="form",
            action=schedule_path(install.id, schedule.id, "preview"),
            method="get",
        )[
            (
                h.label[
                    label,
                    h.input(name=name, value=value, required=True, autocomplete="off", spellcheck="false"),
                ]
                for name, label, value in values
            ),
            h.div[h.button(".button", type="submit")["Preview"]],
        ],
        h.div("#preview", aria_live="polite"),
    ]


def render_preview(preview: Preview, definition_text: str, save: Node) -> Node:
    """Render what an edit would result in, with the form that saves it if it is valid."""
    errors = {name: error for name, error in preview.field_errors.items() if name != "name"}
    return h.article(".preview")[
        (
            h.p(".notice.error")[h.strong[name], ": ", h.span(".field-error")[text(each)]]
            for name, each in errors.items()
        ),
        render_facts(
            [
                ("Now", clean(definition_text)),
                ("Then", clean(preview.description or "")),
                ("EventBridge", h.code[clean(preview.expression)] if preview.expression else None),
            ]
        ),
        render_fires(preview.fire_times[:5], preview.timezone)
        if preview.fire_times and preview.timezone
        else None,
        (
            h.p(".notice")[f"{format_wall_time(each.wall_time)} does not exist: clocks go forward past it."]
            for each in preview.skipped_times
        ),
        None if errors else save,
    ]
