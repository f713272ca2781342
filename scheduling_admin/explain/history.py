"""Explain an occurrence that the history has, and describe its dead letters."""

from datetime import timedelta

from scheduling.domain.audit.finds import TimerFind
from scheduling.domain.runs import MAX_ATTEMPTS, Run, RunStatus, SkipReason, Trigger
from scheduling.domain.views import format_timestamp

from scheduling_admin.explain.changes import describe_inactive_periods
from scheduling_admin.explain.evidence import Evidence, Explanation, Verdict
from scheduling_admin.explain.finds import describe_next_find, find_next_find
from scheduling_admin.explain.queue import advise_on_queue, describe_next_delivery, is_delivery_late
from scheduling_admin.output.times import format_duration, format_local_and_utc, format_milliseconds
from scheduling_admin.status import OVERLOAD_ADVICE, evaluate_firing_status, timed_out

RETRY_WINDOW = timedelta(minutes=15)
"""The time within which the next attempt follows, unless the queue has a backlog."""

REPLAY_ADVICE = "Once the cause is fixed: scheduling-admin replay"


def explain_run(evidence: Evidence, run: Run) -> Explanation:
    """Explain an occurrence by its run."""
    if run.unreadable:
        summary = "The history has the occurrence, but its row cannot be read."
        return Explanation(Verdict.UNKNOWN, summary, (f"{run.unreadable}.",))
    match run.status:
        case RunStatus.SUCCESS:
            summary = f"It succeeded at attempt {run.attempt}."
            return Explanation(
                Verdict.SUCCEEDED,
                summary,
                (
                    *_describe_trigger(run),
                    _describe_attempt(evidence, run),
                    *_describe_request(evidence, run),
                ),
            )
        case RunStatus.RUNNING:
            return _explain_running(evidence, run)
        case RunStatus.WAITING:
            return _explain_waiting(evidence, run)
        case RunStatus.ERROR:
            return _explain_failed(evidence, run)
        case RunStatus.SKIPPED:
            summary = f"It was skipped: {_format_clause(run.error)}"
            reasons = (
                *_describe_trigger(run),
                *_describe_overlap(evidence),
                *_describe_inactivity(evidence, run),
            )
            return Explanation(Verdict.SKIPPED, summary, reasons)
    return _explain_missed(evidence, run)


def may_be_dead_lettered(run: Run | None) -> bool:
    """Return whether an occurrence with this run, or without any, may be in the dead-letter queue."""
    if run is None or run.retryable or run.wait_token:
        return True
    return run.status in (RunStatus.MISSED, RunStatus.RUNNING)


def _explain_running(evidence: Evidence, run: Run) -> Explanation:
    if not run.is_lease_expired(evidence.now):
        running_for = format_duration(evidence.now - run.started_at)
        summary = f"It is running: attempt {run.attempt} started {running_for} ago."
        return Explanation(
            Verdict.RUNNING, summary, (*_describe_trigger(run), *_describe_request(evidence, run))
        )
    summary = f"It started but never ended: the function died during attempt {run.attempt}."
    reasons = (
        f"It started at {format_timestamp(run.started_at)}; whether the extension completed its work is unknown.",
        "The queue delivers it again within minutes; the daily sweep closes runs that never end.",
    )
    return Explanation(
        Verdict.CRASHED,
        summary,
        (
            *_describe_trigger(run),
            *reasons,
            *_describe_request(evidence, run),
            *describe_dead_letters(evidence),
        ),
        get_replay_advice(evidence),
    )


def _explain_waiting(evidence: Evidence, run: Run) -> Explanation:
    turn = "its turn in the backfill" if run.trigger is Trigger.BACKFILL else None
    summary = (
        f"It is waiting: {_format_clause(run.error or turn or 'another run of its schedule was under way')}"
    )
    blockers = evaluate_firing_status(evidence.install, evidence.schedule).blockers
    reason = (
        f"It is skipped when it is tried again: {'; '.join(blockers)}."
        if blockers
        else "That is no attempt. It waits for up to MaxWaitHours, and is a dead letter then."
    )
    return Explanation(
        Verdict.WAITING,
        summary,
        (
            *_describe_trigger(run),
            reason,
            *describe_next_delivery(evidence, run),
            *_describe_request(evidence, run),
            *describe_dead_letters(evidence),
        ),
        (*get_replay_advice(evidence), *advise_on_queue(evidence.queue)),
    )


def _explain_failed(evidence: Evidence, run: Run) -> Explanation:
    reasons = (
        *_describe_trigger(run),
        _describe_attempt(evidence, run),
        *_describe_request(evidence, run),
        f"Error: {run.detail or run.error or 'none was recorded'}",
    )
    overload_advice = (OVERLOAD_ADVICE,) if timed_out(run) else ()
    if not (run.retryable or run.wait_token):
        summary = f"It failed at attempt {run.attempt} and is not retried."
        reason = (
            "A 4xx status is the extension's own response, which is final."
            if _is_extension_response(run)
            else "Another attempt would fail the same way."
        )
        return Explanation(Verdict.FAILED, summary, (*reasons, reason))
    if not run.failed_permanently and evidence.now - run.started_at < RETRY_WINDOW:
        summary = f"Attempt {run.attempt} of {MAX_ATTEMPTS} failed; the next attempt follows."
        reasons = (*reasons, *describe_next_delivery(evidence, run))
        return Explanation(
            Verdict.RETRYING, summary, reasons, (*overload_advice, *advise_on_queue(evidence.queue))
        )
    summary = f"It failed permanently at attempt {run.attempt}."
    if run.attempt < MAX_ATTEMPTS:
        summary = f"It failed at attempt {run.attempt} of {MAX_ATTEMPTS}, and no further attempt was made."
        if is_delivery_late(run, evidence.now):
            reasons = (*reasons, *describe_next_delivery(evidence, run))
    advice = (*overload_advice, *get_replay_advice(evidence), *advise_on_queue(evidence.queue))
    return Explanation(Verdict.FAILED, summary, (*reasons, *describe_dead_letters(evidence)), advice)


def _explain_missed(evidence: Evidence, run: Run) -> Explanation:
    summary = "It was missed: EventBridge did not deliver it."
    recorded_at = format_timestamp(run.started_at)
    find = find_next_find(evidence)
    cause = None if find else describe_missing_timer(evidence)
    reasons = (
        f"The sweep recorded this at {recorded_at}. "
        + ("It cannot come any more." if cause else "If the occurrence is delivered later, it still runs."),
        *([cause] if cause else ()),
        *(_describe_timer_check(evidence, find) if find else ()),
        *describe_inactive_periods(evidence, evidence.occurrence.moment),
        *describe_dead_letters(evidence),
    )
    return Explanation(Verdict.MISSED, summary, reasons, get_replay_advice(evidence))


def _describe_timer_check(evidence: Evidence, find: TimerFind) -> tuple[str, ...]:
    time = format_local_and_utc(find.time, evidence.timezone)
    return (f"The sweep checked its timer next on {time}.", *describe_next_find(evidence, find))


def describe_missing_timer(evidence: Evidence) -> str | None:
    """Return since when the timer exists, if it did not at the time of the occurrence, which then cannot come."""
    created_at = evidence.timer.created_at if evidence.timer else None
    if created_at is None or not evidence.occurrence.moment < created_at <= evidence.now:
        return None
    if evidence.has_later_delivery:
        return None
    since = format_local_and_utc(created_at, evidence.timezone)
    return f"EventBridge has its timer since {since} only: the one before was deleted, or never created."


def describe_dead_letters(evidence: Evidence) -> tuple[str, ...]:
    """Describe the occurrence's dead letter, or its absence."""
    if evidence.peek_result is None:
        return ()
    if evidence.dead_letters:
        dead_letter = evidence.dead_letters[0]
        queued_since = f"It has been in the dead-letter queue since {format_timestamp(dead_letter.sent_at)}"
        return (f"{queued_since}: {dead_letter.reason}" if dead_letter.reason else f"{queued_since}.",)
    if not evidence.peek_result.reached_end:
        return (
            f"It is not among the first {len(evidence.peek_result.messages)} dead letters; the queue has more.",
        )
    return ("It is not in the dead-letter queue.",)


def get_replay_advice(evidence: Evidence) -> tuple[str, ...]:
    """Advise a replay if the occurrence has a dead letter."""
    return (REPLAY_ADVICE,) if evidence.dead_letters else ()


def _describe_overlap(evidence: Evidence) -> tuple[str, ...]:
    overlapping_run = evidence.overlapping_run
    if overlapping_run is None:
        return ()
    started_at, duration_ms = format_timestamp(overlapping_run.started_at), overlapping_run.duration_ms
    duration_text = "has not ended" if duration_ms is None else f"took {format_milliseconds(duration_ms)}"
    return (
        f"The run of {overlapping_run.scheduled_time} was running: it started at {started_at} and {duration_text}.",
    )


def _describe_inactivity(evidence: Evidence, run: Run) -> tuple[str, ...]:
    """Describe what kept the schedule from firing when the occurrence was skipped, if that is why."""
    if run.skip_reason not in (SkipReason.DISABLED, SkipReason.CAPABILITY_REVOKED):
        return ()
    return describe_inactive_periods(evidence, run.started_at)


def _describe_trigger(run: Run) -> tuple[str, ...]:
    match run.trigger:
        case Trigger.MANUAL:
            return ("It was a manual run.",)
        case Trigger.BACKFILL:
            return ("A backfill ran it.",) if run.was_attempted else ("It is part of a backfill.",)
    return ()


def _describe_attempt(evidence: Evidence, run: Run) -> str:
    delay = max(run.started_at - evidence.occurrence.moment, timedelta())
    parts = [
        f"Attempt {run.attempt} started at {format_timestamp(run.started_at)}",
        f"{format_duration(delay)} after the scheduled time{_describe_spread(evidence)}",
        "its duration is unknown"
        if run.duration_ms is None
        else f"took {format_milliseconds(run.duration_ms)}",
    ]
    return f"{', '.join(parts)}, and {_describe_response(run)}."


def _describe_spread(evidence: Evidence) -> str:
    """Describe the window that the schedule has now, which may explain the delay of a scheduled run."""
    if not evidence.spread or evidence.occurrence.manual:
        return ""
    return f" (it may start within {format_duration(evidence.spread)})"


def _describe_response(run: Run) -> str:
    if run.http_status is not None:
        return f"got status {run.http_status} from the extension"
    if run.runner_status is not None:
        return f"got status {run.runner_status} from the runner"
    if timed_out(run):
        return "got no answer from the runner in time"
    if run.runner_error is not None:
        return f"got the error {run.runner_error} from the runner"
    return "got no response from the extension"


def _describe_request(evidence: Evidence, run: Run) -> tuple[str, ...]:
    if run.request_id is None:
        return ()
    return (f"The request id is {run.request_id}: search the log group {evidence.log_group} for it.",)


def _is_extension_response(run: Run) -> bool:
    return run.http_status is not None and 400 <= run.http_status < 500


def _format_clause(text: str | None) -> str:
    clause = text or "no reason was recorded"
    return f"{clause[:1].lower()}{clause[1:]}."
