"""The tenants in the table, each with the installs it has."""

from collections.abc import Sequence

from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition

from scheduling.aws.keys import member_key, tenant_key
from scheduling.aws.requests import Write, find, translated
from scheduling.aws.rows import tenant_of, tenant_values
from scheduling.aws.table import MemberRow, TenantRow
from scheduling.domain.ids import InstallId
from scheduling.domain.tenant import Tenant


def unchanged(tenant: Tenant) -> Condition:
    """That no change of the tenant came after the one that it was read with."""
    return TenantRow.generation == tenant.generation if tenant.generation else TenantRow.pk.does_not_exist()


class TenantsTable:
    """Implements `operations.ports.Tenants`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, tenant_id: str) -> Tenant:
        """One BatchGetItem."""
        return tenant_of(tenant_id, find(tenant_key(tenant_id)).get(TenantRow))

    def replace(self, before: Tenant, after: Tenant) -> None:
        """One PutItem."""
        write = Write(self._connection)
        row = TenantRow(**tenant_key(after.id), **tenant_values(after))
        write.put(row, unchanged(before))
        write.send()

    def installs(self, tenant_id: str, after: InstallId | None, limit: int) -> Sequence[InstallId]:
        """One Query."""
        first, last = (member_key(tenant_id, each) for each in (f"{after}!" if after else "", "~"))
        with translated():
            rows = MemberRow.query(
                first["hash_key"],
                MemberRow.sk.between(first["range_key"], last["range_key"]),
                consistent_read=True,
                limit=limit,
            )
            return [InstallId(row.sk.removeprefix("INSTALL#")) for row in rows]
