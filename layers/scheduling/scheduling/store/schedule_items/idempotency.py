"""The record of a create with an idempotency key: the schedule as it was first, without its payload."""

from datetime import datetime
from typing import Any

from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import WriteReservation
from scheduling.domain.requests.idempotency import IDEMPOTENCY_TTL, IdempotencyKey, IdempotencyRecord
from scheduling.domain.schedule import Definition, Schedule
from scheduling.store.keys import idempotency_record_key
from scheduling.store.mapping import schedule_values
from scheduling.store.models import IdempotencyRow
from scheduling.store.transactions import TransactWriter

_DEFINITION_FIELDS = (
    "endpoint_method",
    "endpoint_path",
    "cron",
    "timezone",
    "enabled",
    "name",
    "pause_after_failures",
    "spread_minutes",
)
_IDEMPOTENCY_RECORD_FIELDS = (*_DEFINITION_FIELDS, "created_at", "tenant_id")


def put_idempotency_record(
    writer: TransactWriter, install_id: InstallId, record: IdempotencyRecord, reservation: WriteReservation
) -> None:
    """Add the step that saves the record, on condition that there is none with its key, or an expired one."""
    row = IdempotencyRow(
        **idempotency_record_key(install_id, record.key.value),
        **_idempotency_record_values(record),
        expires_at=reservation.reserved_at + IDEMPOTENCY_TTL,
    )
    writer.put_row(
        row, IdempotencyRow.pk.does_not_exist() | (IdempotencyRow.expires_at <= reservation.reserved_at)
    )


def _idempotency_record_values(record: IdempotencyRecord) -> dict[str, Any]:
    """Return the attributes of an idempotency record, without the payload, which the repeated request contains."""
    values = schedule_values(record.schedule) | {"created_at": record.schedule.created_at.isoformat()}
    stored_values = {name: values[name] for name in _IDEMPOTENCY_RECORD_FIELDS if values[name] is not None}
    return {"request_hash": record.key.request_hash, "schedule": {"id": record.schedule.id, **stored_values}}


def idempotency_record_from_row(row: IdempotencyRow) -> IdempotencyRecord:
    """Return the idempotency record of the row."""
    stored_values = row.schedule
    definition = {name: stored_values.get(name) for name in _DEFINITION_FIELDS}
    return IdempotencyRecord(
        key=IdempotencyKey(row.sk.removeprefix("WRITE#"), row.request_hash),
        schedule=Schedule(
            id=ScheduleId(stored_values["id"]),
            install_id=InstallId(row.pk.removeprefix("INSTALL#")),
            tenant_id=stored_values.get("tenant_id", ""),
            definition=Definition(**definition, payload=None),
            created_at=datetime.fromisoformat(stored_values["created_at"]),
        ),
    )
