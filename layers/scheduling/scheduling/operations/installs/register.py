"""The platform's side: register an install, move it to a version, switch it on and off (contract, section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypedDict

from scheduling.domain.errors import Conflict, InstallConflict, InstallNotFound, RemapFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install, InstallConfig, Version
from scheduling.domain.schedule import Life, Schedule
from scheduling.operations.installs.propagate import apply_install, apply_or_leave
from scheduling.operations.installs.uninstall import finish_deletion
from scheduling.operations.services import Services
from scheduling.operations.sync.optimistic_writes import write_install


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the platform says of an install."""

    tenant_id: str
    registry_id: str
    content_hash: str
    granted: frozenset[str]
    enabled: bool
    version: Version
    config: InstallConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """How an install is put: what becomes of schedules whose endpoint is missing, and whether only to tell."""

    by: str
    disable_missing: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The install as it is, or in a dry run would be, and the disabled schedules that lack their endpoint."""

    install: Install
    new: bool
    changed: bool
    disabled: Sequence[Schedule] = ()


def get_install(services: Services, install_id: InstallId) -> tuple[Install, Version]:
    """The install, disabled or not, and its version. Raises InstallNotFound."""
    install = services.schedules.read(install_id).install
    version = services.installs.version(install.registry_id, install.version_id) if install else None
    if install is None or version is None:
        raise InstallNotFound
    return install, version


def put_install(services: Services, install_id: InstallId, given: Registration, put: Put) -> Registered:
    """Register the install, or change it; the same again is no change. A dry run writes nothing.

    Raises InstallConflict where an install would change its tenant or a version its manifest, RemapFailed where
    schedules use endpoints that the new version lacks and are not to be disabled, and Unavailable; nothing is
    changed then.
    """
    return services.retry(lambda: _put(services, install_id, given, put))


def set_enabled(services: Services, install_id: InstallId, *, enabled: bool, by: str) -> Install:
    """Resume or stop the firing of the install's schedules, which stay. Raises InstallNotFound and Unavailable."""
    return services.retry(lambda: _set_enabled(services, install_id, enabled, by))


def _set_enabled(services: Services, install_id: InstallId, enabled: bool, by: str) -> Install:
    install = services.schedules.read(install_id).install
    if install is None or install.deleting:
        raise InstallNotFound
    if install.enabled != enabled:
        before, install = install, install.changed(by, enabled=enabled, pending_since=services.clock())
        write_install(services, before, install, partial(services.installs.replace, before, install))
    if install.pending_since:
        apply_or_leave(services, install)
    return install


def _put(services: Services, install_id: InstallId, given: Registration, put: Put) -> Registered:
    known = services.installs.version(given.registry_id, given.version.id)
    if known and known.manifest_hash != given.version.manifest_hash:
        raise InstallConflict("A version's manifest never changes; register a new version")
    before = services.schedules.read(install_id).install
    if before is None or (before.deleting and put.dry_run):
        return _register(services, install_id, given, put)
    if before.deleting:
        finish_deletion(services, before)
        raise Conflict
    return _change(services, before, given, put)


def _register(services: Services, install_id: InstallId, given: Registration, put: Put) -> Registered:
    tenant = services.tenants.read(given.tenant_id)
    install = Install(
        id=install_id,
        tenant_id=given.tenant_id,
        paused=tenant.paused,
        followed=tenant.generation,
        changed_by=put.by,
        **_stated(given),
    )
    if not put.dry_run:
        write = partial(services.installs.register, install, given.config, given.version, tenant)
        write_install(services, None, install, write)
    return Registered(install=install, new=True, changed=True)


def _change(services: Services, before: Install, given: Registration, put: Put) -> Registered:
    if before.tenant_id != given.tenant_id:
        raise InstallConflict("An install never changes its tenant")
    if before.dropped and not put.dry_run:
        apply_install(services, before)
        raise Conflict
    after = replace(before, **_stated(given))
    moved = (before.registry_id, before.version_id) != (after.registry_id, after.version_id)
    missing = _missing(services, before.id, given.version) if moved or put.disable_missing else []
    if moved and missing and not put.disable_missing:
        raise RemapFailed([(schedule.id, schedule.definition.endpoint) for schedule in missing])
    if after == before and services.installs.config(before.id) == given.config:
        return Registered(install=before, new=False, changed=False, disabled=missing)
    dropped = frozenset(schedule.definition.endpoint for schedule in missing) if moved else frozenset()
    after = after.changed(put.by, dropped=dropped)
    if dropped or after.enabled != before.enabled:
        after = replace(after, pending_since=services.clock())
    if not put.dry_run:
        change = partial(services.installs.change, before, after, given.config, given.version)
        write_install(services, before, after, change)
        if after.pending_since:
            apply_or_leave(services, after)
    return Registered(install=after, new=False, changed=True, disabled=missing)


class _Stated(TypedDict):
    registry_id: str
    version_id: str
    content_hash: str
    granted: frozenset[str]
    enabled: bool


def _stated(given: Registration) -> _Stated:
    return {
        "registry_id": given.registry_id,
        "version_id": given.version.id,
        "content_hash": given.content_hash,
        "granted": given.granted,
        "enabled": given.enabled,
    }


def _missing(services: Services, install_id: InstallId, version: Version) -> Sequence[Schedule]:
    """The schedules that lack their endpoint; the write that follows depends on all being as they were read."""
    kept = {f"{endpoint.method} {endpoint.path}" for endpoint in version.endpoints if endpoint.schedulable}
    schedules = services.schedules.all(install_id)
    return [s for s in schedules if s.life is Life.ACTIVE and s.definition.endpoint not in kept]
