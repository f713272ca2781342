"""The installs and versions in the table."""

from pynamodb.connection import Connection

from scheduling.domain.endpoints import Endpoint
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install, InstallConfig, Version
from scheduling.domain.tenant import Tenant
from scheduling.store.keys import config_key, install_key, member_key, tenant_key, version_key
from scheduling.store.mapping import changes, install_values
from scheduling.store.models import ConfigRow, EndpointMap, InstallRow, MemberRow, Row, TenantRow, VersionRow
from scheduling.store.runs import config_of
from scheduling.store.tenants import unchanged
from scheduling.store.transactions import Write, find, translated

_AT_ONCE = 99
"""Rows that a transaction takes beside the install's."""


class InstallsTable:
    """The installs and the versions in the table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._versions: dict[str, Version] = {}

    def version(self, registry_id: str, version_id: str) -> Version | None:
        """The version; a found one may be kept for the life of the process, since it never changes.

        One BatchGetItem, the first time a process asks.
        """
        key = version_key(registry_id, version_id)
        if key["hash_key"] not in self._versions:
            row = find(key).get(VersionRow)
            if row is None:
                return None
            self._versions[key["hash_key"]] = _version_of(row, version_id)
        return self._versions[key["hash_key"]]

    def config(self, install_id: InstallId) -> InstallConfig:
        """What the runs of the install are handed.

        One BatchGetItem.
        """
        return config_of(find(config_key(install_id)).get(ConfigRow))

    def register(self, install: Install, config: InstallConfig, version: Version, tenant: Tenant) -> None:
        """A new install with its version, on condition that its tenant has not changed.

        One TransactWriteItems.
        """
        write = Write(self._connection)
        new = InstallRow(**install_key(install.id), **install_values(install))
        write.put(new, InstallRow.pk.does_not_exist())
        write.put(MemberRow(**member_key(tenant.id, install.id)))
        write.check(TenantRow(**tenant_key(tenant.id)), unchanged(tenant))
        self._write_version(write, install, config, version)
        write.send()

    def change(self, before: Install, after: Install, config: InstallConfig, version: Version) -> None:
        """An install with its version, on condition that neither it nor a schedule of it has changed.

        One TransactWriteItems.
        """
        write = Write(self._connection)
        as_read = (InstallRow.generation == before.generation) & (InstallRow.sequence == before.sequence)
        actions = changes(InstallRow, install_values(before), install_values(after))
        write.update(InstallRow(**install_key(after.id)), actions, as_read)
        self._write_version(write, after, config, version)
        write.send()

    def _write_version(self, write: Write, after: Install, config: InstallConfig, version: Version) -> None:
        write.put(
            ConfigRow(**config_key(after.id), config=config.config, secret_envelope=config.secret_envelope)
        )
        same = VersionRow.pk.does_not_exist() | (VersionRow.manifest_hash == version.manifest_hash)
        write.put(_version_row(after.registry_id, version), same)

    def replace(self, before: Install, after: Install | None) -> None:
        """Change an install alone; None removes it and its configuration, if no schedule is counted any more.

        One UpdateItem, or one TransactWriteItems that deletes.
        """
        write = Write(self._connection)
        row = InstallRow(**install_key(before.id))
        as_read = InstallRow.generation == before.generation
        if after:
            actions = changes(InstallRow, install_values(before), install_values(after))
            write.update(row, actions, as_read)
        else:
            write.delete(row, as_read & (InstallRow.schedule_count <= 0))
            write.delete(ConfigRow(**config_key(before.id)))
            write.delete(MemberRow(**member_key(before.tenant_id, before.id)))
        write.send()

    def clear(self, install: Install) -> None:
        """Remove what is left in the install's partition once its schedules are gone: remembered writes.

        On condition that the install has not changed.

        One Query, and one TransactWriteItems for each 99 rows.
        """
        key = install_key(install.id)
        with translated():
            rows = list(Row.query(key["hash_key"], Row.sk.startswith("WRITE#"), consistent_read=True))
        for start in range(0, len(rows), _AT_ONCE):
            write = Write(self._connection)
            write.check(InstallRow(**key), InstallRow.generation == install.generation)
            for row in rows[start : start + _AT_ONCE]:
                write.delete(row)
            write.send()


def _version_of(row: VersionRow, version_id: str) -> Version:
    endpoints = [
        Endpoint(id=each.id, method=each.method, path=each.path, handler=each.handler)
        for each in row.endpoints
    ]
    return Version(id=version_id, manifest_hash=row.manifest_hash, endpoints=tuple(endpoints))


def _version_row(registry_id: str, version: Version) -> VersionRow:
    endpoints = [
        EndpointMap(  # type: ignore[no-untyped-call]  # pynamodb leaves MapAttribute's constructor untyped
            id=each.id, method=each.method, path=each.path, handler=each.handler
        )
        for each in version.endpoints
    ]
    return VersionRow(
        **version_key(registry_id, version.id), manifest_hash=version.manifest_hash, endpoints=endpoints
    )
