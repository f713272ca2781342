"""The table's stream: what Lambda delivers of it, as changes of what the rows are about."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from scheduling.domain.audit import Change, Occurrence, Subject
from scheduling.domain.errors import RecordNotUnderstood
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.store.mapping import install_of, run_of, schedule_of
from scheduling.store.models import InstallRow, Row, RunRow, ScheduleRow

_KINDS = frozenset({"install", "schedule", "run"})
"""The types of the rows that an event may tell of; the others are not even looked into."""


def changes_of(event: Mapping[str, Any]) -> Sequence[Change]:
    """The changes that an event of the stream tells of, in its order. Raises RecordNotUnderstood."""
    return list(_changes(event["Records"]))


def _changes(records: Iterable[Mapping[str, Any]]) -> Iterable[Change]:
    for record in records:
        change = record["dynamodb"]
        if _kind(change) not in _KINDS:
            continue
        try:
            yield Change(
                id=record["eventID"],
                sequence=change["SequenceNumber"],
                time=datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC),
                before=_subject(change.get("OldImage")),
                after=_subject(change.get("NewImage")),
            )
        except Exception as error:
            text = f"{record['eventName']} of {change['Keys']}, {change['SequenceNumber']}"
            raise RecordNotUnderstood(text) from error


def _kind(change: Mapping[str, Any]) -> str:
    image = change.get("NewImage") or change.get("OldImage") or {}
    return str(image.get("type", {}).get("S", ""))


def _subject(image: Mapping[str, Any] | None) -> Subject | None:
    if image is None:
        return None
    match Row.from_raw_data(dict(image)):
        case InstallRow() as row:
            return install_of(row)
        case ScheduleRow() as row:
            return schedule_of(row)
        case RunRow() as row:
            return _occurrence_of(row)
    return None


def _occurrence_of(row: RunRow) -> Occurrence:
    install_id, _, schedule_id = row.pk.removeprefix("INSTALL#").partition("#SCHEDULE#")
    return Occurrence(
        tenant_id=row.tenant_id,
        install_id=InstallId(install_id),
        schedule_id=ScheduleId(schedule_id),
        run=run_of(row),
    )
