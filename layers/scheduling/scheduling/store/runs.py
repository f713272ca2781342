"""The history in the table."""

from datetime import timedelta
from typing import Any

from pynamodb.connection import Connection
from pynamodb.expressions.update import Action

from scheduling.domain.errors import Conflict
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import InstallConfig
from scheduling.domain.runs import Fire, ManualRun, Run, Trigger
from scheduling.domain.schedule import KEY_LIFETIME, Schedule
from scheduling.domain.window import WINDOW, Window
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
    Seen,
    changes,
    from_millis,
    run_of,
    run_values,
    schedule_of,
    seen_install,
    to_millis,
    unseen,
)
from scheduling.store.models import ConfigRow, InstallRow, ManualRunRow, ManualWindowRow, RunRow, ScheduleRow
from scheduling.store.snapshots import FireSnapshot, ManualSnapshot, RunPage
from scheduling.store.transactions import Write, find, translated


class RunsTable:
    """The history in the table: one row for each occurrence that was run or skipped."""

    def __init__(self, connection: Connection, history_days: int, seen: Seen = unseen) -> None:
        self._connection = connection
        self._seen = seen
        self._kept = timedelta(days=history_days)

    def read(self, fire: Fire) -> FireSnapshot:
        """What the fire depends on.

        One BatchGetItem.
        """
        found = find(
            install_key(fire.install_id),
            config_key(fire.install_id),
            schedule_key(fire.install_id, fire.schedule_id),
            _key(fire),
        )
        install, config = found.get(InstallRow), found.get(ConfigRow)
        schedule, run = found.get(ScheduleRow), found.get(RunRow)
        return FireSnapshot(
            install=seen_install(install, self._seen),
            config=config_of(config),
            schedule=schedule_of(schedule) if schedule else None,
            run=run_of(run) if run else None,
        )

    def claim(self, fire: Fire, seen: FireSnapshot, claimed: Run) -> None:
        """Start an attempt, the occurrence and the schedule being as `seen`, and the schedule idle.

        One TransactWriteItems: the run's row, and the schedule's, which stays idle for nobody else.
        """
        schedule = seen.schedule
        if schedule is None:
            raise Conflict
        write = Write(self._connection)
        if seen.run:
            as_seen = (RunRow.claim_token == seen.run.claim_token) & (RunRow.status == seen.run.status.value)
        else:
            as_seen = RunRow.pk.does_not_exist()
        write.put(self._row(schedule, claimed), as_seen)
        row = ScheduleRow(**schedule_key(schedule.install_id, schedule.id))
        idle = (
            ScheduleRow.running_until.does_not_exist()
            | (ScheduleRow.running_until <= claimed.started_at)
            | (ScheduleRow.running_time == fire.scheduled_time)
        )
        unchanged = ScheduleRow.change_token == schedule.change_token
        actions = [
            ScheduleRow.running_time.set(fire.scheduled_time),
            ScheduleRow.running_until.set(claimed.lease_until or claimed.started_at),
        ]
        write.update(row, actions, unchanged & idle)
        write.send()

    def record(self, schedule: Schedule, run: Run) -> None:
        """A run of the schedule that was not made, on condition that the history has none for its time.

        One PutItem.
        """
        write = Write(self._connection)
        write.put(self._row(schedule, run), RunRow.pk.does_not_exist())
        write.send()

    def finish(self, fire: Fire, claimed: Run, finished: Run, *, on_schedule: bool = True) -> None:
        """The end of an attempt, in the history, and on the schedule that it holds.

        One TransactWriteItems, or one UpdateItem of the run's row alone.
        """
        write = Write(self._connection)
        mine = (RunRow.claim_token == claimed.claim_token) & (RunRow.status == claimed.status.value)
        write.update(RunRow(**_key(fire)), changes(RunRow, run_values(claimed), run_values(finished)), mine)
        if on_schedule:
            schedule = ScheduleRow(**schedule_key(fire.install_id, fire.schedule_id))
            write.update(schedule, _last_run(finished), ScheduleRow.running_time == fire.scheduled_time)
        write.send()

    def page(
        self, install_id: InstallId, schedule_id: ScheduleId, *, before: str | None, limit: int
    ) -> RunPage:
        """The history of a schedule, newest first, from before the scheduled time `before`.

        One Query.
        """
        newest = run_key(install_id, schedule_id, before or "~")
        with translated():
            rows = list(
                RunRow.query(
                    newest["hash_key"],
                    RunRow.sk.between("RUN#", newest["range_key"]),
                    scan_index_forward=False,
                    consistent_read=True,
                    limit=limit + 2,
                )
            )
        runs = [run for run in map(run_of, rows) if run.scheduled_time != before]
        more = len(runs) > limit
        return RunPage(runs=runs[:limit], next_before=runs[limit - 1].scheduled_time if more else None)

    def times(self, schedule: Schedule, after: str, until: str) -> frozenset[str]:
        """The scheduled times after `after` and up to `until` that the history has.

        One Query.
        """
        first, last = (run_key(schedule.install_id, schedule.id, each) for each in (after + "~", until))
        if first["range_key"] > last["range_key"]:
            return frozenset()
        with translated():
            rows = RunRow.query(
                first["hash_key"],
                RunRow.sk.between(first["range_key"], last["range_key"]),
                consistent_read=True,
            )
            return frozenset(row.sk.removeprefix("RUN#") for row in rows)

    def _row(self, schedule: Schedule, run: Run) -> RunRow:
        key = run_key(schedule.install_id, schedule.id, run.scheduled_time)
        values: dict[str, Any] = run_values(run)
        return RunRow(**key, tenant_id=schedule.tenant_id, **values, expires_at=run.started_at + self._kept)


def config_of(row: ConfigRow | None) -> InstallConfig:
    """The configuration that the row holds; none is empty."""
    return InstallConfig(config=row.config, secret_envelope=row.secret_envelope) if row else InstallConfig()


def _last_run(finished: Run) -> list[Action]:
    return [
        ScheduleRow.running_time.remove(),
        ScheduleRow.running_until.remove(),
        ScheduleRow.last_run_at.set(finished.started_at),
        ScheduleRow.last_run_status.set(finished.status.value),
        ScheduleRow.last_error.set(finished.error) if finished.error else ScheduleRow.last_error.remove(),
    ]


def _key(fire: Fire) -> Key:
    return run_key(fire.install_id, fire.schedule_id, fire.scheduled_time)


class ManualRunsTable:
    """The requests to run a schedule now."""

    def __init__(self, connection: Connection, seen: Seen = unseen) -> None:
        self._connection = connection
        self._seen = seen

    def read(self, install_id: InstallId, schedule_id: ScheduleId, key: str | None) -> ManualSnapshot:
        """What such a request depends on.

        One BatchGetItem.
        """
        found = find(
            install_key(install_id),
            schedule_key(install_id, schedule_id),
            manual_window_key(install_id, schedule_id),
            manual_run_key(install_id, schedule_id, key) if key else None,
        )
        schedule, earlier = found.get(ScheduleRow), found.get(ManualRunRow)
        return ManualSnapshot(
            install=seen_install(found.get(InstallRow), self._seen),
            schedule=schedule_of(schedule) if schedule else None,
            window=_window_of(found.get(ManualWindowRow)),
            earlier=_request_of(install_id, schedule_id, earlier) if earlier else None,
        )

    def accept(self, request: ManualRun, before: Window, after: Window) -> None:
        """Remember the request by its key, if it has one, on condition that the window is as it was read.

        One PutItem, or with a key, one TransactWriteItems.
        """
        write = Write(self._connection)
        fire = request.fire
        window = ManualWindowRow(
            **manual_window_key(fire.install_id, fire.schedule_id),
            sequence=after.sequence,
            writes={str(slot): to_millis(at) for slot, at in after.writes.items()},
            expires_at=request.requested_at + 2 * WINDOW,
        )
        write.put(window, ManualWindowRow.pk.does_not_exist() | (ManualWindowRow.sequence == before.sequence))
        if request.key:
            row = ManualRunRow(
                **manual_run_key(fire.install_id, fire.schedule_id, request.key),
                revision=fire.revision,
                scheduled_time=fire.scheduled_time,
                requested_at=request.requested_at,
                expires_at=request.requested_at + KEY_LIFETIME,
            )
            write.put(row)
        write.send()


def _window_of(row: ManualWindowRow | None) -> Window:
    if row is None:
        return Window()
    writes = {int(slot): from_millis(at) for slot, at in row.writes.items()}
    return Window(writes, int(row.sequence))


def _request_of(install_id: InstallId, schedule_id: ScheduleId, row: ManualRunRow) -> ManualRun:
    fire = Fire(
        install_id=install_id,
        schedule_id=schedule_id,
        revision=int(row.revision),
        scheduled_time=row.scheduled_time,
        trigger=Trigger.MANUAL,
    )
    return ManualRun(fire=fire, requested_at=row.requested_at, key=row.sk.removeprefix("MANUAL#"))
