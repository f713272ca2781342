"""What is wrong with a stack, the most urgent first, with the command that helps."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from scheduling.domain.deliveries.responses import ResponseKind, classify_response

from scheduling_admin.health.model import Problem, StackHealth, StackMetrics
from scheduling_admin.output.times import format_duration

MAX_LATENESS = timedelta(minutes=30)
MAX_PENDING_AGE = timedelta(minutes=10)
MAX_MESSAGE_AGE = timedelta(minutes=30)
"""From these on, the alarms fire too."""

MAX_SWEEP_DURATION = timedelta(hours=24)
MAX_SILENCE = timedelta(minutes=15)
"""How long the reconciler, which runs each minute, may say nothing."""

FAILED_SHARE, MIN_FAILED = 0.25, 5
"""The share of failed occurrences from which on it is not only some extension's, and how many there must be."""

HARMFUL_FINDS = ("missed", "lost message", "expired run", "unreadable")
"""What the sweep finds that it cannot put right: an occurrence was lost, or something cannot be read."""

QUEUE_ADVICE = "Is OccurrenceMapping enabled, and may the function `execute` run?"
"""Where nobody takes messages from the queue of occurrences."""

_RESPONSE_PROBLEMS = {
    ResponseKind.REFUSED: (
        "runner-refuses",
        "The runner refused {}.",
        "Check its URL, the service token and its version; then `replay`.",
    ),
    ResponseKind.TIMED_OUT: (
        "runner-overloaded",
        "The runner did not respond to {} in time.",
        "Lower MaximumConcurrency to its cores x RunnerOverheadSeconds / 20.",
    ),
    ResponseKind.FAILED: (
        "runner-fails",
        "The runner could not execute {}.",
        "See the runner's log, and `schedule` of a schedule that failed.",
    ),
}


def find_problems(health: StackHealth) -> Sequence[Problem]:
    """Return what is wrong, the most urgent first."""
    problems: list[Problem] = []
    if health.metrics is None:
        text = f"The metrics cannot be read: {health.metrics_problem}"
        problems.append(Problem("metrics-unread", text, "An operator needs cloudwatch:GetMetricData."))
    else:
        problems += _find_metric_problems(health.metrics)
    problems += _find_queue_problems(health)
    problems += _find_reconciler_problems(health)
    problems += _find_failing_schedules(health)
    return problems


def _find_metric_problems(metrics: StackMetrics) -> Iterator[Problem]:
    yield from _find_response_problems(metrics)
    if metrics.failed >= MIN_FAILED and metrics.failed > FAILED_SHARE * metrics.finished:
        text = f"{metrics.failed} of {metrics.finished} occurrences failed for good."
        yield Problem(
            "failing", text, "`replay --dry-run` lists their reasons; `schedule` the responses of one."
        )
    if metrics.max_lateness and metrics.max_lateness > MAX_LATENESS:
        text = f"Occurrences are late, by up to {format_duration(metrics.max_lateness)}."
        yield Problem("late", text, "Give the runner more capacity, then raise MaximumConcurrency.")
    if metrics.oldest_message_age and metrics.oldest_message_age > MAX_MESSAGE_AGE:
        text = f"A message has been in the queue for {format_duration(metrics.oldest_message_age)}."
        yield Problem("queue-stuck", text, QUEUE_ADVICE)


def _find_response_problems(metrics: StackMetrics) -> Iterator[Problem]:
    by_kind: dict[ResponseKind, Counter[str]] = {}
    for code, count in metrics.responses.items():
        by_kind.setdefault(classify_response(code), Counter())[code] += count
    for kind, (problem_code, text, advice) in _RESPONSE_PROBLEMS.items():
        if counts := by_kind.get(kind):
            yield Problem(problem_code, text.format(_format_attempts(counts)), advice)
    if (busy := by_kind.get(ResponseKind.BUSY)) and ResponseKind.SERVED not in by_kind:
        text = f"The runner is down or has no capacity: {_format_attempts(busy)}."
        yield Problem("runner-down", text, "Start the runner. Occurrences wait, nothing is lost.")


def _format_attempts(counts: Counter[str]) -> str:
    total = counts.total()
    codes = ", ".join(f"{code}: {count}" for code, count in sorted(counts.items()))
    return f"{total} attempt{'' if total == 1 else 's'} ({codes})"


def _find_queue_problems(health: StackHealth) -> Iterator[Problem]:
    letters = health.dead_letters
    if letters.count:
        more = "" if letters.complete else "more than "
        noun = "dead letter" if letters.count == 1 else "dead letters"
        text = f"There {'is' if letters.count == 1 else 'are'} {more}{letters.count} {noun}."
        yield Problem("dead-letters", text, "Repair the cause, then `replay`; `replay --dry-run` lists them.")
    if health.metrics is None and health.queue.is_untouched:
        text = f"No message of the queue is being run, but {health.queue.ready} could be."
        yield Problem("queue-stuck", text, QUEUE_ADVICE)
    if health.unpublished:
        one = health.unpublished == 1
        text = f"{health.unpublished} {'batch of changes is' if one else 'batches of changes are'} not published."
        yield Problem("unpublished", text, "Repair the cause, then `republish`, within 18 hours.")


def _find_reconciler_problems(health: StackHealth) -> Iterator[Problem]:
    pending, now, sweep = health.pending, health.checked_at, health.sweep
    if pending.count and (pending.oldest_since is None or now - pending.oldest_since > MAX_PENDING_AGE):
        age = (
            "an unknown time" if pending.oldest_since is None else format_duration(now - pending.oldest_since)
        )
        text = f"A change has been pending for {age}: {pending.oldest}."
        yield Problem("pending", text, "`reconcile` applies it, or shows what prevents it.")
    if sweep is None:
        return
    if health.metrics and _is_silent(health.metrics, health):
        text = f"The reconciler has not reported for {format_duration(MAX_SILENCE)}."
        yield Problem(
            "reconciler-silent", text, "See the log of the function `reconcile`. Is its rule enabled?"
        )
    if sweep.running and sweep.started_at and now - sweep.started_at > MAX_SWEEP_DURATION:
        text = f"The sweep has been running for {format_duration(now - sweep.started_at)}."
        yield Problem("sweep-slow", text, "See the log of `reconcile`.")
    if not sweep.running and now - sweep.next_at > MAX_SILENCE:
        text = f"The next sweep is overdue by {format_duration(now - sweep.next_at)}."
        yield Problem("sweep-overdue", text, "See the log of `reconcile`; `reconcile --sweep` sweeps now.")
    harmful = {kind: sweep.finds[kind] for kind in HARMFUL_FINDS if kind in sweep.finds}
    if harmful:
        finds = ", ".join(f"{kind}: {count}" for kind, count in harmful.items())
        yield Problem("sweep-found", f"The last sweep found {finds}.", "`reconcile --sweep` names each item.")


def _find_failing_schedules(health: StackHealth) -> Iterator[Problem]:
    count = sum(not each.waiting for each in health.failing.items)
    if count:
        more = "" if health.failing.complete else "or more "
        text = f"{count} {more}schedule{' fails' if count == 1 and not more else 's fail'}."
        yield Problem("schedules-fail", text, "`schedules --failing` lists them, `schedule` has the errors.")


def _is_silent(metrics: StackMetrics, health: StackHealth) -> bool:
    return metrics.reconciled_at is None or health.checked_at - metrics.reconciled_at > MAX_SILENCE
