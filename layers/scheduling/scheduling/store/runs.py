"""The history in the table, and the requests to run a schedule now."""

from datetime import datetime, timedelta

from pynamodb.connection import Connection

from scheduling.domain.deliveries.completion import ScheduleChange
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.requests.idempotency import IDEMPOTENCY_TTL
from scheduling.domain.runs import Fire, ManualRun, Run, RunStatus, Trigger
from scheduling.domain.schedule import Schedule
from scheduling.domain.window import WINDOW_LENGTH, RateLimitWindow
from scheduling.store.keys import (
    Key,
    config_key,
    install_key,
    manual_run_key,
    manual_window_key,
    run_key,
    schedule_key,
)
from scheduling.store.mapping import (
    config_from_row,
    from_millis,
    install_from_row,
    run_from_row,
    run_values,
    to_millis,
    update_actions,
)
from scheduling.store.models import ConfigRow, InstallRow, ManualRunRow, ManualWindowRow, RunRow, ScheduleRow
from scheduling.store.pynamodb_internals import query_rows, row_values
from scheduling.store.schedule_items.reads import (
    read_items_with_payload,
    schedule_from_items,
    schedule_with_payload,
)
from scheduling.store.schedule_items.run_ends import add_release, add_schedule_change
from scheduling.store.schedule_items.run_pages import query_run_page
from scheduling.store.schedule_items.writes import move_payload
from scheduling.store.snapshots import FireSnapshot, ManualRunSnapshot, RecordedRuns, RunPage
from scheduling.store.transactions import TransactWriter, read_items, translate_errors


class RunStore:
    """The history in the table: one row for each occurrence that was run or skipped."""

    def __init__(self, connection: Connection, retention: timedelta) -> None:
        self._connection = connection
        self._retention = retention

    def read_fire_snapshot(self, fire: Fire) -> FireSnapshot:
        """Return what the fire depends on.

        One BatchGetItem.
        """
        keys = install_key(fire.install_id), config_key(fire.install_id), _run_key_from_fire(fire)
        items = read_items_with_payload(fire.install_id, fire.schedule_id, *keys)
        install_row, config_row = items.find_item(InstallRow), items.find_item(ConfigRow)
        run_row = items.find_item(RunRow)
        return FireSnapshot(
            install=install_from_row(install_row) if install_row else None,
            config=config_from_row(config_row),
            schedule=schedule_with_payload(items),
            run=run_from_row(run_row) if run_row else None,
        )

    def read_run(self, fire: Fire) -> Run | None:
        """Return the occurrence's run alone, without what only a run needs, such as the configuration.

        One BatchGetItem.
        """
        run_row = read_items(_run_key_from_fire(fire)).find_item(RunRow)
        return run_from_row(run_row) if run_row else None

    def claim_run(
        self, fire: Fire, snapshot: FireSnapshot, claimed_run: Run, next_fire: str | None = None
    ) -> None:
        """Start an attempt, on condition that run and schedule are as in the snapshot, and the schedule is idle.

        One TransactWriteItems: the run's row, the schedule's, and the payload's if the schedule's still has it.
        """
        _, schedule = snapshot.require_target()
        writer = TransactWriter(self._connection)
        if snapshot.run:
            run_unchanged = (RunRow.lease_token == snapshot.run.lease_token) & (
                RunRow.status == snapshot.run.status.value
            )
        else:
            run_unchanged = RunRow.pk.does_not_exist()
        writer.put_row(self._build_run_row(schedule, claimed_run), run_unchanged)
        schedule_row = ScheduleRow(**schedule_key(schedule.install_id, schedule.id))
        lease_is_free = (
            ScheduleRow.lease_expires_at.does_not_exist()
            | (ScheduleRow.lease_expires_at <= claimed_run.started_at)
            | (ScheduleRow.running_occurrence == fire.scheduled_time)
        )
        schedule_unchanged = ScheduleRow.change_token == schedule.change_token
        actions = [
            ScheduleRow.running_occurrence.set(fire.scheduled_time),
            ScheduleRow.lease_expires_at.set(claimed_run.lease_expires_at or claimed_run.started_at),
            *([ScheduleRow.next_fire.set(next_fire)] if next_fire else ()),
            *move_payload(writer, schedule),
        ]
        writer.update_row(schedule_row, actions, schedule_unchanged & lease_is_free)
        writer.commit()

    def record_run(self, schedule: Schedule, run: Run, change: ScheduleChange | None = None) -> None:
        """Record an occurrence that was not run, on condition that the history has none for its time.

        One PutItem; with a change of the schedule, one TransactWriteItems.
        """
        writer = TransactWriter(self._connection)
        writer.put_row(self._build_run_row(schedule, run), RunRow.pk.does_not_exist())
        if change:
            add_schedule_change(writer, change)
        writer.commit()

    def finish_run(
        self,
        fire: Fire,
        claimed_run: Run,
        finished_run: Run,
        *,
        release_lease: bool = True,
        hold_until: datetime | None = None,
        change: ScheduleChange | None = None,
    ) -> None:
        """End an attempt in the history, release the schedule that it holds, and apply the change of the schedule.

        With `hold_until`, the schedule stays held for the next attempt. The last run stays where the attempt did not
        take place. One TransactWriteItems, or one UpdateItem of the run's row alone.
        """
        writer = TransactWriter(self._connection)
        self._add_run_update(writer, fire, claimed_run, finished_run)
        if release_lease:
            add_release(writer, fire, finished_run, hold_until, change)
        elif change:
            add_schedule_change(writer, change)
        writer.commit()

    def update_run(self, fire: Fire, run: Run, changed_run: Run) -> None:
        """Change an occurrence in the history, on condition that no attempt has begun or ended since it was read.

        One UpdateItem.
        """
        writer = TransactWriter(self._connection)
        self._add_run_update(writer, fire, run, changed_run)
        writer.commit()

    def _add_run_update(self, writer: TransactWriter, fire: Fire, run: Run, changed_run: Run) -> None:
        unchanged = (RunRow.lease_token == run.lease_token) & (RunRow.status == run.status.value)
        actions = update_actions(RunRow, run_values(run), run_values(changed_run))
        if actions:
            writer.update_row(RunRow(**_run_key_from_fire(fire)), actions, unchanged)

    def read_run_page(
        self,
        install_id: InstallId,
        schedule_id: ScheduleId,
        *,
        since: str = "",
        before: str | None,
        limit: int,
    ) -> RunPage:
        """Return the history of a schedule from `since` to before the time `before`, newest first.

        One Query, or two where a page ends among runs of the same second.
        """
        return query_run_page(install_id, schedule_id, since=since, before=before, limit=limit)

    def read_recorded_runs(self, schedule: Schedule, after: str, until: str) -> RecordedRuns:
        """Return what the history has after the time `after` and up to `until`.

        One Query.
        """
        ids = schedule.install_id, schedule.id
        first_key, last_key = run_key(*ids, after + "~"), run_key(*ids, until)
        if first_key["range_key"] > last_key["range_key"]:
            return RecordedRuns(frozenset(), [])
        period = RunRow.sk.between(first_key["range_key"], last_key["range_key"])
        with translate_errors():
            rows = list(query_rows(RunRow, first_key["hash_key"], period, consistent_read=True))
        waiting_rows = [row for row in rows if row_values(row).get("status") is RunStatus.WAITING]
        times = frozenset(row.sk.removeprefix("RUN#") for row in rows)
        return RecordedRuns(times, [run_from_row(row) for row in waiting_rows])

    def _build_run_row(self, schedule: Schedule, run: Run) -> RunRow:
        key = run_key(schedule.install_id, schedule.id, run.scheduled_time)
        expires_at = run.started_at + self._retention
        tenant_id = schedule.tenant_id or None
        return RunRow(**key, tenant_id=tenant_id, **run_values(run), expires_at=expires_at)


def _run_key_from_fire(fire: Fire) -> Key:
    return run_key(fire.install_id, fire.schedule_id, fire.scheduled_time)


class ManualRunStore:
    """The requests to run a schedule now."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read_manual_run(
        self, install_id: InstallId, schedule_id: ScheduleId, idempotency_key: str | None
    ) -> ManualRunSnapshot:
        """Return what such a request depends on.

        One BatchGetItem.
        """
        items = read_items(
            install_key(install_id),
            schedule_key(install_id, schedule_id),
            manual_window_key(install_id, schedule_id),
            manual_run_key(install_id, schedule_id, idempotency_key) if idempotency_key else None,
        )
        install_row, manual_run_row = items.find_item(InstallRow), items.find_item(ManualRunRow)
        return ManualRunSnapshot(
            install=install_from_row(install_row) if install_row else None,
            schedule=schedule_from_items(items),
            window=_window_from_row(items.find_item(ManualWindowRow)),
            earlier_run=_manual_run_from_row(install_id, schedule_id, manual_run_row)
            if manual_run_row
            else None,
        )

    def save_manual_run(self, manual_run: ManualRun, before: RateLimitWindow, after: RateLimitWindow) -> None:
        """Save the request, by its key if it has one, on condition that the window has not changed.

        One PutItem, or with a key, one TransactWriteItems.
        """
        writer = TransactWriter(self._connection)
        fire = manual_run.fire
        window_row = ManualWindowRow(
            **manual_window_key(fire.install_id, fire.schedule_id),
            write_sequence=after.write_sequence,
            writes={str(slot): to_millis(at) for slot, at in after.writes.items()},
            tenant_id=manual_run.tenant_id,
            scheduled_time=fire.scheduled_time,
            requested_by=manual_run.requested_by,
            expires_at=manual_run.requested_at + 2 * WINDOW_LENGTH,
        )
        writer.put_row(
            window_row,
            ManualWindowRow.pk.does_not_exist() | (ManualWindowRow.write_sequence == before.write_sequence),
        )
        if manual_run.idempotency_key:
            row = ManualRunRow(
                **manual_run_key(fire.install_id, fire.schedule_id, manual_run.idempotency_key),
                timer_revision=fire.timer_revision,
                scheduled_time=fire.scheduled_time,
                requested_at=manual_run.requested_at,
                expires_at=manual_run.requested_at + IDEMPOTENCY_TTL,
            )
            writer.put_row(row)
        writer.commit()


def _window_from_row(row: ManualWindowRow | None) -> RateLimitWindow:
    if row is None:
        return RateLimitWindow()
    writes = {int(slot): from_millis(at) for slot, at in row.writes.items()}
    return RateLimitWindow(writes, int(row.write_sequence))


def _manual_run_from_row(install_id: InstallId, schedule_id: ScheduleId, row: ManualRunRow) -> ManualRun:
    fire = Fire(
        install_id=install_id,
        schedule_id=schedule_id,
        timer_revision=int(row.timer_revision),
        scheduled_time=row.scheduled_time,
        trigger=Trigger.MANUAL,
    )
    return ManualRun(fire=fire, requested_at=row.requested_at, idempotency_key=row.sk.removeprefix("MANUAL#"))
