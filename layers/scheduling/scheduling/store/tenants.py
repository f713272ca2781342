"""The tenants in the table, each with its installs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition

from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.tenant import Tenant, TenantCursor
from scheduling.store.keys import (
    PAUSED_TENANTS,
    Key,
    TenantsIndex,
    install_key,
    payload_key,
    schedule_key,
    tenant_install_key,
    tenant_key,
)
from scheduling.store.mapping import install_from_row, pending_values, stopped_values
from scheduling.store.models import (
    InstallRow,
    Row,
    TenantInstallRow,
    TenantRow,
)
from scheduling.store.pynamodb_internals import query_items, query_rows, row_values
from scheduling.store.schedule_items.reads import schedules_from_rows
from scheduling.store.snapshots import TenantEntries, TenantEntry
from scheduling.store.transactions import MAX_READ_KEYS, TransactWriter, read_items, translate_errors
from scheduling.store.unreadable import DEFAULTS, find_row_problem


def tenant_unchanged(tenant: Tenant) -> Condition:
    """Return the condition that the tenant has not changed since it was read."""
    if not tenant.generation:
        return TenantRow.pk.does_not_exist()
    unchanged: Condition = TenantRow.generation == tenant.generation
    return unchanged | ~TenantRow.generation.is_type() if tenant.unreadable else unchanged


class TenantStore:
    """The tenants in the table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read_tenant(self, tenant_id: str) -> Tenant:
        """Return the tenant; an unknown one is one that was never paused.

        One BatchGetItem.
        """
        return _tenant_from_row(tenant_id, read_items(tenant_key(tenant_id)).find_item(TenantRow))

    def replace_tenant(self, before: Tenant, after: Tenant) -> None:
        """Change a tenant, on condition that it has not changed meanwhile.

        One PutItem.
        """
        writer = TransactWriter(self._connection)
        row = TenantRow(**tenant_key(after.id), **_tenant_values(after))
        writer.put_row(row, tenant_unchanged(before))
        writer.commit()

    def read_install_ids(self, tenant_id: str, after: InstallId | None, limit: int) -> Sequence[InstallId]:
        """Return up to `limit` installs of the tenant in the order of their ids, beginning after `after`.

        One Query.
        """
        first_key, last_key = (
            tenant_install_key(tenant_id, sk_suffix) for sk_suffix in (f"{after}!" if after else "", "~")
        )
        with translate_errors():
            rows = query_rows(
                TenantInstallRow,
                first_key["hash_key"],
                TenantInstallRow.sk.between(first_key["range_key"], last_key["range_key"]),
                consistent_read=True,
                limit=limit,
            )
            return [InstallId(row.sk.removeprefix("INSTALL#")) for row in rows]

    def read_schedule_entries(self, tenant_id: str, after: TenantCursor | None, limit: int) -> TenantEntries:
        """Return up to `limit` schedules of the tenant with their installs, install by install, each oldest first.

        There are fewer than `limit` if their rows are more than one read returns. The rows are strongly consistent,
        their selection is not: a schedule that was created a moment ago may be missing.

        One Query of the index of tenants and, if it has entries, one BatchGetItem; one read more for a payload that is
        being changed.
        """
        with translate_errors():
            index_items = list(
                query_items(
                    Row,
                    tenant_id,
                    None,
                    index_name=TenantsIndex.Meta.index_name,
                    exclusive_start_key=_index_key(tenant_id, after) if after else None,
                    limit=min(limit, MAX_READ_KEYS) + 1,
                )
            )
            positions, keys = _fit_one_read(index_items[:limit])
            if not positions:
                return TenantEntries([], has_more=False)
            rows = sorted(read_items(*keys).find_items(Row), key=lambda row: (row.pk, row.sk))
            installs = {row.pk: install_from_row(row) for row in rows if isinstance(row, InstallRow)}
            schedules = {each.id: each for each in schedules_from_rows(rows)}
        entries = [
            TenantEntry(
                each,
                installs.get(install_key(each.install_id)["hash_key"]),
                schedules.get(each.schedule_id),
            )
            for each in positions
        ]
        return TenantEntries(entries, has_more=len(positions) < len(index_items))


def _position_from_item(item: Mapping[str, Any]) -> TenantCursor:
    return TenantCursor(
        InstallId(item["pk"]["S"].removeprefix("INSTALL#")),
        ScheduleId(item["sk"]["S"].removeprefix("SCHEDULE#")),
        item["createdAt"]["S"],
    )


def _index_key(tenant_id: str, position: TenantCursor) -> Mapping[str, Any]:
    """Return the position as DynamoDB has it: by the keys of the index and of the table."""
    key = schedule_key(position.install_id, position.schedule_id)
    texts = {
        "tenantId": tenant_id,
        "pk": key["hash_key"],
        "createdAt": position.created_at,
        "sk": key["range_key"],
    }
    return {name: {"S": text} for name, text in texts.items()}


def _fit_one_read(index_items: Sequence[Mapping[str, Any]]) -> tuple[Sequence[TenantCursor], Sequence[Key]]:
    """Return the positions of the first items, as many as one BatchGetItem can read, and the keys of their rows."""
    positions: list[TenantCursor] = []
    keys: dict[tuple[object, ...], Key] = {}
    for item in index_items:
        position = _position_from_item(item)
        for key in _row_keys(position, has_payload_item="payloadDigest" in item):
            keys[tuple(key.values())] = key
        if len(keys) > MAX_READ_KEYS:
            break
        positions.append(position)
    return positions, list(keys.values())[:MAX_READ_KEYS]


def _row_keys(position: TenantCursor, *, has_payload_item: bool) -> Iterator[Key]:
    ids = position.install_id, position.schedule_id
    yield install_key(position.install_id)
    yield schedule_key(*ids)
    if has_payload_item:
        yield payload_key(*ids)


def _tenant_from_row(tenant_id: str, row: TenantRow | None) -> Tenant:
    if row is None:  # it was never paused
        return Tenant(id=tenant_id)
    values = {**DEFAULTS[TenantRow], **row_values(row)}
    return Tenant(
        id=tenant_id,
        paused=values["paused"],
        generation=values["generation"],
        changed_by=values["changed_by"],
        paused_since=row.unhealthy_since,
        pending_since=row.pending_since,
        propagation_cursor=InstallId(row.propagation_cursor) if row.propagation_cursor else None,
        unreadable=find_row_problem(row),
    )


def _tenant_values(tenant: Tenant) -> dict[str, Any]:
    return {
        "paused": tenant.paused,
        "generation": tenant.generation,
        "changed_by": tenant.changed_by,
        "propagation_cursor": tenant.propagation_cursor,
        **stopped_values(PAUSED_TENANTS, tenant.paused_since),
        **pending_values(tenant.id, tenant.pending_since),
    }
