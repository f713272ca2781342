"""Read the evidence of an occurrence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.audit.finds import find_from_change
from scheduling.domain.deliveries.waiting import missed_after
from scheduling.domain.install import Install
from scheduling.domain.runs import Fire, Run, RunStatus, SkipReason, Trigger, format_manual_time, format_time
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import TimerSnapshot
from scheduling.operations.installs.changes import list_changes

from scheduling_admin.explain.engine import explain_occurrence
from scheduling_admin.explain.evidence import Evidence, Verdict
from scheduling_admin.explain.history import may_be_dead_lettered
from scheduling_admin.explain.queue import is_delivery_late
from scheduling_admin.health.queue import read_queue_state
from scheduling_admin.output.times import OccurrenceTime
from scheduling_admin.stack.session import AdminSession

_OVERLAP_SEARCH_LIMIT = 5
_MAX_CHANGES = 1_000
_DELIVERY_SEARCH_LIMIT = 50


def gather_evidence(
    session: AdminSession, install: Install, schedule: Schedule, occurrence: OccurrenceTime
) -> Evidence:
    """Return what an explanation of the occurrence is based on.

    One BatchGetItem and one GetSchedule; where they can matter, also a Query of the changes, one of the history, the
    dead letters, and of an overdue occurrence the state of the queue.
    """
    run = None if occurrence.nonexistent else _read_run(session, schedule, occurrence)
    now = session.now
    timer, changes = session.services.timers.get_timer(schedule.id), _read_changes(schedule, occurrence, run)
    reads_queue = may_be_dead_lettered(run) and occurrence.moment <= now
    evidence = Evidence(
        occurrence=occurrence,
        now=now,
        install=install,
        schedule=schedule,
        run=run,
        overlapping_run=_find_overlapping_run(session, schedule, run),
        timer=timer,
        peek_result=session.dead_letter_queues.peek_messages() if reads_queue else None,
        changes=changes,
        limits=session.services.limits,
        log_group=f"/aws/lambda/{session.stack.name}-execute",
        last_delivery=(
            _find_last_delivery(session, schedule, occurrence, timer, changes)
            if _depends_on_past(occurrence, run)
            else None
        ),
    )
    if _may_be_in_queue(evidence):
        return replace(evidence, queue=read_queue_state(session))
    return evidence


def _may_be_in_queue(evidence: Evidence) -> bool:
    """Return whether a message of the occurrence may be in the queue, and should have been delivered by now."""
    if evidence.run and is_delivery_late(evidence.run, evidence.now):
        return True
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


def _find_last_delivery(
    session: AdminSession,
    schedule: Schedule,
    occurrence: OccurrenceTime,
    timer: TimerSnapshot | None,
    changes: Sequence[KeptChange],
) -> str | None:
    """Return the newest occurrence that was delivered before the timer was found wrong or created anew.

    None if neither was after this occurrence.
    """
    finds = filter(None, map(find_from_change, changes))
    times = [each.time for each in finds if each.schedule_id == schedule.id]
    if timer and timer.created_at:
        times.append(timer.created_at)
    end = min((each for each in times if each > occurrence.moment), default=None)
    if end is None:
        return None
    page = session.services.runs.read_run_page(
        schedule.install_id, schedule.id, before=format_time(end), limit=_DELIVERY_SEARCH_LIMIT
    )
    delivered = (
        run for run in page.runs if run.trigger is Trigger.SCHEDULE and run.status is not RunStatus.MISSED
    )
    return next((run.scheduled_time for run in delivered), None)


def _read_changes(schedule: Schedule, occurrence: OccurrenceTime, run: Run | None) -> tuple[KeptChange, ...]:
    """Return the changes, oldest first, if they matter; none if there are more than one read returns."""
    if not _depends_on_past(occurrence, run):
        return ()
    page = list_changes(schedule.install_id, schedule.id, limit=_MAX_CHANGES)
    reaches_back = page.next_before is None or page.changes[-1].time <= occurrence.moment
    return tuple(reversed(page.changes)) if reaches_back else ()


def _depends_on_past(occurrence: OccurrenceTime, run: Run | None) -> bool:
    """Return whether what happened to the occurrence depends on the state at its time."""
    return not occurrence.manual and (run is None or run.status in (RunStatus.SKIPPED, RunStatus.MISSED))
