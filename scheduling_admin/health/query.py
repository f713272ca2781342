"""Read the health of the whole stack, at a cost that does not grow with it: no scan, and no list of all installs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError
from scheduling.domain.audit.finds import ScheduleFind
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.unhealthy import (
    Stopped,
    list_disabled_installs,
    list_finds,
    list_paused_tenants,
    list_ungranted_installs,
    list_unhealthy_schedules,
)

from scheduling_admin.errors import convert_to_admin_error
from scheduling_admin.health.metrics import read_metrics
from scheduling_admin.health.model import (
    DeadLetterGroup,
    DeadLetterSummary,
    FailingSchedule,
    Listed,
    PendingSummary,
    StackHealth,
    StackMetrics,
    SweepSummary,
)
from scheduling_admin.health.problems import find_problems
from scheduling_admin.health.queue import read_queue_depth
from scheduling_admin.stack.dead_letters import DeadLetter
from scheduling_admin.stack.session import AdminSession
from scheduling_admin.status import list_install_blockers

MAX_PENDING = 1_000
MAX_LISTED = 50
MAX_UNHEALTHY = 1_000
MAX_NEWS_AGE = timedelta(days=1)
_UNNAMED_REASON = "(no reason)"
_UNKNOWN_TIME = datetime.min.replace(tzinfo=UTC)


def read_stack_health(session: AdminSession) -> StackHealth:
    """Return what the stack is doing, and what is wrong with it.

    One GetMetricData, a Query for each part of the indexes of pending rows and of what is unhealthy, one BatchGetItem
    for the sweep and one for each fifty failing schedules, if there are any, the attributes of four queues, and the
    dead letters, if there are any: up to 1,000 of each queue.
    """
    metrics, metrics_problem = _read_metrics(session)
    health = StackHealth(
        stack_name=session.stack.name,
        region=session.stack.region,
        checked_at=session.now,
        metrics=metrics,
        metrics_problem=metrics_problem,
        failing=_read_failing(session),
        dead_letters=_read_dead_letters(session),
        pending=_read_pending(session),
        queue=read_queue_depth(session),
        sweep=_read_sweep(session),
        paused_tenants=_list_stopped(list_paused_tenants(limit=MAX_LISTED + 1)),
        disabled_installs=_list_stopped(list_disabled_installs(limit=MAX_LISTED + 1)),
        ungranted_installs=_list_stopped(list_ungranted_installs(limit=MAX_LISTED + 1)),
        unpublished=session.unpublished_queue.estimate_message_count(),
    )
    return replace(health, problems=find_problems(health))


def _read_metrics(session: AdminSession) -> tuple[StackMetrics | None, str | None]:
    """Return the metrics, or why they cannot be read: what the table and the queues say is worth as much then."""
    try:
        cloudwatch = session.boto_session.client("cloudwatch")
        return read_metrics(cloudwatch, session.stack.name, session.stack.queue_name, session.now), None
    except (BotoCoreError, ClientError) as error:
        return None, str(convert_to_admin_error(error))


def _read_failing(session: AdminSession) -> Listed[FailingSchedule]:
    """Return those that nobody has stopped; those that somebody has would hide newer ones, so more are read then."""
    failing: list[FailingSchedule] = []
    has_more = False
    for limit in (MAX_LISTED, MAX_UNHEALTHY):
        found = list_unhealthy_schedules(session.services, limit=limit)
        has_more = found.has_more
        failing = [_describe_failing(*pair) for pair in found.schedules if _may_fail(*pair, session.now)]
        if not has_more or len(failing) >= MAX_LISTED:
            break
    return Listed(failing[:MAX_LISTED], complete=not has_more and len(failing) <= MAX_LISTED)


def _may_fail(install: Install, schedule: Schedule, now: datetime) -> bool:
    """Return whether nobody has stopped the schedule; the failure of one that is completed is news for a while only."""
    if schedule.completed and schedule.unhealthy_since and now - schedule.unhealthy_since > MAX_NEWS_AGE:
        return False
    disabled_by_owner = not schedule.definition.enabled and schedule.disabled_reason is None
    return not disabled_by_owner and not list_install_blockers(install)


def _describe_failing(install: Install, schedule: Schedule) -> FailingSchedule:
    return FailingSchedule(
        schedule_id=schedule.id,
        name=schedule.definition.name,
        install_id=install.id,
        tenant_id=install.tenant_id,
        since=schedule.unhealthy_since,
        waiting=schedule.waiting,
        failures=schedule.consecutive_failures,
        error=schedule.last_run.error if schedule.last_run else None,
    )


def _list_stopped(stopped: Sequence[Stopped]) -> Listed[Stopped]:
    return Listed(stopped[:MAX_LISTED], complete=len(stopped) <= MAX_LISTED)


def _read_dead_letters(session: AdminSession) -> DeadLetterSummary:
    queues = session.dead_letter_queues
    if not queues.estimate_message_count():
        return DeadLetterSummary((), complete=True)
    result = queues.peek_messages()
    return DeadLetterSummary(group_by_reason(result.messages), complete=result.reached_end)


def group_by_reason(dead_letters: Sequence[DeadLetter]) -> Sequence[DeadLetterGroup]:
    """Return the dead letters by their reasons, the largest group first."""
    groups: dict[str, list[datetime]] = {}
    for each in dead_letters:
        reason = " ".join((each.problem or each.reason or _UNNAMED_REASON).split())
        groups.setdefault(reason, []).append(each.sent_at)
    summaries = [DeadLetterGroup(reason, len(times), min(times)) for reason, times in groups.items()]
    return sorted(summaries, key=lambda group: (-group.count, group.reason))


def _read_pending(session: AdminSession) -> PendingSummary:
    items = list(session.services.schedules.read_pending_items(session.now, MAX_PENDING + 1))
    counted = items[:MAX_PENDING]
    oldest = min(counted, key=lambda item: item.pending_since or _UNKNOWN_TIME, default=None)
    if oldest is None:
        return PendingSummary(0, complete=True)
    return PendingSummary(
        count=len(counted),
        complete=len(items) == len(counted),
        oldest=str(oldest),
        oldest_since=oldest.pending_since,
    )


def _read_sweep(session: AdminSession) -> SweepSummary | None:
    state = session.services.sweeps.read_sweep_state()
    if state is None:
        return None
    finds = {kind: count for kind, count in sorted(state.repairs.items()) if count}
    if state.unreadable:
        finds["unreadable"] = finds.get("unreadable", 0) + 1
    return SweepSummary(
        started_at=state.started_at,
        running=state.phase is not None,
        next_at=state.next_sweep_at,
        finds=finds,
        schedules=_list_finds(session, state.started_at),
    )


def _list_finds(session: AdminSession, since: datetime | None) -> Listed[ScheduleFind]:
    if since is None:
        return Listed((), complete=True)
    since = since.replace(microsecond=0)  # finds have whole seconds
    page = list_finds(session.services, limit=MAX_LISTED, since=since)
    return Listed(page.finds, complete=not page.has_more)
