"""The pages of one schedule and of its occurrences."""

import htpy as h
from scheduling.domain.deliveries.firing import as_read
from scheduling.domain.rules import ScheduleFields, ScheduleInput
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.preview import preview_schedule
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from scheduling_admin.commands.explain import explain
from scheduling_admin.commands.schedules import find_schedule
from scheduling_admin.console.actions.catalog import ACTIONS
from scheduling_admin.console.actions.routes import EDIT_FIELDS, render_hidden_fields
from scheduling_admin.console.actions.targets import Target
from scheduling_admin.console.links import install_link, link, schedule_path, tenant_link, window_parameters
from scheduling_admin.console.pages.lanes import (
    render_controls,
    render_lane_row,
    render_timeline,
    schedule_label,
)
from scheduling_admin.console.pages.layout import clean, text
from scheduling_admin.console.pages.occurrence import OccurrenceTimes, render_occurrence
from scheduling_admin.console.pages.schedule import (
    render_changes,
    render_edit,
    render_heading,
    render_history,
    render_payload,
    render_preview,
    render_rule,
)
from scheduling_admin.console.pages.table import render_table
from scheduling_admin.console.reads import SchedulePage, attempt, read_changes, read_lane, read_run_state
from scheduling_admin.console.requests import parse_ids, read_window
from scheduling_admin.console.server import Console
from scheduling_admin.console.svg.strip import MAX_BARS
from scheduling_admin.console.times import format_moment, format_occurrence, localize
from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.explain.evidence import usable_timezone
from scheduling_admin.output.fields import describe_definition
from scheduling_admin.output.times import OccurrenceTime, format_wall_time, parse_occurrence_time
from scheduling_admin.queries.views import list_next_fires
from scheduling_admin.status import evaluate_firing_status

NEXT_FIRES = 10


def show_lane(console: Console, request: Request) -> Response:
    """Return the lane of one schedule, as a part of a page; if it cannot be read, why."""
    install_id, schedule_id = parse_ids(request)
    window = read_window(console, request)
    lane = attempt(lambda: read_lane(console.session, install_id, schedule_id, window))
    if isinstance(lane, AdminError):
        error = h.p(".lane-error", title=clean(lane))[text(lane)]
        target = {"hx-retarget": f"#lane-{schedule_id} .lane-body", "hx-reswap": "innerHTML"}
        return HTMLResponse(str(error), headers=target)
    return HTMLResponse(str(h.fragment[render_lane_row(lane)]))


def show_table(console: Console, request: Request) -> Response:
    """Show the lane of one schedule as a table."""
    install_id, schedule_id = parse_ids(request)
    window = read_window(console, request)
    lane = read_lane(console.session, install_id, schedule_id, window)
    label = schedule_label(lane.schedule)
    path = schedule_path(install_id, schedule_id)
    return console.page(
        request,
        f"{label}, occurrences",
        h.header(".subject")[h.h1[text(label)]],
        render_controls(window, f"{path}/table", {}),
        render_table(lane),
        crumbs=[(install_id, install_link(install_id)), (label, link(path, **window_parameters(window)))],
    )


def show_occurrence(console: Console, request: Request) -> Response:
    """Show what `explain` says of an occurrence; with the `state` of its run, only if that has changed since."""
    install_id, schedule_id = parse_ids(request)
    time, parameters = request.path_params["time"], request.query_params
    install, schedule = find_schedule(console.session, install_id, schedule_id)
    occurrence = _parse_time(time, schedule)
    live = parameters.get("live")
    state = read_run_state(console.session, schedule, occurrence) if live else None
    if state is not None and state == parameters.get("state"):
        return Response(status_code=204)
    report = explain(console.session, install_id, schedule_id, time)
    content = render_occurrence(
        install,
        as_read(schedule, install, console.session.now),
        report.document,
        _list_times(occurrence, usable_timezone(schedule)),
        read_only=console.read_only,
        state=state,
        is_replayed=live == "replay",
    )
    label = schedule_label(schedule)
    crumbs = [(install_id, install_link(install_id)), (label, schedule_path(install_id, schedule_id))]
    return console.page(request, f"{label}, {clean(time)}", content, crumbs=crumbs)


def _parse_time(time: str, schedule: Schedule) -> OccurrenceTime:
    try:
        return parse_occurrence_time(time, usable_timezone(schedule))
    except ValueError as error:
        raise AdminError(str(error), ExitStatus.USAGE) from error


def _list_times(occurrence: OccurrenceTime, timezone: str) -> OccurrenceTimes:
    if occurrence.nonexistent:
        return OccurrenceTimes(
            f"{format_wall_time(occurrence.wall_time)}, {timezone}", "it does not exist", None
        )
    local, viewer = format_occurrence(occurrence.moment, timezone), format_moment(occurrence.moment)
    is_same = localize(occurrence.moment).replace(tzinfo=None) == occurrence.wall_time
    viewer = f"{viewer} your time"
    return OccurrenceTimes(local, occurrence.scheduled_time, None if is_same else viewer)


def go_to_occurrence(console: Console, request: Request) -> Response:
    """Lead to the occurrence at the time that a form names."""
    install_id, schedule_id = parse_ids(request)
    time = request.query_params.get("time", "")
    _, schedule = find_schedule(console.session, install_id, schedule_id)
    occurrence = _parse_time(time, schedule)
    target = time if occurrence.nonexistent else occurrence.scheduled_time
    return RedirectResponse(schedule_path(install_id, schedule_id, f"at/{target}"), 303)


def show_schedule(console: Console, request: Request) -> Response:
    """Show a schedule: its timeline, rule, history, payload, and the form of an edit."""
    install_id, schedule_id = parse_ids(request)
    session, window = console.session, read_window(console, request)
    lane = read_lane(session, install_id, schedule_id, window)
    install, schedule = lane.install, lane.schedule
    fires = evaluate_firing_status(install, schedule).fires
    next_fires = list_next_fires(schedule.definition, window.now, NEXT_FIRES) if fires else []
    runs = attempt(
        lambda: session.services.runs.read_run_page(install_id, schedule_id, before=None, limit=MAX_BARS).runs
    )
    changes = attempt(lambda: read_changes(install_id, schedule_id))
    page = SchedulePage([(install, schedule)], None)
    path = schedule_path(install_id, schedule_id)
    return console.page(
        request,
        schedule_label(schedule),
        render_heading(install, schedule, lane, read_only=console.read_only),
        render_timeline(page, window, path, {}, {schedule_id: lane}),
        h.div(".columns")[
            h.div[
                render_rule(schedule, next_fires, has_timer=not lane.timer.missing),
                render_payload(schedule),
                None if console.read_only else render_edit(install, schedule),
            ],
            h.div[render_history(install, schedule, runs, lane), render_changes(changes)],
        ],
        crumbs=[
            (install.tenant_id, tenant_link(install.tenant_id)),
            (install.extension_name or install_id, install_link(install_id)),
        ],
    )


def show_preview(console: Console, request: Request) -> Response:
    """Show what an edit would result in; nothing is written."""
    install_id, schedule_id = parse_ids(request)
    _, schedule = find_schedule(console.session, install_id, schedule_id)
    fields = ScheduleFields(
        **{name: request.query_params.get(name, "").strip() for name in EDIT_FIELDS}  # type: ignore[typeddict-item]
    )
    preview = preview_schedule(console.session.services, install_id, ScheduleInput(fields))
    target = Target(install=install_id, schedule=schedule_id, fields=fields, revision=schedule.revision)
    save = h.form(action="/actions/edit", method="post")[
        render_hidden_fields(target),
        h.div(".actions")[h.button(".button.primary", type="submit")[ACTIONS["edit"].label]],
    ]
    description = describe_definition(schedule.definition) or schedule.definition.cron
    content = render_preview(preview, description, None if console.read_only else save)
    label = schedule_label(schedule)
    crumbs = [(install_id, install_link(install_id)), (label, schedule_path(install_id, schedule_id))]
    return console.page(request, f"{label}, preview", content, crumbs=crumbs)


_SCHEDULE = "/installs/{install}/schedules/{schedule}"
ROUTES = [
    ("GET", _SCHEDULE, show_schedule),
    ("GET", f"{_SCHEDULE}/lane", show_lane),
    ("GET", f"{_SCHEDULE}/table", show_table),
    ("GET", f"{_SCHEDULE}/preview", show_preview),
    ("GET", f"{_SCHEDULE}/at", go_to_occurrence),
    ("GET", f"{_SCHEDULE}/at/{{time}}", show_occurrence),
]
