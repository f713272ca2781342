"""Read the evidence of an occurrence."""

from dataclasses import replace
from datetime import timedelta

from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.deliveries.waiting import missed_after
from scheduling.domain.install import Install
from scheduling.domain.runs import Fire, Run, RunStatus, SkipReason, Trigger, format_manual_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.changes import list_changes

from scheduling_admin.explain.engine import explain_occurrence
from scheduling_admin.explain.evidence import Evidence, Verdict
from scheduling_admin.explain.history import may_be_dead_lettered
from scheduling_admin.health.queue import read_queue_state
from scheduling_admin.output.times import OccurrenceTime
from scheduling_admin.stack.session import AdminSession

_OVERLAP_SEARCH_LIMIT = 5
_MAX_CHANGES = 1_000


def gather_evidence(
    session: AdminSession, install: Install, schedule: Schedule, occurrence: OccurrenceTime
) -> Evidence:
    """Return what an explanation of the occurrence is based on.

    One BatchGetItem and one GetSchedule; where they can matter, also a Query of the changes, one of the history, the
    dead letters, and of an overdue occurrence the state of the queue.
    """
    run = None if occurrence.nonexistent else _read_run(session, schedule, occurrence)
    now = session.now
    reads_queue = may_be_dead_lettered(run) and occurrence.moment <= now
    evidence = Evidence(
        occurrence=occurrence,
        now=now,
        install=install,
        schedule=schedule,
        run=run,
        overlapping_run=_find_overlapping_run(session, schedule, run),
        timer=session.services.timers.get_timer(schedule.id),
        peek_result=session.dead_letter_queues.peek_messages() if reads_queue else None,
        changes=_read_changes(schedule, occurrence, run),
        limits=session.services.limits,
        log_group=f"/aws/lambda/{session.stack.name}-execute",
    )
    if _may_be_in_queue(evidence):
        return replace(evidence, queue=read_queue_state(session))
    return evidence


def _may_be_in_queue(evidence: Evidence) -> bool:
    """Return whether all that is known of the occurrence is that it may have been sent."""
    verdict = explain_occurrence(evidence).verdict
    if verdict is Verdict.UNKNOWN and evidence.occurrence.manual and not evidence.run:
        age = evidence.now - evidence.occurrence.moment
        return timedelta() <= age < missed_after(evidence.limits)
    return verdict is Verdict.OVERDUE


def _read_run(session: AdminSession, schedule: Schedule, occurrence: OccurrenceTime) -> Run | None:
    fire = Fire(
        install_id=schedule.install_id,
        schedule_id=schedule.id,
        timer_revision=0,
        scheduled_time=occurrence.scheduled_time,
        trigger=Trigger.MANUAL if occurrence.manual else Trigger.SCHEDULE,
    )
    return session.services.runs.read_run(fire)


def _find_overlapping_run(session: AdminSession, schedule: Schedule, run: Run | None) -> Run | None:
    """Return the run that a skipped one overlapped: the newest with an attempt that had started by then."""
    if run is None or run.skip_reason is not SkipReason.OVERLAP:
        return None
    started_before = format_manual_time(run.started_at)
    page = session.services.runs.read_run_page(
        schedule.install_id, schedule.id, before=started_before, limit=_OVERLAP_SEARCH_LIMIT
    )
    candidates = (
        other for other in page.runs if other.attempt and other.scheduled_time != run.scheduled_time
    )
    return next(candidates, None)


def _read_changes(schedule: Schedule, occurrence: OccurrenceTime, run: Run | None) -> tuple[KeptChange, ...]:
    """Return the changes, oldest first, if they matter; none if there are more than one read returns."""
    if occurrence.manual or (run and run.status not in (RunStatus.SKIPPED, RunStatus.MISSED)):
        return ()
    page = list_changes(schedule.install_id, schedule.id, limit=_MAX_CHANGES)
    reaches_back = page.next_before is None or page.changes[-1].time <= occurrence.moment
    return tuple(reversed(page.changes)) if reaches_back else ()
