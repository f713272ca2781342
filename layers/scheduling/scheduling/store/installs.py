"""The installs and the versions in the table."""

from collections.abc import Mapping, Sequence

from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition

from scheduling.domain.endpoints import Endpoint
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install, InstallConfig, Version
from scheduling.domain.tenant import Tenant
from scheduling.store.keys import config_key, install_key, tenant_install_key, tenant_key, version_key
from scheduling.store.mapping import (
    config_from_row,
    install_from_row,
    install_values,
    rewrite_install_actions,
    update_actions,
)
from scheduling.store.models import (
    ConfigRow,
    EndpointMap,
    InstallRow,
    Row,
    ScheduleRow,
    TenantInstallRow,
    TenantRow,
    VersionRow,
)
from scheduling.store.pynamodb_internals import query_rows
from scheduling.store.tenants import tenant_unchanged
from scheduling.store.transactions import TransactWriter, read_items, translate_errors
from scheduling.store.unreadable import install_unchanged

_MAX_DELETES_PER_TRANSACTION = 99
"""Rows that a transaction can hold in addition to the install's."""


class InstallStore:
    """The installs and the versions in the table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._versions: dict[tuple[str, str], Version] = {}

    def read_install(self, install_id: InstallId) -> Install | None:
        """Return the install.

        One BatchGetItem.
        """
        row = read_items(install_key(install_id)).find_item(InstallRow)
        return install_from_row(row) if row else None

    def read_installs(self, install_ids: Sequence[InstallId]) -> Mapping[InstallId, Install]:
        """Return those of up to 100 installs that exist.

        One BatchGetItem.
        """
        rows = read_items(*map(install_key, install_ids)).find_items(InstallRow)
        return {install.id: install for install in map(install_from_row, rows)}

    def read_version(self, registry_id: str, version_id: str) -> Version | None:
        """Return the version, which never changes and so is cached for the life of the process.

        One BatchGetItem, the first time.
        """
        key = version_key(registry_id, version_id)
        ids = (registry_id, version_id)
        if ids not in self._versions:
            row = read_items(key).find_item(VersionRow)
            if row is None:
                return None
            self._versions[ids] = _version_from_row(row, version_id)
        return self._versions[ids]

    def read_config(self, install_id: InstallId) -> InstallConfig:
        """Return the configuration that the runs of the install get.

        One BatchGetItem.
        """
        return config_from_row(read_items(config_key(install_id)).find_item(ConfigRow))

    def register_install(
        self, install: Install, config: InstallConfig, version: Version, tenant: Tenant
    ) -> None:
        """Write a new install with its version, on condition that its tenant has not changed.

        One TransactWriteItems.
        """
        writer = TransactWriter(self._connection)
        install_row = InstallRow(**install_key(install.id), **install_values(install))
        writer.put_row(install_row, InstallRow.pk.does_not_exist())
        writer.put_row(TenantInstallRow(**tenant_install_key(tenant.id, install.id)))
        writer.check_row(TenantRow(**tenant_key(tenant.id)), tenant_unchanged(tenant))
        self._put_config_and_version(writer, install, config, version)
        writer.commit()

    def update_install_with_version(
        self, before: Install, after: Install, config: InstallConfig, version: Version
    ) -> None:
        """Write an install with its version, on condition that neither it nor one of its schedules has changed.

        One TransactWriteItems.
        """
        writer = TransactWriter(self._connection)
        unchanged = install_unchanged(before)
        if before.unreadable:
            actions = rewrite_install_actions(after)
        else:
            unchanged &= InstallRow.write_sequence == before.write_sequence
            actions = update_actions(InstallRow, install_values(before), install_values(after))
        writer.update_row(InstallRow(**install_key(after.id)), actions, unchanged)
        if before.tenant_id != after.tenant_id:  # which an install that could not be read may have lost
            writer.put_row(TenantInstallRow(**tenant_install_key(after.tenant_id, after.id)))
        self._put_config_and_version(writer, after, config, version)
        writer.commit()

    def _put_config_and_version(
        self, writer: TransactWriter, install: Install, config: InstallConfig, version: Version
    ) -> None:
        writer.put_row(
            ConfigRow(**config_key(install.id), config=config.config, secret_envelope=config.secret_envelope)
        )
        new_or_same_manifest = VersionRow.pk.does_not_exist() | (
            VersionRow.manifest_hash == version.manifest_hash
        )
        writer.put_row(_row_from_version(install.registry_id, version), new_or_same_manifest)

    def replace_install(self, before: Install, after: Install | None) -> None:
        """Change the install only, or with None, delete it with its configuration, if it counts no schedule any more.

        One UpdateItem, or one TransactWriteItems that deletes.
        """
        writer = TransactWriter(self._connection)
        row = InstallRow(**install_key(before.id))
        unchanged = install_unchanged(before)
        if after:
            actions = update_actions(InstallRow, install_values(before), install_values(after))
            writer.update_row(row, actions, unchanged)
        else:
            counts_none: Condition = InstallRow.schedule_count <= 0
            if before.unreadable:
                counts_none |= ~InstallRow.schedule_count.is_type()
            writer.delete_row(row, unchanged & counts_none)
            writer.delete_row(ConfigRow(**config_key(before.id)))
            writer.delete_row(TenantInstallRow(**tenant_install_key(before.tenant_id, before.id)))
        writer.commit()

    def delete_remaining_rows(self, install: Install) -> None:
        """Delete the idempotency records, and names and payloads of no schedule: the last rows of an install.

        On condition that the install has not changed.

        One Query, and one TransactWriteItems for each 99 rows.
        """
        key = install_key(install.id)
        with translate_errors():
            rows = list(
                query_rows(Row, key["hash_key"], Row.sk.between("SCHEDULE#", "WRITE$"), consistent_read=True)
            )
        rows = [row for row in rows if not isinstance(row, ScheduleRow)]
        for start in range(0, len(rows), _MAX_DELETES_PER_TRANSACTION):
            writer = TransactWriter(self._connection)
            writer.check_row(InstallRow(**key), install_unchanged(install))
            for row in rows[start : start + _MAX_DELETES_PER_TRANSACTION]:
                writer.delete_row(row)
            writer.commit()


def _version_from_row(row: VersionRow, version_id: str) -> Version:
    endpoints = [
        Endpoint(
            id=endpoint_map.id,
            method=endpoint_map.method,
            path=endpoint_map.path,
            handler=endpoint_map.handler,
        )
        for endpoint_map in row.endpoints
    ]
    return Version(id=version_id, manifest_hash=row.manifest_hash, endpoints=tuple(endpoints))


def _row_from_version(registry_id: str, version: Version) -> VersionRow:
    endpoints = [
        EndpointMap(  # type: ignore[no-untyped-call]  # pynamodb leaves MapAttribute's constructor untyped
            id=endpoint.id, method=endpoint.method, path=endpoint.path, handler=endpoint.handler
        )
        for endpoint in version.endpoints
    ]
    return VersionRow(
        **version_key(registry_id, version.id), manifest_hash=version.manifest_hash, endpoints=endpoints
    )
