"""What the end of a run changes in its schedule's items: lease, last run and failures; it may complete or pause it."""

from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from scheduling.domain.deliveries.completion import ScheduleChange
from scheduling.domain.deliveries.failures import counts_as_failure
from scheduling.domain.runs import Fire, Run, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.store.keys import index_shard, schedule_key
from scheduling.store.mapping import schedule_values, update_actions
from scheduling.store.models import ScheduleRow
from scheduling.store.schedule_items.reservations import update_install_row, write_name_rows
from scheduling.store.schedule_items.writes import write_payload_expiry
from scheduling.store.transactions import TransactWriter
from scheduling.store.unreadable import schedule_unchanged


def add_release(
    writer: TransactWriter,
    fire: Fire,
    finished_run: Run,
    hold_until: datetime | None,
    change: ScheduleChange | None,
) -> None:
    """Add the steps that release the schedule, or hold it for the next attempt, and complete or pause it."""
    actions, condition = _release_actions(fire, finished_run, hold_until), _lease_held(fire)
    if change:
        actions += _change_actions(change)
        condition &= schedule_unchanged(change.before)
        _write_what_it_frees(writer, change)
    writer.update_row(ScheduleRow(**schedule_key(fire.install_id, fire.schedule_id)), actions, condition)


def add_schedule_change(writer: TransactWriter, change: ScheduleChange) -> None:
    """Add the steps that complete or pause a schedule, which no run holds."""
    before = change.before
    row = ScheduleRow(**schedule_key(before.install_id, before.id))
    writer.update_row(row, _change_actions(change), schedule_unchanged(before))
    _write_what_it_frees(writer, change)


def _lease_held(fire: Fire) -> Condition:
    held: Condition = ScheduleRow.running_occurrence == fire.scheduled_time
    return held


def _change_actions(change: ScheduleChange) -> list[Action]:
    return update_actions(ScheduleRow, schedule_values(change.before), schedule_values(change.after))


def _release_actions(fire: Fire, finished_run: Run, hold_until: datetime | None) -> list[Action]:
    lease: list[Action] = [ScheduleRow.running_occurrence.remove(), ScheduleRow.lease_expires_at.remove()]
    if hold_until:
        lease = [ScheduleRow.lease_expires_at.set(hold_until)]
    if finished_run.status is RunStatus.WAITING:
        return [*lease, ScheduleRow.waiting.set(True), *_unhealthy_actions(fire, finished_run)]
    if finished_run.status not in (RunStatus.SUCCESS, RunStatus.ERROR):
        return lease
    return [
        *lease,
        ScheduleRow.last_run_at.set(finished_run.started_at),
        ScheduleRow.last_run_status.set(finished_run.status.value),
        ScheduleRow.last_error.set(finished_run.error)
        if finished_run.error
        else ScheduleRow.last_error.remove(),
        ScheduleRow.waiting.remove(),
        *_success_or_failure_actions(fire, finished_run),
    ]


def _success_or_failure_actions(fire: Fire, finished_run: Run) -> list[Action]:
    if finished_run.status is RunStatus.SUCCESS:
        last_success_at = ScheduleRow.last_success_at.set(finished_run.started_at)
        return [
            last_success_at,
            ScheduleRow.consecutive_failures.remove(),
            ScheduleRow.unhealthy_shard.remove(),
            ScheduleRow.unhealthy_since.remove(),
        ]
    unhealthy = _unhealthy_actions(fire, finished_run)
    if not counts_as_failure(fire, finished_run):
        return unhealthy
    return [*unhealthy, ScheduleRow.consecutive_failures.add(1)]


def _unhealthy_actions(fire: Fire, finished_run: Run) -> list[Action]:
    """Add the schedule to the index of unhealthy ones; one that is in it stays as it is, and costs no write of it."""
    shard, since = index_shard(fire.schedule_id), finished_run.started_at
    return [
        ScheduleRow.unhealthy_shard.set(ScheduleRow.unhealthy_shard | shard),
        ScheduleRow.unhealthy_since.set(ScheduleRow.unhealthy_since | since),
    ]


def _write_what_it_frees(writer: TransactWriter, change: ScheduleChange) -> None:
    before, after = change.before, change.after
    write_name_rows(writer, before, before.reserved_names, after.reserved_names)
    update_install_row(writer, before.install_id, _quota_change(before, after), None, None)
    write_payload_expiry(writer, before, after)


def _quota_change(before: Schedule, after: Schedule) -> int:
    return int(after.counts_toward_quota) - int(before.counts_toward_quota)
