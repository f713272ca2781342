"""Schedules, timers and runs for people."""

from collections.abc import Sequence

from rich.console import RenderableType
from scheduling.domain.runs import Run, format_time
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import TimerSnapshot

from scheduling_admin.output.fields import ScheduleView
from scheduling_admin.output.tables import Listing, create_fields_table, render_sentence
from scheduling_admin.output.times import format_instant, format_local_and_utc, format_local_time

_MAX_PAYLOAD_LENGTH = 400


def build_schedules_table(views: Sequence[ScheduleView]) -> Listing:
    """Schedules of one install."""
    columns = ("Schedule", "Rule", "Fires", "Next, local", "Next, UTC")
    return Listing(columns, [_build_schedule_row(each) for each in views])


def _build_schedule_row(view: ScheduleView) -> tuple[str, ...]:
    definition = view.schedule.definition
    return (
        "\n".join(filter(None, (definition.name, view.schedule.id, definition.endpoint))),
        f"{definition.cron}\n{definition.timezone}",
        "\n".join(("no", *view.status.blockers)) if view.status.blockers else "yes",
        "\n".join(format_local_time(moment, definition.timezone) for moment in view.next_fires),
        "\n".join(format_time(moment) for moment in view.next_fires),
    )


def render_definition(view: ScheduleView) -> list[RenderableType]:
    """One schedule's definition and state."""
    schedule, definition = view.schedule, view.schedule.definition
    payload = definition.payload or ""
    if len(payload) > _MAX_PAYLOAD_LENGTH:
        payload = f"{payload[:_MAX_PAYLOAD_LENGTH]}… ({len(payload)} characters; --json has all of it)"
    return [
        create_fields_table(
            Schedule=schedule.id,
            Name=definition.name,
            Install=f"{view.install.id} of tenant {view.install.tenant_id}",
            Endpoint=definition.endpoint,
            Rule=f"{definition.cron} in {definition.timezone}",
            Payload=payload,
            Fires="; ".join(("no", *view.status.blockers)) if view.status.blockers else "yes",
            Next="\n".join(format_local_and_utc(moment, definition.timezone) for moment in view.next_fires),
            Created=format_instant(schedule.created_at),
            Revision=_format_revision(schedule),
            Changed_by=schedule.changed_by,
        )
    ]


def _format_revision(schedule: Schedule) -> str:
    since_text = f", since {format_instant(schedule.timer_since)}" if schedule.timer_since else ""
    return f"{schedule.revision}, of its timer {schedule.timer_revision}{since_text}"


def render_timer(
    timer: TimerSnapshot | None, schedule: Schedule, timer_differences: Sequence[str]
) -> list[RenderableType]:
    """What stands in EventBridge, and whether that is as the row says."""
    renderables = [render_sentence("\nTimer in EventBridge", "bold")]
    if timer:
        renderables.append(
            create_fields_table(Expression=timer.expression, Timezone=timer.timezone, Revision=timer.revision)
        )
    if not timer_differences:
        renderables.append(
            render_sentence("It is as the row says." if timer else "None stands, as the row says.", "green")
        )
    renderables += [render_sentence(text, "red") for text in timer_differences]
    if schedule.pending_since:
        pending_note = f"The row has been pending since {format_instant(schedule.pending_since)}: the reconciler is to finish it."
        renderables.append(render_sentence(pending_note, "yellow"))
    return list(renderables)


def render_history(runs: Sequence[Run]) -> list[RenderableType]:
    """The newest runs."""
    heading = render_sentence("\nHistory", "bold")
    return [heading, build_runs_table(runs) if runs else render_sentence("It has none.")]


def build_runs_table(runs: Sequence[Run]) -> Listing:
    """Runs, each with what became of it."""
    columns = ("Scheduled time", "Status", "Attempt", "Started at", "Duration", "HTTP", "Error")
    rows = [
        (
            run.scheduled_time,
            run.status.value,
            run.attempt,
            format_instant(run.started_at),
            None if run.duration_ms is None else f"{run.duration_ms} ms",
            run.http_status,
            run.error,
        )
        for run in runs
    ]
    return Listing(columns, rows)
