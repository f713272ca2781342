"""The changes of an install and of its schedules, kept in its partition (decision 047)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from scheduling.domain.audit.changes import CHANGES_KEPT, KeptChange
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.store.keys import change_key
from scheduling.store.models import ChangeRow, Row
from scheduling.store.pynamodb_internals import query_rows
from scheduling.store.transactions import translate_errors


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes, newest first; `next_before` is the position of the next page, if there are more."""

    changes: Sequence[KeptChange]
    next_before: str | None


def save_change(change: KeptChange) -> None:
    """Keep the change; the same change again is the same row.

    One PutItem.
    """
    with translate_errors():
        create_change_row(change).save()


def create_change_row(change: KeptChange, **values: Any) -> ChangeRow:
    """Return the row of the change, with further values."""
    return ChangeRow(
        **change_key(change.install_id, change.position),
        schedule_id=change.schedule_id,
        name=change.name,
        actor=change.actor,
        before=change.before,
        after=change.after,
        payload_changed=change.payload_changed or None,
        expires_at=change.time + CHANGES_KEPT,
        **values,
    )


def read_change_page(
    install_id: InstallId,
    schedule_id: ScheduleId | None = None,
    *,
    since: str = "",
    before: str | None = None,
    limit: int,
) -> ChangePage:
    """Return changes of the install from `since` to before the position `before`, newest first.

    With a schedule, those of the install itself and of that schedule. A page of one Query or more.
    """
    with translate_errors():
        changes = list(islice(_query_changes(install_id, schedule_id, since, before), limit + 1))
    next_before = changes[limit - 1].position if len(changes) > limit else None
    return ChangePage(changes[:limit], next_before)


def _query_changes(
    install_id: InstallId, schedule_id: ScheduleId | None, since: str, before: str | None
) -> Iterator[KeptChange]:
    first, last = change_key(install_id, since), change_key(install_id, before or "~")
    if first["range_key"] > last["range_key"]:
        return
    rows = query_rows(
        Row,
        first["hash_key"],
        Row.sk.between(first["range_key"], last["range_key"]),
        scan_index_forward=False,
        consistent_read=True,
    )
    for row in rows:
        if isinstance(row, ChangeRow) and not row.unreadable_attributes:
            change = change_from_row(row)
            if change.position != before and schedule_id in (None, change.schedule_id or schedule_id):
                yield change


def change_from_row(row: ChangeRow) -> KeptChange:
    """Return the change of the row."""
    time, _, sequence = row.sk.removeprefix("CHANGE#").partition("#")
    return KeptChange(
        install_id=InstallId(row.pk.removeprefix("INSTALL#")),
        schedule_id=ScheduleId(row.schedule_id) if row.schedule_id else None,
        name=row.name,
        actor=row.actor,
        time=datetime.fromisoformat(time).astimezone(UTC),
        sequence=sequence.lstrip("0"),
        before=row.before,
        after=row.after,
        payload_changed=bool(row.payload_changed),
    )
