"""Schedules, timers and runs as Rich renderables."""

from collections.abc import Sequence

from rich.console import RenderableType
from scheduling.domain.errors import UnreadableItem
from scheduling.domain.runs import Run, format_time
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import TimerSnapshot
from scheduling.domain.views import format_creation_time, format_timestamp

from scheduling_admin.output.fields import ScheduleView, describe_definition
from scheduling_admin.output.tables import Listing, create_fields_table, render_sentence
from scheduling_admin.output.times import (
    format_local_and_utc,
    format_local_time,
    format_milliseconds,
)
from scheduling_admin.status import describe_timeouts

_MAX_PAYLOAD_LENGTH = 400


def build_schedules_table(views: Sequence[ScheduleView]) -> Listing:
    """Build a table of schedules."""
    columns = ("Schedule", "Rule", "Fires", "Next, local", "Next, UTC")
    return Listing(columns, [_build_schedule_row(each) for each in views])


def _build_schedule_row(view: ScheduleView) -> tuple[str, ...]:
    definition = view.schedule.definition
    return (
        _join_lines(definition.name, view.schedule.id, definition.endpoint),
        f"{definition.cron}\n{definition.timezone}",
        "\n".join(format_status(view.status.blockers)),
        "\n".join(format_local_time(time.utc, definition.timezone) for time in view.next_fires),
        "\n".join(format_time(time.utc) for time in view.next_fires),
    )


def format_status(blockers: Sequence[str]) -> tuple[str, ...]:
    """Return `yes`, or `no` followed by the blockers."""
    return ("no", *blockers) if blockers else ("yes",)


def render_definition(view: ScheduleView) -> list[RenderableType]:
    """Render one schedule's definition and state."""
    schedule, definition = view.schedule, view.schedule.definition
    payload = definition.payload or ""
    if len(payload) > _MAX_PAYLOAD_LENGTH:
        payload = f"{payload[:_MAX_PAYLOAD_LENGTH]}… ({len(payload)} characters; --json prints all of them)"
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
    columns = ("Scheduled time, request id", "Status", "Attempt", "Started at, duration", "HTTP", "Error")
    return Listing(columns, [_build_run_row(run) for run in runs])


def _build_run_row(run: Run) -> tuple[object, ...]:
    duration = None if run.duration_ms is None else format_milliseconds(run.duration_ms)
    return (
        _join_lines(run.scheduled_time, run.request_id),
        run.status.value,
        run.attempt,
        _join_lines(format_timestamp(run.started_at), duration),
        run.http_status,
        run.detail or run.error,
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
