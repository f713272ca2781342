"""What the history says of an occurrence, in sentences."""

from datetime import timedelta

from scheduling.domain.runs import MAX_ATTEMPTS, Run, RunStatus, Trigger

from scheduling_admin.explain.evidence import Explanation, Facts, Verdict
from scheduling_admin.output.times import instant, span_text

NEXT_ATTEMPT = timedelta(minutes=15)
"""How soon Lambda tries again, where runs do not wait for concurrency."""

REPLAY = "Once the cause is mended: scheduling-admin replay"


def explain_run(facts: Facts, run: Run) -> Explanation:
    """What became of an occurrence that the history has."""
    match run.status:
        case RunStatus.SUCCESS:
            answer = f"It ran, with success at attempt {run.attempt}."
            return Explanation(Verdict.RAN, answer, (*_by_hand(run), _took(facts, run)))
        case RunStatus.RUNNING:
            return _running(facts, run)
        case RunStatus.ERROR:
            return _failed(facts, run)
        case RunStatus.SKIPPED:
            answer = f"It was skipped: {_clause(run.error)}"
            return Explanation(Verdict.SKIPPED, answer, (*_by_hand(run), *_overlap(facts)))
    return _missed(facts, run)


def may_have_a_letter(run: Run | None) -> bool:
    """Whether an occurrence with that history, or none, may be in the dead-letter queue."""
    return run is None or run.retryable or run.status in (RunStatus.MISSED, RunStatus.RUNNING)


def _running(facts: Facts, run: Run) -> Explanation:
    if not run.dead(facts.now):
        answer = f"It is running: attempt {run.attempt} began {span_text(facts.now - run.started_at)} ago."
        return Explanation(Verdict.RUNNING, answer, _by_hand(run))
    answer = f"It began and never ended: the function that ran it died during attempt {run.attempt}."
    rest = (
        f"It began {instant(run.started_at)}; whether the extension did its work is not known.",
        "Lambda may try it again within minutes; the daily sweep closes what stays open.",
    )
    return Explanation(Verdict.DIED, answer, (*_by_hand(run), *rest, *letter_sentences(facts)), advice(facts))


def _failed(facts: Facts, run: Run) -> Explanation:
    told = (*_by_hand(run), _took(facts, run), f"The error: {run.error or 'none was told'}")
    if not run.retryable:
        answer = f"It failed at attempt {run.attempt}, and is not tried again."
        why = (
            "An answer of 4xx is the extension's own."
            if _is_own(run)
            else "Another attempt would fail the same way."
        )
        return Explanation(Verdict.FAILED, answer, (*told, why))
    if run.attempt < MAX_ATTEMPTS and facts.now - run.started_at < NEXT_ATTEMPT:
        answer = f"Attempt {run.attempt} of {MAX_ATTEMPTS} failed; the next one is to come."
        return Explanation(
            Verdict.RETRYING, answer, (*told, "Lambda tries again after one minute, then after two.")
        )
    answer = f"It failed for good, at attempt {run.attempt}."
    if run.attempt < MAX_ATTEMPTS:
        answer = f"It failed at attempt {run.attempt} of {MAX_ATTEMPTS}, and no further one came."
    return Explanation(Verdict.FAILED, answer, (*told, *letter_sentences(facts)), advice(facts))


def _missed(facts: Facts, run: Run) -> Explanation:
    answer = "It was missed: EventBridge did not deliver it."
    found = (
        f"The sweep found that {instant(run.started_at)}. Should it be delivered after all, it is still run."
    )
    return Explanation(Verdict.MISSED, answer, (found, *letter_sentences(facts)), advice(facts))


def letter_sentences(facts: Facts) -> tuple[str, ...]:
    """What the dead-letter queue says of the occurrence."""
    if facts.look is None:
        return ()
    if facts.letters:
        letter = facts.letters[0]
        since = f"It has been in the dead-letter queue since {instant(letter.sent_at)}"
        return (f"{since}: {letter.reason}" if letter.reason else f"{since}.",)
    if not facts.look.all_seen:
        return (f"It is not among the first {len(facts.look.letters)} letters of the dead-letter queue.",)
    return ("It is not in the dead-letter queue.",)


def advice(facts: Facts) -> tuple[str, ...]:
    """What to do about a letter, where there is one."""
    return (REPLAY,) if facts.letters else ()


def _overlap(facts: Facts) -> tuple[str, ...]:
    other = facts.under_way
    if other is None:
        return ()
    length = "and has not ended" if other.duration_ms is None else f"and took {_milliseconds(other)}"
    return (f"That of {other.scheduled_time} was under way: it began {instant(other.started_at)} {length}.",)


def _by_hand(run: Run) -> tuple[str, ...]:
    return ("It was run by hand.",) if run.trigger is Trigger.MANUAL else ()


def _took(facts: Facts, run: Run) -> str:
    delay = max(run.started_at - facts.asked.moment, timedelta())
    begun = f"Attempt {run.attempt} began {instant(run.started_at)}, {span_text(delay)} after its time,"
    took = f"took {_milliseconds(run)}" if run.duration_ms is not None else "and its length is not known"
    if run.http_status is None:
        return f"{begun} {took}, and there was no answer of the extension."
    return f"{begun} {took}, and was answered {run.http_status}."


def _milliseconds(run: Run) -> str:
    return f"{run.duration_ms} ms"


def _is_own(run: Run) -> bool:
    return run.http_status is not None and 400 <= run.http_status < 500


def _clause(text: str | None) -> str:
    told = text or "no reason was told"
    return f"{told[:1].lower()}{told[1:]}."
