"""The writes of a schedule's items: its row, and that of its payload where the payload is large."""

from pynamodb.expressions.update import Action

from scheduling.domain.ids import digest_large_payload
from scheduling.domain.schedule import Schedule
from scheduling.store.keys import payload_key, schedule_key
from scheduling.store.mapping import rewrite_schedule_actions, schedule_values, update_actions
from scheduling.store.models import PayloadRow, ScheduleRow
from scheduling.store.transactions import TransactWriter
from scheduling.store.unreadable import schedule_unchanged


def write_schedule_items(writer: TransactWriter, before: Schedule | None, after: Schedule | None) -> None:
    """Add the steps that change the schedule from `before` to `after`, on condition that it is still `before`."""
    if before is None:
        if after:
            key = schedule_key(after.install_id, after.id)
            writer.put_row(ScheduleRow(**key, **schedule_values(after)), ScheduleRow.pk.does_not_exist())
            if after.payload_digest:
                _put_payload(writer, after, after.payload_digest)
        return
    row = ScheduleRow(**schedule_key(before.install_id, before.id))
    unchanged = schedule_unchanged(before)
    if after is None:
        writer.delete_row(row, unchanged)
    elif before.unreadable and not after.unreadable:
        writer.update_row(row, rewrite_schedule_actions(after), unchanged)
    else:
        writer.update_row(row, _update_actions(before, after), unchanged)
    _write_payload(writer, before, after)


def move_payload(writer: TransactWriter, schedule: Schedule) -> list[Action]:
    """Return the actions that free the row from a large payload, and add the step that stores the payload.

    There are none where the payload is small or has been moved: only rows of earlier releases have a large one.
    """
    digest = None if schedule.payload_digest else digest_large_payload(schedule.definition.payload)
    if digest is None:
        return []
    _put_payload(writer, schedule, digest)
    return [ScheduleRow.payload.remove(), ScheduleRow.payload_digest.set(digest)]


def _update_actions(before: Schedule, after: Schedule) -> list[Action]:
    before_values, after_values = schedule_values(before), schedule_values(after)
    names = ("payload", "payload_digest")
    if any(before_values[name] != after_values[name] for name in names):
        for name in names:  # both, whichever of the two the row has
            del before_values[name]
    return update_actions(ScheduleRow, before_values, after_values)


def _write_payload(writer: TransactWriter, before: Schedule, after: Schedule | None) -> None:
    """Store the payload of `after`, or delete that of `before`; neither where it stays as it is."""
    repaired = bool(before.unreadable) and not (after and after.unreadable)
    if after and not repaired and _keeps_payload(before, after):
        write_payload_expiry(writer, before, after)
        return
    if after and after.payload_digest and after.definition.payload is not None:
        _put_payload(writer, after, after.payload_digest)
    elif repaired or before.payload_digest or digest_large_payload(before.definition.payload):
        # The last: a fire may have moved the payload since the row was read.
        writer.delete_row(PayloadRow(**payload_key(before.install_id, before.id)))


def write_payload_expiry(writer: TransactWriter, before: Schedule, after: Schedule) -> None:
    """Let the payload's item, if it has one, expire with the schedule's row."""
    if after.payload_digest is None or after.expires_at == before.expires_at:
        return
    expires_at = PayloadRow.expires_at
    action = expires_at.set(after.expires_at) if after.expires_at else expires_at.remove()
    row = PayloadRow(**payload_key(before.install_id, before.id))
    writer.update_row(row, [action], PayloadRow.pk.exists())


def _keeps_payload(before: Schedule, after: Schedule) -> bool:
    if before.payload_digest or after.payload_digest:
        return before.payload_digest == after.payload_digest
    return before.definition.payload == after.definition.payload


def _put_payload(writer: TransactWriter, schedule: Schedule, digest: str) -> None:
    key = payload_key(schedule.install_id, schedule.id)
    row = PayloadRow(
        **key, payload=schedule.definition.payload, digest=digest, expires_at=schedule.expires_at
    )
    writer.put_row(row)
