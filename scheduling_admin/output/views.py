"""Schedules, timers and runs as Rich renderables."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import RenderableType
from scheduling.domain.errors import UnreadableItem
from scheduling.domain.install import Install
from scheduling.domain.runs import Run, format_time
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import SweepState, TimerSnapshot
from scheduling.domain.views import format_creation_time, format_timestamp

from scheduling_admin.output.fields import describe_definition
from scheduling_admin.output.ids import shorten_ids
from scheduling_admin.output.layout import Column
from scheduling_admin.output.tables import Listing, create_fields_table, render_sentence
from scheduling_admin.output.times import (
    format_duration,
    format_local_and_utc,
    format_local_time,
    format_milliseconds,
)
from scheduling_admin.queries.views import InstallView, ScheduleView
from scheduling_admin.status import describe_timeouts

_MAX_PAYLOAD_LENGTH = 400
_MAX_ERROR_LENGTH = 120


def build_schedules_table(views: Sequence[ScheduleView]) -> Listing:
    """Build a table of schedules; with the last errors rather than the rules in words, if some fail."""
    short_ids = shorten_ids(view.schedule.id for view in views)
    shows_errors = any(view.failing for view in views)
    columns = (
        Column("Schedule", min_width=14),
        Column("Rule", whole=True),
        Column("Last error" if shows_errors else "In words", min_width=16, drop=1),
        Column("Fires", min_width=14),
        Column("Last run, next fire", whole=True),
        Column("Next, local", whole=True, drop=2),
    )
    rows = [_build_schedule_row(each, short_ids[each.schedule.id], shows_errors) for each in views]
    return Listing(columns, rows)


def _build_schedule_row(view: ScheduleView, short_id: str, shows_errors: bool) -> tuple[str | None, ...]:
    definition, last_run = view.schedule.definition, view.schedule.last_run
    error = last_run.error if last_run and view.failing else None
    return (
        _join_lines(definition.name, short_id, definition.endpoint),
        f"{definition.cron}\n{definition.timezone}",
        _shorten(error) if shows_errors else describe_definition(definition),
        "\n".join(format_status(view.status.blockers)),
        _join_lines(*_describe_runs(view)),
        "\n".join(format_local_time(time.utc, definition.timezone) for time in view.next_fires),
    )


def _describe_runs(view: ScheduleView) -> Iterator[str]:
    """Yield the last run, since when it has failed, and the next fires; each time in a line of its own."""
    schedule = view.schedule
    if schedule.last_run:
        failures = schedule.consecutive_failures
        yield f"{schedule.last_run.status}, {failures} in a row" if failures else schedule.last_run.status
        yield format_time(schedule.last_run.started_at)
    if view.waiting:
        yield "an occurrence waits"
    if (view.failing or view.waiting) and schedule.unhealthy_since:
        yield f"since\n{format_time(schedule.unhealthy_since)}"
    if view.next_fires:
        yield "next"
    yield from (format_time(time.utc) for time in view.next_fires)


def _shorten(text: str | None) -> str | None:
    if text is None or len(text) <= _MAX_ERROR_LENGTH:
        return text
    return f"{text[: _MAX_ERROR_LENGTH - 3]}..."


def build_installs_table(views: Sequence[InstallView]) -> Listing:
    """Build a table of installs."""
    columns = (
        Column("Install, tenant", whole=True),
        Column("Extension", min_width=12),
        Column("Registry, version", min_width=16, drop=2),
        Column("Fires", min_width=14),
        Column("Schedules", drop=1),
        Column("Last run, next fire", whole=True, drop=3),
    )
    return Listing(columns, list(map(_build_install_row, views)))


def _build_install_row(view: InstallView) -> tuple[object, ...]:
    install = view.install
    extension = install.extension_name and f"{install.extension_name} {install.extension_version}"
    return (
        f"{install.id}\n{install.tenant_id}",
        extension,
        f"{install.registry_id}\n{install.version_id}",
        "\n".join(_format_install_status(view)),
        install.schedule_count,
        _join_lines(*_describe_install_runs(view)),
    )


def _format_install_status(view: InstallView) -> tuple[str, ...]:
    """Return `yes`, or `no` or how many of its schedules fire, followed by the reasons."""
    if view.blockers or not view.firing_count:
        return ("no", *view.reasons)
    return ("yes",) if view.fires else (f"{view.firing_count} of {len(view.expected)}", *view.reasons)


def _describe_install_runs(view: InstallView) -> Iterator[str]:
    if view.last_run_at:
        yield f"last\n{format_time(view.last_run_at)}"
    if view.failing_count:
        yield f"{view.failing_count} of {len(view.schedules)} failing"
    if view.consecutive_failures:
        yield f"{view.consecutive_failures} in a row"
    if view.next_fire_at and not view.blockers:
        yield f"next\n{view.next_fire_at}"


def format_status(blockers: Sequence[str]) -> tuple[str, ...]:
    """Return `yes`, or `no` followed by the blockers."""
    return ("no", *blockers) if blockers else ("yes",)


def render_definition(view: ScheduleView) -> list[RenderableType]:
    """Render one schedule's definition and state."""
    schedule, definition = view.schedule, view.schedule.definition
    payload = definition.payload or ""
    if len(payload) > _MAX_PAYLOAD_LENGTH:
        payload = f"{payload[:_MAX_PAYLOAD_LENGTH]}... ({len(payload)} characters; --json prints all of them)"
    return [
        create_fields_table(
            Schedule=schedule.id,
            Name=definition.name,
            Install=f"{view.install.id} of tenant {view.install.tenant_id}",
            Endpoint=definition.endpoint,
            Rule=_join_lines(f"{definition.cron} in {definition.timezone}", describe_definition(definition)),
            Payload=payload,
            Fires="; ".join(format_status(view.status.blockers)),
            Next="\n".join(format_local_and_utc(time.utc, definition.timezone) for time in view.next_fires),
            Created=format_creation_time(schedule),
            Revision=_format_revision(schedule),
            Changed_by=schedule.changed_by,
        )
    ]


def _format_revision(schedule: Schedule) -> str:
    since_text = f" since {format_timestamp(schedule.timer_since)}" if schedule.timer_since else ""
    return f"{schedule.revision}, timer revision {schedule.timer_revision}{since_text}"


def render_timer(
    timer: TimerSnapshot | None, schedule: Schedule, timer_differences: Sequence[str]
) -> list[RenderableType]:
    """Render the timer in EventBridge and whether it is in sync with the schedule."""
    renderables = [render_sentence("\nTimer in EventBridge", "bold")]
    if timer:
        renderables.append(
            create_fields_table(
                Expression=timer.expression,
                Timezone=timer.timezone,
                Window=f"{timer.spread_minutes} minutes" if timer.spread_minutes else None,
                Revision=timer.timer_revision,
            )
        )
    if schedule.unreadable:
        text = "The schedule cannot be read, so its timer is left as it is until the schedule is corrected or deleted."
        renderables.append(render_sentence(text, "yellow"))
    elif not timer_differences:
        in_sync = "The timer is in sync." if timer else "There is no timer, and the schedule needs none."
        renderables.append(render_sentence(in_sync, "green"))
    renderables += [render_sentence(text, "red") for text in timer_differences]
    if schedule.pending_since:
        since = format_timestamp(schedule.pending_since)
        pending_note = f"A change has been pending since {since}; the reconciler applies it to EventBridge."
        renderables.append(render_sentence(pending_note, "yellow"))
    return list(renderables)


def render_history(runs: Sequence[Run]) -> list[RenderableType]:
    """Render the newest runs."""
    heading = render_sentence("\nHistory", "bold")
    if not runs:
        return [heading, render_sentence("The history is empty.")]
    timeouts = describe_timeouts(runs)
    return [heading, build_runs_table(runs), *([render_sentence(timeouts, "yellow")] if timeouts else ())]


def build_runs_table(runs: Sequence[Run]) -> Listing:
    """Build a table of runs and their results."""
    columns = (
        Column("Scheduled time, result", whole=True),
        Column("Started at, duration", whole=True),
        Column("Error", min_width=20),
        Column("Request id", whole=True, drop=1),
    )
    return Listing(columns, [_build_run_row(run) for run in runs])


def _build_run_row(run: Run) -> tuple[object, ...]:
    duration = None if run.duration_ms is None else format_milliseconds(run.duration_ms)
    result = f"{run.status.value} {run.http_status}" if run.http_status else run.status.value
    return (
        _join_lines(run.scheduled_time, f"{result}, attempt {run.attempt}" if run.attempt else result),
        _join_lines(format_timestamp(run.started_at), duration),
        run.detail or run.error,
        run.request_id,
    )


def _join_lines(*lines: str | None) -> str:
    return "\n".join(filter(None, lines))


def left_out_fields(items: Sequence[UnreadableItem]) -> dict[str, object]:
    """Return the JSON member with the items that a list leaves out because they cannot be read, if there are any."""
    fields = [{"kind": item.kind, "id": item.id, "reason": item.reason} for item in items]
    return {"leftOut": fields} if fields else {}


def render_left_out(items: Sequence[UnreadableItem]) -> list[RenderableType]:
    """Render what a list leaves out because it cannot be read, one line for each."""
    return [render_sentence(f"Left out: {item}.", "red") for item in items]


def render_next_page_hint(next_cursor: str | None) -> list[RenderableType]:
    """Render how to list the next page, if there is one."""
    return [render_sentence(f"\nThere are more: --cursor {next_cursor}")] if next_cursor else []


def render_sweep(sweep: SweepState | None, now: datetime) -> list[RenderableType]:
    """Render what a list over all tenants cannot have: what the sweep finds, and how long ago it last did."""
    text = "Timers that others have changed or deleted are found and repaired by the sweep alone. "
    if sweep is None or sweep.started_at is None:
        return [render_sentence(f"\n{text}There was none yet: scheduling-admin reconcile --sweep", "dim")]
    repairs = ", ".join(f"{count} x {kind}" for kind, count in sorted(sweep.repairs.items()) if count)
    state = "is under way" if sweep.phase else "has ended"
    age = format_duration(now - sweep.started_at)
    text += f"The last one began {age} ago, at {format_time(sweep.started_at)}, and {state}. "
    return [render_sentence(f"\n{text}It repaired: {repairs or 'nothing'}.", "dim")]


def describe_install(install: Install) -> str:
    """Return the install, its tenant, and its extension if that is known."""
    extension = f", {install.extension_name} {install.extension_version}" if install.extension_name else ""
    return f"Install {install.id} of tenant {install.tenant_id}{extension}"
