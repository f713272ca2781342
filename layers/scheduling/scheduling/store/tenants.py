"""The tenants in the table, each with the installs it has."""

from collections.abc import Sequence
from typing import Any

from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition

from scheduling.domain.ids import InstallId
from scheduling.domain.tenant import Tenant
from scheduling.store.keys import member_key, tenant_key
from scheduling.store.mapping import pending_values
from scheduling.store.models import MemberRow, TenantRow
from scheduling.store.transactions import Write, find, translated


def unchanged(tenant: Tenant) -> Condition:
    """That no change of the tenant came after the one that it was read with."""
    return TenantRow.generation == tenant.generation if tenant.generation else TenantRow.pk.does_not_exist()


class TenantsTable:
    """The tenants in the table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, tenant_id: str) -> Tenant:
        """The tenant, also one that nobody has heard of.

        One BatchGetItem.
        """
        return _tenant_of(tenant_id, find(tenant_key(tenant_id)).get(TenantRow))

    def replace(self, before: Tenant, after: Tenant) -> None:
        """Change a tenant, on condition that no other change of it came between.

        One PutItem.
        """
        write = Write(self._connection)
        row = TenantRow(**tenant_key(after.id), **_tenant_values(after))
        write.put(row, unchanged(before))
        write.send()

    def installs(self, tenant_id: str, after: InstallId | None, limit: int) -> Sequence[InstallId]:
        """Up to `limit` installs of the tenant in the order of their ids, from behind `after`.

        One Query.
        """
        first, last = (member_key(tenant_id, each) for each in (f"{after}!" if after else "", "~"))
        with translated():
            rows = MemberRow.query(
                first["hash_key"],
                MemberRow.sk.between(first["range_key"], last["range_key"]),
                consistent_read=True,
                limit=limit,
            )
            return [InstallId(row.sk.removeprefix("INSTALL#")) for row in rows]


def _tenant_of(tenant_id: str, row: TenantRow | None) -> Tenant:
    if row is None:  # it was never paused
        return Tenant(id=tenant_id)
    return Tenant(
        id=tenant_id,
        paused=row.paused,
        generation=int(row.generation),
        changed_by=row.changed_by,
        pending_since=row.pending_since,
        followed_until=InstallId(row.followed_until) if row.followed_until else None,
    )


def _tenant_values(tenant: Tenant) -> dict[str, Any]:
    return {
        "paused": tenant.paused,
        "generation": tenant.generation,
        "changed_by": tenant.changed_by,
        "followed_until": tenant.followed_until,
        **pending_values(tenant.id, tenant.pending_since),
    }
