"""Schedules, timers and runs for people."""

from collections.abc import Sequence

from rich.console import RenderableType
from scheduling.domain.runs import Run, time_text
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import Timer

from scheduling_admin.output.fields import Seen
from scheduling_admin.output.tables import Listing, fields, sentence
from scheduling_admin.output.times import both_text, instant, local_text

_LONGEST_PAYLOAD = 400


def schedules_table(seen: Sequence[Seen]) -> Listing:
    """Schedules of one install."""
    columns = ("Schedule", "Rule", "Fires", "Next, local", "Next, UTC")
    return Listing(columns, [_row(each) for each in seen])


def _row(seen: Seen) -> tuple[str, ...]:
    definition = seen.schedule.definition
    return (
        "\n".join(filter(None, (definition.name, seen.schedule.id, definition.endpoint))),
        f"{definition.cron}\n{definition.timezone}",
        "\n".join(("no", *seen.standing.against)) if seen.standing.against else "yes",
        "\n".join(local_text(moment, definition.timezone) for moment in seen.fires),
        "\n".join(time_text(moment) for moment in seen.fires),
    )


def definition_shown(seen: Seen) -> list[RenderableType]:
    """One schedule's definition and state."""
    schedule, definition = seen.schedule, seen.schedule.definition
    payload = definition.payload or ""
    if len(payload) > _LONGEST_PAYLOAD:
        payload = f"{payload[:_LONGEST_PAYLOAD]}… ({len(payload)} characters; --json has all of it)"
    return [
        fields(
            Schedule=schedule.id,
            Name=definition.name,
            Install=f"{seen.install.id} of tenant {seen.install.tenant_id}",
            Endpoint=definition.endpoint,
            Rule=f"{definition.cron} in {definition.timezone}",
            Payload=payload,
            Fires="; ".join(("no", *seen.standing.against)) if seen.standing.against else "yes",
            Next="\n".join(both_text(moment, definition.timezone) for moment in seen.fires),
            Created=instant(schedule.created_at),
            Revision=_revision(schedule),
            Changed_by=schedule.changed_by,
        )
    ]


def _revision(schedule: Schedule) -> str:
    since = f", since {instant(schedule.timer_since)}" if schedule.timer_since else ""
    return f"{schedule.revision}, of its timer {schedule.timer_revision}{since}"


def timer_shown(timer: Timer | None, row: Schedule, differing: Sequence[str]) -> list[RenderableType]:
    """What stands in EventBridge, and whether that is as the row says."""
    found = [sentence("\nTimer in EventBridge", "bold")]
    if timer:
        found.append(fields(Expression=timer.expression, Zone=timer.timezone, Revision=timer.revision))
    if not differing:
        found.append(
            sentence("It is as the row says." if timer else "None stands, as the row says.", "green")
        )
    found += [sentence(text, "red") for text in differing]
    if row.pending_since:
        told = f"The row has been pending since {instant(row.pending_since)}: the reconciler is to finish it."
        found.append(sentence(told, "yellow"))
    return list(found)


def history_shown(runs: Sequence[Run]) -> list[RenderableType]:
    """The newest runs."""
    heading = sentence("\nHistory", "bold")
    return [heading, runs_table(runs) if runs else sentence("It has none.")]


def runs_table(runs: Sequence[Run]) -> Listing:
    """Runs, each with what became of it."""
    columns = ("Scheduled time", "Status", "Attempt", "Began", "Took", "HTTP", "Error")
    rows = [
        (
            run.scheduled_time,
            run.status.value,
            run.attempt,
            instant(run.started_at),
            None if run.duration_ms is None else f"{run.duration_ms} ms",
            run.http_status,
            run.error,
        )
        for run in runs
    ]
    return Listing(columns, rows)
