"""The requests to run a schedule now, in the table."""

from pynamodb.connection import Connection

from scheduling.aws.install_rows import Seen, seen_install, unseen
from scheduling.aws.keys import install_key, manual_run_key, manual_window_key, schedule_key
from scheduling.aws.requests import Write, find
from scheduling.aws.rows import from_millis, schedule_of, to_millis
from scheduling.aws.table import InstallRow, ManualRunRow, ManualWindowRow, ScheduleRow
from scheduling.domain.idempotency import KEY_LIFETIME
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import Fire, ManualRun, Trigger
from scheduling.domain.window import WINDOW, Window
from scheduling.operations.snapshots import ManualSnapshot


class ManualRunsTable:
    """Implements `operations.tables.ManualRuns`."""

    def __init__(self, connection: Connection, seen: Seen = unseen) -> None:
        self._connection = connection
        self._seen = seen

    def read(self, install_id: InstallId, schedule_id: ScheduleId, key: str | None) -> ManualSnapshot:
        """One BatchGetItem."""
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
        """One PutItem, or with a key, one TransactWriteItems."""
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
