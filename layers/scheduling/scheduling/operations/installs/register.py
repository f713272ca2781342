"""Register an install, move it to a version, enable and disable it (contract, section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypedDict

from scheduling.domain.errors import Conflict, InstallConflict, InstallNotFound, RemapFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.install import SCHEDULER_MANAGE, Install, InstallConfig, Version
from scheduling.domain.schedule import Schedule, ScheduleState
from scheduling.operations.installs.propagate import propagate_install, try_propagate
from scheduling.operations.installs.uninstall import finish_deletion
from scheduling.operations.services import Services, retry_on_conflict
from scheduling.operations.sync.optimistic_writes import write_install


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An install as the platform declares it."""

    tenant_id: str
    registry_id: str
    content_hash: str
    granted_capabilities: frozenset[str]
    enabled: bool
    extension_name: str
    extension_version: str
    version: Version
    config: InstallConfig
    ignored_capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOptions:
    """Whether to disable schedules whose endpoint is missing, and whether only to report what would change."""

    actor: str
    disable_missing: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PutResult:
    """The install as it is, or in a dry run would be, and the schedules disabled for lack of their endpoint."""

    install: Install
    new: bool
    changed: bool
    disabled_schedules: Sequence[Schedule] = ()


def get_install(services: Services, install_id: InstallId) -> tuple[Install, Version]:
    """Return the install, disabled or not, and its version.

    Raises:
        InstallNotFound: There is no such install.
    """
    install = services.installs.read_install(install_id)
    if install is None:
        raise InstallNotFound
    services.bind_install(install)
    version = services.installs.read_version(install.registry_id, install.version_id)
    if version is None:
        raise InstallNotFound
    return install, version


@retry_on_conflict
def put_install(
    services: Services, install_id: InstallId, registration: Registration, options: PutOptions
) -> PutResult:
    """Register the install, or change it; an equal registration changes nothing. A dry run writes nothing.

    Raises:
        InstallConflict: An install would change its tenant, or a version its manifest.
        RemapFailed: Schedules use endpoints that the new version lacks, and may not be disabled.
        Unavailable: Nothing is changed, as with the other two.
    """
    existing_version = services.installs.read_version(registration.registry_id, registration.version.id)
    if existing_version and existing_version.manifest_hash != registration.version.manifest_hash:
        raise InstallConflict("A version's manifest never changes; register a new version")
    before = services.installs.read_install(install_id)
    if before:
        services.bind_install(before)
    if before is None or (before.deleting and options.dry_run):
        return _register_install(services, install_id, registration, options)
    if before.deleting:
        finish_deletion(services, before)
        raise Conflict
    return _change_install(services, before, registration, options)


@retry_on_conflict
def set_install_enabled(services: Services, install_id: InstallId, *, enabled: bool, actor: str) -> Install:
    """Resume or stop the firing of the install's schedules, which are kept.

    Raises:
        InstallNotFound: There is no such install.
        Unavailable: The install is as it was.
        UnconfirmedChange: The install may have been changed.
    """
    install = services.installs.read_install(install_id)
    if install is None or install.deleting:
        raise InstallNotFound
    services.bind_install(install)
    if install.enabled != enabled:
        before = install
        now = services.clock()
        since = _disabled_since(before, enabled, now)
        install = before.with_changes(actor, enabled=enabled, disabled_since=since, pending_since=now)
        write_install(services, before, install, partial(services.installs.replace_install, before, install))
    if install.pending_since:
        try_propagate(services, install)
    return install


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
        disabled_since=_disabled_since(None, registration.enabled, services.clock()),
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
    if before.tenant_id not in ("" if before.unreadable else None, registration.tenant_id):
        raise InstallConflict("An install never changes its tenant")
    if before.removed_endpoints and not options.dry_run:
        propagate_install(services, before)
        raise Conflict
    after = _apply_registration(before, registration, services.clock())
    after = _make_readable(services, after)
    moved = (before.registry_id, before.version_id) != (after.registry_id, after.version_id)
    affected_schedules: Sequence[Schedule] = []
    if moved or options.disable_missing:
        affected_schedules = _find_schedules_without_endpoint(services, before.id, registration.version)
    if moved and affected_schedules and not options.disable_missing:
        raise RemapFailed([(schedule.id, schedule.definition.endpoint) for schedule in affected_schedules])
    if after == before and services.installs.read_config(before.id) == registration.config:
        return PutResult(install=before, new=False, changed=False, disabled_schedules=affected_schedules)
    removed_endpoints = {schedule.definition.endpoint for schedule in affected_schedules} if moved else ()
    after = after.with_changes(options.actor, removed_endpoints=frozenset(removed_endpoints))
    if removed_endpoints or after.enabled != before.enabled or before.unreadable:
        after = replace(after, pending_since=services.clock())
    if not options.dry_run:
        _write_change(services, before, after, registration)
    return PutResult(install=after, new=False, changed=True, disabled_schedules=affected_schedules)


def _apply_registration(before: Install, registration: Registration, now: datetime) -> Install:
    return replace(
        before,
        tenant_id=registration.tenant_id,
        disabled_since=_disabled_since(before, registration.enabled, now),
        ungranted_since=_ungranted_since(before, registration.granted_capabilities, now),
        **_declared_fields(registration),
    )


def _make_readable(services: Services, install: Install) -> Install:
    """Return an unreadable install as readable from then on, paused as its tenant is."""
    if not install.unreadable:
        return install
    tenant = services.tenants.read_tenant(install.tenant_id)
    return replace(install, unreadable=None, paused=tenant.paused, propagated_generation=tenant.generation)


def _write_change(services: Services, before: Install, after: Install, registration: Registration) -> None:
    change = partial(
        services.installs.update_install_with_version,
        before,
        after,
        registration.config,
        registration.version,
    )
    write_install(services, before, after, change)
    if after.pending_since:
        try_propagate(services, after)


class _DeclaredFields(TypedDict):
    registry_id: str
    version_id: str
    content_hash: str
    granted_capabilities: frozenset[str]
    enabled: bool
    extension_name: str
    extension_version: str


def _declared_fields(registration: Registration) -> _DeclaredFields:
    return {
        "registry_id": registration.registry_id,
        "version_id": registration.version.id,
        "content_hash": registration.content_hash,
        "granted_capabilities": registration.granted_capabilities,
        "enabled": registration.enabled,
        "extension_name": registration.extension_name,
        "extension_version": registration.extension_version,
    }


def _disabled_since(before: Install | None, enabled: bool, now: datetime) -> datetime | None:
    """Return since when the install is disabled, if it is."""
    if enabled:
        return None
    return before.disabled_since if before and not before.enabled else now


def _ungranted_since(before: Install, granted: frozenset[str], now: datetime) -> datetime | None:
    """Return since when the install has schedules and no right to them; it gets no schedule while it has none."""
    if SCHEDULER_MANAGE in granted:
        return None
    if SCHEDULER_MANAGE not in before.granted_capabilities:
        return before.ungranted_since
    return now if before.schedule_count else None


def _find_schedules_without_endpoint(
    services: Services, install_id: InstallId, version: Version
) -> Sequence[Schedule]:
    """Return the schedules without their endpoint; the write that follows requires that none changes meanwhile."""
    endpoints = {
        f"{endpoint.method} {endpoint.path}" for endpoint in version.endpoints if endpoint.schedulable
    }
    schedules = services.schedules.read_all_schedules(install_id)
    return [
        schedule
        for schedule in schedules
        if schedule.state is ScheduleState.ACTIVE
        and not schedule.incomplete
        and not schedule.completed
        and schedule.definition.endpoint not in endpoints
    ]
