"""The platform's side: register an install, move it to a version, switch it on and off (contract, section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypedDict

from scheduling.domain.errors import Conflict, InstallConflict, InstallNotFound, RemapFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install, InstallConfig, Version
from scheduling.domain.schedule import Schedule, ScheduleState
from scheduling.operations.installs.propagate import propagate_install, try_propagate
from scheduling.operations.installs.uninstall import finish_deletion
from scheduling.operations.services import Services
from scheduling.operations.sync.optimistic_writes import write_install


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the platform says of an install."""

    tenant_id: str
    registry_id: str
    content_hash: str
    granted_capabilities: frozenset[str]
    enabled: bool
    version: Version
    config: InstallConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOptions:
    """How an install is put: what becomes of schedules whose endpoint is missing, and whether only to tell."""

    actor: str
    disable_missing: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PutResult:
    """The install as it is, or in a dry run would be, and the disabled schedules that lack their endpoint."""

    install: Install
    new: bool
    changed: bool
    disabled_schedules: Sequence[Schedule] = ()


def get_install(services: Services, install_id: InstallId) -> tuple[Install, Version]:
    """The install, disabled or not, and its version. Raises InstallNotFound."""
    install = services.schedules.read_schedule(install_id).install
    version = services.installs.read_version(install.registry_id, install.version_id) if install else None
    if install is None or version is None:
        raise InstallNotFound
    return install, version


def put_install(
    services: Services, install_id: InstallId, registration: Registration, options: PutOptions
) -> PutResult:
    """Register the install, or change it; the same again is no change. A dry run writes nothing.

    Raises InstallConflict where an install would change its tenant or a version its manifest, RemapFailed where
    schedules use endpoints that the new version lacks and are not to be disabled, and Unavailable; nothing is
    changed then.
    """
    return services.retry(lambda: _put_install_once(services, install_id, registration, options))


def set_install_enabled(services: Services, install_id: InstallId, *, enabled: bool, actor: str) -> Install:
    """Resume or stop the firing of the install's schedules, which stay. Raises InstallNotFound and Unavailable."""
    return services.retry(lambda: _set_install_enabled_once(services, install_id, enabled, actor))


def _set_install_enabled_once(
    services: Services, install_id: InstallId, enabled: bool, actor: str
) -> Install:
    install = services.schedules.read_schedule(install_id).install
    if install is None or install.deleting:
        raise InstallNotFound
    if install.enabled != enabled:
        before, install = (
            install,
            install.with_changes(actor, enabled=enabled, pending_since=services.clock()),
        )
        write_install(services, before, install, partial(services.installs.replace_install, before, install))
    if install.pending_since:
        try_propagate(services, install)
    return install


def _put_install_once(
    services: Services, install_id: InstallId, registration: Registration, options: PutOptions
) -> PutResult:
    existing_version = services.installs.read_version(registration.registry_id, registration.version.id)
    if existing_version and existing_version.manifest_hash != registration.version.manifest_hash:
        raise InstallConflict("A version's manifest never changes; register a new version")
    before = services.schedules.read_schedule(install_id).install
    if before is None or (before.deleting and options.dry_run):
        return _register_install(services, install_id, registration, options)
    if before.deleting:
        finish_deletion(services, before)
        raise Conflict
    return _change_install(services, before, registration, options)


def _register_install(
    services: Services, install_id: InstallId, registration: Registration, options: PutOptions
) -> PutResult:
    tenant = services.tenants.read_tenant(registration.tenant_id)
    install = Install(
        id=install_id,
        tenant_id=registration.tenant_id,
        paused=tenant.paused,
        propagated_generation=tenant.generation,
        changed_by=options.actor,
        **_declared_fields(registration),
    )
    if not options.dry_run:
        register = partial(
            services.installs.register_install, install, registration.config, registration.version, tenant
        )
        write_install(services, None, install, register)
    return PutResult(install=install, new=True, changed=True)


def _change_install(
    services: Services, before: Install, registration: Registration, options: PutOptions
) -> PutResult:
    if before.tenant_id != registration.tenant_id:
        raise InstallConflict("An install never changes its tenant")
    if before.removed_endpoints and not options.dry_run:
        propagate_install(services, before)
        raise Conflict
    after = replace(before, **_declared_fields(registration))
    version_changed = (before.registry_id, before.version_id) != (after.registry_id, after.version_id)
    affected_schedules = (
        _find_schedules_without_endpoint(services, before.id, registration.version)
        if version_changed or options.disable_missing
        else []
    )
    if version_changed and affected_schedules and not options.disable_missing:
        raise RemapFailed([(schedule.id, schedule.definition.endpoint) for schedule in affected_schedules])
    if after == before and services.installs.read_config(before.id) == registration.config:
        return PutResult(install=before, new=False, changed=False, disabled_schedules=affected_schedules)
    removed_endpoints = (
        frozenset(schedule.definition.endpoint for schedule in affected_schedules)
        if version_changed
        else frozenset()
    )
    after = after.with_changes(options.actor, removed_endpoints=removed_endpoints)
    if removed_endpoints or after.enabled != before.enabled:
        after = replace(after, pending_since=services.clock())
    if not options.dry_run:
        change = partial(
            services.installs.change_install, before, after, registration.config, registration.version
        )
        write_install(services, before, after, change)
        if after.pending_since:
            try_propagate(services, after)
    return PutResult(install=after, new=False, changed=True, disabled_schedules=affected_schedules)


class _DeclaredFields(TypedDict):
    registry_id: str
    version_id: str
    content_hash: str
    granted_capabilities: frozenset[str]
    enabled: bool


def _declared_fields(registration: Registration) -> _DeclaredFields:
    return {
        "registry_id": registration.registry_id,
        "version_id": registration.version.id,
        "content_hash": registration.content_hash,
        "granted_capabilities": registration.granted_capabilities,
        "enabled": registration.enabled,
    }


def _find_schedules_without_endpoint(
    services: Services, install_id: InstallId, version: Version
) -> Sequence[Schedule]:
    """The schedules that lack their endpoint; the write that follows depends on all being as they were read."""
    endpoints = {
        f"{endpoint.method} {endpoint.path}" for endpoint in version.endpoints if endpoint.schedulable
    }
    schedules = services.schedules.read_all_schedules(install_id)
    return [
        schedule
        for schedule in schedules
        if schedule.state is ScheduleState.ACTIVE and schedule.definition.endpoint not in endpoints
    ]
