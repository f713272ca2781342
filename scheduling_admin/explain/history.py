"""What the history says of an occurrence, in sentences."""

from datetime import timedelta

from scheduling.domain.runs import MAX_ATTEMPTS, Run, RunStatus, Trigger

from scheduling_admin.explain.evidence import Evidence, Explanation, Verdict
from scheduling_admin.output.times import format_duration, format_instant

RETRY_WINDOW = timedelta(minutes=15)
"""How soon Lambda tries again, where runs do not wait for concurrency."""

REPLAY_ADVICE = "Once the cause is mended: scheduling-admin replay"


def explain_run(evidence: Evidence, run: Run) -> Explanation:
    """What became of an occurrence that the history has."""
    match run.status:
        case RunStatus.SUCCESS:
            summary = f"It ran, with success at attempt {run.attempt}."
            return Explanation(
                Verdict.SUCCEEDED, summary, (*_describe_trigger(run), _describe_attempt(evidence, run))
            )
        case RunStatus.RUNNING:
            return _explain_running(evidence, run)
        case RunStatus.ERROR:
            return _explain_failed(evidence, run)
        case RunStatus.SKIPPED:
            summary = f"It was skipped: {_format_clause(run.error)}"
            return Explanation(
                Verdict.SKIPPED, summary, (*_describe_trigger(run), *_describe_overlap(evidence))
            )
    return _explain_missed(evidence, run)


def may_be_dead_lettered(run: Run | None) -> bool:
    """Whether an occurrence with that history, or none, may be in the dead-letter queue."""
    return run is None or run.retryable or run.status in (RunStatus.MISSED, RunStatus.RUNNING)


def _explain_running(evidence: Evidence, run: Run) -> Explanation:
    if not run.lease_expired(evidence.now):
        summary = f"It is running: attempt {run.attempt} began {format_duration(evidence.now - run.started_at)} ago."
        return Explanation(Verdict.RUNNING, summary, _describe_trigger(run))
    summary = f"It began and never ended: the function that ran it died during attempt {run.attempt}."
    reasons = (
        f"It began {format_instant(run.started_at)}; whether the extension did its work is not known.",
        "Lambda may try it again within minutes; the daily sweep closes what stays open.",
    )
    return Explanation(
        Verdict.CRASHED,
        summary,
        (*_describe_trigger(run), *reasons, *describe_dead_letters(evidence)),
        get_replay_advice(evidence),
    )


def _explain_failed(evidence: Evidence, run: Run) -> Explanation:
    reasons = (
        *_describe_trigger(run),
        _describe_attempt(evidence, run),
        f"The error: {run.error or 'none was told'}",
    )
    if not run.retryable:
        summary = f"It failed at attempt {run.attempt}, and is not tried again."
        reason = (
            "An answer of 4xx is the extension's own."
            if _is_extension_response(run)
            else "Another attempt would fail the same way."
        )
        return Explanation(Verdict.FAILED, summary, (*reasons, reason))
    if run.attempt < MAX_ATTEMPTS and evidence.now - run.started_at < RETRY_WINDOW:
        summary = f"Attempt {run.attempt} of {MAX_ATTEMPTS} failed; the next one is to come."
        return Explanation(
            Verdict.RETRYING, summary, (*reasons, "Lambda tries again after one minute, then after two.")
        )
    summary = f"It failed for good, at attempt {run.attempt}."
    if run.attempt < MAX_ATTEMPTS:
        summary = f"It failed at attempt {run.attempt} of {MAX_ATTEMPTS}, and no further one came."
    return Explanation(
        Verdict.FAILED, summary, (*reasons, *describe_dead_letters(evidence)), get_replay_advice(evidence)
    )


def _explain_missed(evidence: Evidence, run: Run) -> Explanation:
    summary = "It was missed: EventBridge did not deliver it."
    reason = f"The sweep found that {format_instant(run.started_at)}. Should it be delivered after all, it is still run."
    return Explanation(
        Verdict.MISSED, summary, (reason, *describe_dead_letters(evidence)), get_replay_advice(evidence)
    )


def describe_dead_letters(evidence: Evidence) -> tuple[str, ...]:
    """What the dead-letter queue says of the occurrence."""
    if evidence.peek_result is None:
        return ()
    if evidence.dead_letters:
        dead_letter = evidence.dead_letters[0]
        queued_since = f"It has been in the dead-letter queue since {format_instant(dead_letter.sent_at)}"
        return (f"{queued_since}: {dead_letter.reason}" if dead_letter.reason else f"{queued_since}.",)
    if not evidence.peek_result.reached_end:
        return (
            f"It is not among the first {len(evidence.peek_result.dead_letters)} letters of the dead-letter queue.",
        )
    return ("It is not in the dead-letter queue.",)


def get_replay_advice(evidence: Evidence) -> tuple[str, ...]:
    """What to do about a letter, where there is one."""
    return (REPLAY_ADVICE,) if evidence.dead_letters else ()


def _describe_overlap(evidence: Evidence) -> tuple[str, ...]:
    overlapping_run = evidence.overlapping_run
    if overlapping_run is None:
        return ()
    duration_text = (
        "and has not ended"
        if overlapping_run.duration_ms is None
        else f"and took {_format_duration_ms(overlapping_run)}"
    )
    return (
        f"That of {overlapping_run.scheduled_time} was under way: it began {format_instant(overlapping_run.started_at)} {duration_text}.",
    )


def _describe_trigger(run: Run) -> tuple[str, ...]:
    return ("It was run by hand.",) if run.trigger is Trigger.MANUAL else ()


def _describe_attempt(evidence: Evidence, run: Run) -> str:
    delay = max(run.started_at - evidence.occurrence.moment, timedelta())
    start_text = f"Attempt {run.attempt} began {format_instant(run.started_at)}, {format_duration(delay)} after its time,"
    duration_text = (
        f"took {_format_duration_ms(run)}" if run.duration_ms is not None else "and its length is not known"
    )
    if run.http_status is None:
        return f"{start_text} {duration_text}, and there was no answer of the extension."
    return f"{start_text} {duration_text}, and was answered {run.http_status}."


def _format_duration_ms(run: Run) -> str:
    return f"{run.duration_ms} ms"


def _is_extension_response(run: Run) -> bool:
    return run.http_status is not None and 400 <= run.http_status < 500


def _format_clause(text: str | None) -> str:
    clause = text or "no reason was told"
    return f"{clause[:1].lower()}{clause[1:]}."
