"""The table's stream: the records that Lambda delivers, as changes of entities."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scheduling.domain.audit.events import Entity, RowChange, RunRequest, ScheduleRun
from scheduling.domain.errors import UnreadableItem
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.store.mapping import install_from_row, run_from_row, schedule_from_row
from scheduling.store.models import InstallRow, ManualWindowRow, Row, RunRow, ScheduleRow
from scheduling.store.schedule_items.backfills import BackfillRow, backfill_from_row

_AUDITED_TYPES = (InstallRow, ScheduleRow, RunRow, ManualWindowRow, BackfillRow)
"""The types of the rows that events describe; records of other rows are not parsed further."""


@dataclass(frozen=True, slots=True)
class StreamChanges:
    """The changes in an event of the stream, in its order, and the records that cannot be read."""

    changes: Sequence[RowChange]
    unreadable: Sequence[UnreadableItem]


class _UnreadableEntity(Exception):
    """An image of a row does not have what an event describes; the text says what."""


_MALFORMED = (_UnreadableEntity, KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""What reading a record of another form raises."""


def parse_changes(event: Mapping[str, Any]) -> StreamChanges:
    """Return the changes in an event of the stream."""
    changes: list[RowChange] = []
    unreadable: list[UnreadableItem] = []
    for record in event["Records"]:
        try:
            changes += _parse_record(record)
        except _MALFORMED as error:  # one record that cannot be read must not block those after it
            unreadable.append(UnreadableItem("change", _describe_record(record), _describe_error(error)))
    return StreamChanges(changes, unreadable)


def _parse_record(record: Mapping[str, Any]) -> Iterable[RowChange]:
    stream_record = record["dynamodb"]
    old_row, new_row = map(_row_from_image, (stream_record.get("OldImage"), stream_record.get("NewImage")))
    if not isinstance(new_row or old_row, _AUDITED_TYPES):
        return []
    change = RowChange(
        id=record["eventID"],
        sequence=stream_record["SequenceNumber"],
        time=datetime.fromtimestamp(stream_record["ApproximateCreationDateTime"], UTC),
        before=_entity_from_row(old_row),
        after=_entity_from_row(new_row),
    )
    return [change]


def _row_from_image(image: Mapping[str, Any] | None) -> Row | None:
    return Row.from_raw_data(image) if image else None


def _entity_from_row(row: Row | None) -> Entity | None:
    match row:
        case InstallRow():
            install = install_from_row(row)
            return _require_readable(install, install.unreadable)
        case ScheduleRow():
            schedule = schedule_from_row(row)
            return _require_readable(schedule, schedule.unreadable if schedule.incomplete else None)
        case RunRow():
            schedule_run = _schedule_run_from_row(row)
            return _require_readable(schedule_run, schedule_run.run.unreadable)
        case ManualWindowRow():
            return _run_request_from_row(row)
        case BackfillRow():
            return backfill_from_row(row)
    return None


def _require_readable(entity: Entity, problem: str | None) -> Entity:
    if problem:
        raise _UnreadableEntity(problem)
    return entity


def _schedule_run_from_row(row: RunRow) -> ScheduleRun:
    install_id, schedule_id = _schedule_of_row(row)
    return ScheduleRun(
        tenant_id=row.tenant_id, install_id=install_id, schedule_id=schedule_id, run=run_from_row(row)
    )


def _run_request_from_row(row: ManualWindowRow) -> RunRequest | None:
    """Return the newest request of the row; None of a row that an earlier release wrote."""
    if row.requested_by is None:
        return None
    install_id, schedule_id = _schedule_of_row(row)
    return RunRequest(
        tenant_id=row.tenant_id,
        install_id=install_id,
        schedule_id=schedule_id,
        scheduled_time=row.scheduled_time,
        requested_by=row.requested_by,
    )


def _schedule_of_row(row: Row) -> tuple[InstallId, ScheduleId]:
    install_id, _, schedule_id = row.pk.removeprefix("INSTALL#").partition("#SCHEDULE#")
    return InstallId(install_id), ScheduleId(schedule_id)


def _describe_record(record: Any) -> str:
    stream_record = record.get("dynamodb") if isinstance(record, Mapping) else None
    if not isinstance(stream_record, Mapping):
        return "without content"
    return f"{stream_record.get('SequenceNumber')} of {stream_record.get('Keys')}"


def _describe_error(error: Exception) -> str:
    """Return the reason; the text of another exception could quote the image."""
    return str(error) if isinstance(error, _UnreadableEntity) else type(error).__name__
