"""The health of a stack as JSON, and as one screen of 80 columns in ASCII."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from rich.console import RenderableType
from scheduling.domain.audit.finds import ScheduleFind
from scheduling.domain.install import SCHEDULER_MANAGE
from scheduling.domain.runs import format_time
from scheduling.operations.installs.unhealthy import Stopped

from scheduling_admin.health.model import (
    DeadLetterSummary,
    FailingSchedule,
    Listed,
    PendingSummary,
    QueueDepth,
    QueueState,
    StackHealth,
    StackMetrics,
    SweepSummary,
)
from scheduling_admin.output.finds import find_fields, list_difference_lines
from scheduling_admin.output.tables import create_fields_table, render_item, render_sentence
from scheduling_admin.output.times import format_duration

_ItemT = TypeVar("_ItemT")
_MAX_REASONS = 5
_MAX_REASON_LENGTH = 160
_UNKNOWN = "unknown"
ONLY_BY_SWEEP = "Timers that others have changed or deleted are found by the sweep alone."


def health_fields(health: StackHealth) -> dict[str, object]:
    """Return the JSON document of the command `status` (docs/operations.md)."""
    return {
        "stack": health.stack_name,
        "region": health.region,
        "checkedAt": format_time(health.checked_at),
        "ok": not health.problems,
        "problems": [
            {"code": each.code, "text": each.text, "advice": each.advice} for each in health.problems
        ],
        "metrics": _metrics_fields(health.metrics) if health.metrics else None,
        "deadLetters": {
            "count": health.dead_letters.count,
            "complete": health.dead_letters.complete,
            "reasons": [
                {
                    "reason": group.reason,
                    "count": group.count,
                    "oldestSentAt": format_time(group.oldest_sent_at),
                }
                for group in health.dead_letters.groups
            ],
        },
        "pending": {
            "count": health.pending.count,
            "complete": health.pending.complete,
            "oldest": health.pending.oldest,
            "oldestSince": _format_optional(health.pending.oldest_since),
        },
        "queue": _depth_fields(health.queue),
        "sweep": _sweep_fields(health.sweep) if health.sweep else None,
        "failing": _listed_fields(health.failing, _failing_fields),
        "pausedTenants": _listed_fields(health.paused_tenants, _stopped_fields),
        "disabledInstalls": _listed_fields(health.disabled_installs, _stopped_fields),
        "notGrantedInstalls": _listed_fields(health.ungranted_installs, _stopped_fields),
        "unpublished": health.unpublished,
    }


def _metrics_fields(metrics: StackMetrics) -> dict[str, object]:
    return {
        "runnerResponses": dict(metrics.responses),
        "finished": metrics.finished,
        "failed": metrics.failed,
        "waiting": dict(metrics.waiting),
        "maxLatenessSeconds": _seconds(metrics.max_lateness),
        "oldestMessageSeconds": _seconds(metrics.oldest_message_age),
        "reconciledAt": _format_optional(metrics.reconciled_at),
    }


def _sweep_fields(sweep: SweepSummary) -> dict[str, object]:
    return {
        "startedAt": _format_optional(sweep.started_at),
        "running": sweep.running,
        "nextAt": format_time(sweep.next_at),
        "finds": dict(sweep.finds),
        "schedules": _listed_fields(
            sweep.schedules, lambda each: find_fields(each.find, each.install, each.schedule)
        ),
    }


def _listed_fields(
    listed: Listed[_ItemT], convert_item: Callable[[_ItemT], dict[str, object]]
) -> dict[str, object]:
    return {"complete": listed.complete, "items": [convert_item(each) for each in listed.items]}


def _failing_fields(schedule: FailingSchedule) -> dict[str, object]:
    return {
        "scheduleId": schedule.schedule_id,
        "name": schedule.name,
        "installId": schedule.install_id,
        "tenantId": schedule.tenant_id,
        "since": _format_optional(schedule.since),
        "waiting": schedule.waiting,
        "consecutiveFailures": schedule.failures,
        "error": schedule.error,
    }


def _stopped_fields(stopped: Stopped) -> dict[str, object]:
    return {"id": stopped.id, "since": _format_optional(stopped.since)}


def queue_fields(queue: QueueState) -> dict[str, object]:
    """Return the queue as the JSON document of the command `explain` has it."""
    return {**_depth_fields(queue.depth), "oldestMessageSeconds": _seconds(queue.oldest_message_age)}


def _depth_fields(depth: QueueDepth) -> dict[str, object]:
    return {"ready": depth.ready, "running": depth.running, "delayed": depth.delayed}


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else round(duration.total_seconds())


def _format_optional(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)


def render_health(health: StackHealth) -> list[RenderableType]:
    """Render the health, then what is wrong."""
    now = health.checked_at
    age = health.metrics.oldest_message_age if health.metrics else None
    title = f"{health.stack_name} in {health.region}, {format_time(now)}"
    rows = {
        "Runner": _describe_responses(health.metrics),
        "Occurrences": _describe_occurrences(health.metrics),
        "Waiting": _describe_counts(health.metrics.waiting) if health.metrics else _UNKNOWN,
        "Queue": describe_queue(QueueState(health.queue, age)),
        "Dead_letters": "\n".join(_describe_dead_letters(health.dead_letters, now)),
        "Pending_changes": _describe_pending(health.pending, now),
        "Failing": "\n".join(_describe_failing(health.failing, now)),
        "Last_sweep": "\n".join(_describe_sweep(health.sweep, now)),
        "Paused_tenants": "\n".join(_describe_stopped(health.paused_tenants, now)),
        "Disabled_installs": "\n".join(_describe_stopped(health.disabled_installs, now)),
        "Not_granted": "\n".join(_describe_ungranted(health.ungranted_installs, now)),
        "Unpublished": f"{health.unpublished} batches of changes" if health.unpublished else "none",
    }
    return [
        render_sentence(title, "bold"),
        render_sentence("Runner, occurrences and waiting are those of the last 60 minutes.\n", "dim"),
        create_fields_table(**rows),
        *_render_problems(health),
    ]


def _render_problems(health: StackHealth) -> Iterator[RenderableType]:
    if not health.problems:
        yield render_sentence("\nNothing is wrong.", "green")
        yield render_sentence(ONLY_BY_SWEEP, "dim")
        return
    yield render_sentence("\nWrong:", "bold red")
    for each in health.problems:
        yield render_item(each.text, "red")
        yield render_sentence(each.advice, indent=2)


def _describe_responses(metrics: StackMetrics | None) -> str:
    if metrics is None:
        return _UNKNOWN
    return _describe_counts(metrics.responses, nothing="no responses")


def _describe_counts(counts: Mapping[str, int], nothing: str = "none") -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.items()) or nothing


def _describe_occurrences(metrics: StackMetrics | None) -> str:
    if metrics is None:
        return _UNKNOWN
    text = f"{metrics.finished} ended, {metrics.failed} of them failed for good"
    if metrics.max_lateness is None:
        return text
    return f"{text}; at most {format_duration(max(metrics.max_lateness, timedelta()))} late"


def describe_queue(queue: QueueState) -> str:
    """Describe the depth of the queue, and its age if that is known."""
    depth, age = queue.depth, queue.oldest_message_age
    text = f"{depth.ready} ready, {depth.running} running, {depth.delayed} delayed"
    return text if age is None else f"{text}; the oldest {format_duration(age)} old"


def _describe_dead_letters(letters: DeadLetterSummary, now: datetime) -> Sequence[str]:
    if not letters.count:
        return ["none"]
    lines = [f"{letters.count}{'' if letters.complete else ' or more'}"]
    for group in letters.groups[:_MAX_REASONS]:
        reason = group.reason
        if len(reason) > _MAX_REASON_LENGTH:
            reason = f"{reason[:_MAX_REASON_LENGTH]}..."
        lines.append(f"{group.count}, the first {_describe_ago(group.oldest_sent_at, now)}: {reason}")
    rest = letters.groups[_MAX_REASONS:]
    if rest:
        lines.append(f"{sum(group.count for group in rest)} for {len(rest)} other reasons")
    return lines


def _describe_failing(failing: Listed[FailingSchedule], now: datetime) -> Sequence[str]:
    def describe(schedule: FailingSchedule) -> str:
        failed = f"{schedule.failures} in a row" if schedule.failures else "failed"
        state = "waits" if schedule.waiting else failed
        name = f"{schedule.name or schedule.schedule_id} of {schedule.install_id}"
        return f"{name}: {state}, {_describe_span(schedule.since, now)}"

    return _describe_listed(failing, describe)


def _describe_stopped(stopped: Listed[Stopped], now: datetime) -> Sequence[str]:
    return _describe_listed(stopped, lambda each: f"{each.id}, {_describe_span(each.since, now)}")


def _describe_ungranted(ungranted: Listed[Stopped], now: datetime) -> Sequence[str]:
    def describe(install: Stopped) -> str:
        return f"{install.id}: {SCHEDULER_MANAGE}, {_describe_span(install.since, now)}"

    return _describe_listed(ungranted, describe)


def _describe_listed(listed: Listed[_ItemT], describe_item: Callable[[_ItemT], str]) -> Sequence[str]:
    """Return a line for each of the first items, and one that counts the others."""
    lines = [describe_item(each) for each in listed.items[:_MAX_REASONS]]
    rest = len(listed.items) - len(lines)
    if rest:
        lines.append(f"{'at least ' if not listed.complete else ''}{rest} more")
    return lines or ["none" if listed.complete else "none among those read"]


def _describe_span(since: datetime | None, now: datetime) -> str:
    return f"for {format_duration(max(now - since, timedelta()))}" if since else "for an unknown time"


def _describe_pending(pending: PendingSummary, now: datetime) -> str:
    if not pending.count:
        return "none"
    count = f"{pending.count}{'' if pending.complete else ' or more'}"
    return f"{count}; the oldest {_describe_span(pending.oldest_since, now)}: {pending.oldest}"


def _describe_sweep(sweep: SweepSummary | None, now: datetime) -> Iterator[str]:
    if sweep is None:
        yield "none yet: the reconciler has never run"
        return
    if sweep.started_at is None:
        yield f"none yet; the first one at {format_time(sweep.next_at)}"
        return
    state = "running since" if sweep.running else "started"
    finds = _describe_counts(sweep.finds, nothing="nothing")
    yield f"{state} {format_time(sweep.started_at)} ({_describe_ago(sweep.started_at, now)}); found {finds}"
    if sweep.schedules.items:
        yield from _describe_listed(sweep.schedules, _describe_find)


def _describe_find(each: ScheduleFind) -> str:
    name = f"{each.schedule.definition.name or each.schedule.id} of {each.install.id}"
    return f"{name}: {', '.join(list_difference_lines(each.find.differences))}"


def _describe_ago(moment: datetime, now: datetime) -> str:
    return f"{format_duration(max(now - moment, timedelta()))} ago"
