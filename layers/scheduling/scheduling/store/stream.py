"""The table's stream: the records that Lambda delivers, as changes of entities."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from scheduling.domain.audit import Entity, RowChange, ScheduleRun
from scheduling.domain.errors import UnreadableRecord
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.store.mapping import install_from_row, run_from_row, schedule_from_row
from scheduling.store.models import InstallRow, Row, RunRow, ScheduleRow

_AUDITED_TYPES = frozenset({"install", "schedule", "run"})
"""The types of the rows that events describe; records of other rows are not parsed."""


def parse_changes(event: Mapping[str, Any]) -> Sequence[RowChange]:
    """Return the changes in an event of the stream, in its order.

    Raises:
        UnreadableRecord: This release cannot read a record.
    """
    return list(_parse_records(event["Records"]))


def _parse_records(records: Iterable[Mapping[str, Any]]) -> Iterable[RowChange]:
    for record in records:
        stream_record = record["dynamodb"]
        if _row_type(stream_record) not in _AUDITED_TYPES:
            continue
        try:
            yield RowChange(
                id=record["eventID"],
                sequence=stream_record["SequenceNumber"],
                time=datetime.fromtimestamp(stream_record["ApproximateCreationDateTime"], UTC),
                before=_entity_from_image(stream_record.get("OldImage")),
                after=_entity_from_image(stream_record.get("NewImage")),
            )
        except Exception as error:
            text = f"{record['eventName']} of {stream_record['Keys']}, {stream_record['SequenceNumber']}"
            raise UnreadableRecord(text) from error


def _row_type(stream_record: Mapping[str, Any]) -> str:
    image = stream_record.get("NewImage") or stream_record.get("OldImage") or {}
    return str(image.get("type", {}).get("S", ""))


def _entity_from_image(image: Mapping[str, Any] | None) -> Entity | None:
    if image is None:
        return None
    match Row.from_raw_data(dict(image)):
        case InstallRow() as row:
            return install_from_row(row)
        case ScheduleRow() as row:
            return schedule_from_row(row)
        case RunRow() as row:
            return _schedule_run_from_row(row)
    return None


def _schedule_run_from_row(row: RunRow) -> ScheduleRun:
    install_id, _, schedule_id = row.pk.removeprefix("INSTALL#").partition("#SCHEDULE#")
    return ScheduleRun(
        tenant_id=row.tenant_id,
        install_id=InstallId(install_id),
        schedule_id=ScheduleId(schedule_id),
        run=run_from_row(row),
    )
