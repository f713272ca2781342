"""The dead letters of the command `replay`, in groups of the same schedule and reason."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from scheduling.domain.runs import Fire, Run, RunStatus
from scheduling.domain.views import format_timestamp

from scheduling_admin.output.ids import MIN_LENGTH
from scheduling_admin.output.layout import Column
from scheduling_admin.output.tables import Listing, render_sentence
from scheduling_admin.stack.dead_letters import DeadLetter

_MAX_BODY_LENGTH = 300
_GROUP_COLUMNS = (
    Column("Count", whole=True),
    Column("Schedule", min_width=8),
    Column("Install", min_width=8, drop=1),
    Column("Scheduled time", whole=True),
    Column("Sent at", whole=True, drop=2),
    Column("Reason", min_width=12),
)
_OUTCOME_COLUMNS = (
    Column("Count", whole=True),
    Column("Schedule", min_width=8),
    Column("Install", min_width=8, drop=1),
    Column("Scheduled time", whole=True),
    Column("Outcome", min_width=8),
    Column("Error", min_width=12),
)


def dead_letter_fields(dead_letter: DeadLetter) -> dict[str, object]:
    """Return the fields of a dead letter in a document."""
    fire = dead_letter.fire
    return {
        "messageId": dead_letter.message_id,
        "sentAt": format_timestamp(dead_letter.sent_at),
        "installId": fire.install_id if fire else None,
        "scheduleId": fire.schedule_id if fire else None,
        "scheduledTime": fire.scheduled_time if fire else None,
        "reason": dead_letter.reason,
        "problem": dead_letter.problem,
        "body": dead_letter.body if dead_letter.problem else None,
    }


def outcome_fields(fire: Fire, run: Run | None) -> dict[str, object]:
    """Return the outcome of a replayed occurrence in a document; without a run, it has not ended."""
    return {
        "installId": fire.install_id,
        "scheduleId": fire.schedule_id,
        "scheduledTime": fire.scheduled_time,
        "status": run.status.value if run else None,
        "error": run.error if run else None,
    }


def build_dead_letters_table(dead_letters: Sequence[DeadLetter]) -> Listing:
    """Build the table of dead letters: a row for those of one schedule with the same reason, the most first."""
    groups: dict[object, list[DeadLetter]] = {}
    for each in dead_letters:
        fire = each.fire
        key = (fire.install_id, fire.schedule_id, each.reason) if fire else (each.reason,)
        groups.setdefault(key, []).append(each)
    rows = [_build_group_row(group) for group in sorted(groups.values(), key=len, reverse=True)]
    return Listing(_GROUP_COLUMNS, rows)


def render_problems(problems: Sequence[DeadLetter]) -> Iterator[RenderableType]:
    """Yield the ids and bodies of dead letters that name no occurrence, and why they do not."""
    for each in problems:
        yield render_sentence(f"{each.message_id}: {each.problem}", indent=2)
        yield render_sentence(each.body[:_MAX_BODY_LENGTH], "dim", indent=4)


def render_outcomes(outcomes: Mapping[Fire, Run | None]) -> list[RenderableType]:
    """Render how replayed occurrences have ended; those that have not succeeded are in a table."""
    groups: dict[object, list[Fire]] = {}
    for fire, run in outcomes.items():
        if run is None or run.status is not RunStatus.SUCCESS:
            key = (fire.install_id, fire.schedule_id, run and run.status, run and run.error)
            groups.setdefault(key, []).append(fire)
    others = sum(map(len, groups.values()))
    text = f"{len(outcomes) - others} of {len(outcomes)} replayed occurrences succeeded."
    if not groups:
        return [render_sentence(text, "green")]
    rows = [_build_outcome_row(fires, outcomes[fires[0]]) for fires in groups.values()]
    return [Listing(_OUTCOME_COLUMNS, rows), render_sentence(f"\n{text}", "yellow")]


def format_dead_letter_count(count: int) -> str:
    """Return the count with its noun."""
    return f"{count} dead letter{'' if count == 1 else 's'}"


def _build_group_row(group: Sequence[DeadLetter]) -> tuple[object, ...]:
    fire, reason = group[0].fire, group[0].reason
    sent_at = _format_range([str(format_timestamp(each.sent_at)) for each in group])
    if fire is None:
        return len(group), "(none named)", None, None, sent_at, reason
    times = _format_range([each.fire.scheduled_time for each in group if each.fire])
    return len(group), fire.schedule_id[-MIN_LENGTH:], fire.install_id, times, sent_at, reason


def _build_outcome_row(fires: Sequence[Fire], run: Run | None) -> tuple[object, ...]:
    times = _format_range([each.scheduled_time for each in fires])
    outcome = run.status.value if run else "not ended yet"
    error = run.error if run else None
    return len(fires), fires[0].schedule_id[-MIN_LENGTH:], fires[0].install_id, times, outcome, error


def _format_range(times: Sequence[str]) -> str:
    """Return the first and the last time, in lines of their own."""
    return "\n".join(dict.fromkeys((min(times), max(times))))
