"""The tenants in the table, each with its installs."""

from collections.abc import Sequence
from typing import Any

from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition

from scheduling.domain.ids import InstallId
from scheduling.domain.tenant import Tenant
from scheduling.store.keys import tenant_install_key, tenant_key
from scheduling.store.mapping import pending_values
from scheduling.store.models import TenantInstallRow, TenantRow
from scheduling.store.pynamodb_internals import query_rows, row_values
from scheduling.store.transactions import TransactWriter, read_items, translate_errors
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


def _tenant_from_row(tenant_id: str, row: TenantRow | None) -> Tenant:
    if row is None:  # it was never paused
        return Tenant(id=tenant_id)
    values = {**DEFAULTS[TenantRow], **row_values(row)}
    return Tenant(
        id=tenant_id,
        paused=values["paused"],
        generation=values["generation"],
        changed_by=values["changed_by"],
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
        **pending_values(tenant.id, tenant.pending_since),
    }
