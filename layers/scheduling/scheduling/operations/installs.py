"""The platform's side: register and change an install (contract, section 3)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from scheduling.domain.endpoints import Endpoint
from scheduling.domain.errors import InstallConflict, InstallNotFound, RemapFailed, Unavailable
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install, InstallConfig, Version
from scheduling.domain.schedule import Life, Schedule
from scheduling.operations.changing import write_install
from scheduling.operations.ports import Conflict
from scheduling.operations.services import Services
from scheduling.operations.uninstall import apply_install, finish_deletion

logger = logging.getLogger(__name__)


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


def get_install(services: Services, install_id: InstallId) -> tuple[Install, Version]:
    """The install, disabled or not, and its version. Raises InstallNotFound."""
    install = services.schedules.read(install_id).install
    version = services.installs.version(install.registry_id, install.version_id) if install else None
    if install is None or version is None:
        raise InstallNotFound
    return install, version


def put_install(services: Services, install_id: InstallId, given: Registration) -> tuple[Install, bool]:
    """Register the install, or change it; the second value tells whether it is new. The same again is no change.

    Raises InstallConflict where an install would change its tenant or a version its manifest, RemapFailed where
    schedules use endpoints that the new version lacks, and Unavailable; nothing is changed then.
    """
    return services.retry(lambda: _put(services, install_id, given))


def _put(services: Services, install_id: InstallId, given: Registration) -> tuple[Install, bool]:
    known = services.installs.version(given.registry_id, given.version.id)
    if known and known.manifest_hash != given.version.manifest_hash:
        raise InstallConflict("A version's manifest never changes; register a new version")
    before = services.schedules.read(install_id).install
    if before is None:
        after = _changed(_blank(install_id, given.tenant_id), given)
        write_install(
            services, after, partial(services.installs.put, None, after, given.config, given.version)
        )
        return after, True
    if before.deleting:
        finish_deletion(services, before)
        raise Conflict
    return _change(services, before, given), False


def _change(services: Services, before: Install, given: Registration) -> Install:
    if before.tenant_id != given.tenant_id:
        raise InstallConflict("An install never changes its tenant")
    after = _changed(before, given)
    if after == before and services.installs.config(before.id) == given.config:
        return before
    if before.version_id != after.version_id:
        _check_endpoints_kept(services.schedules.all(before.id), given.version.endpoints)
    after = replace(after, generation=before.generation + 1)
    if after.enabled != before.enabled:
        after = replace(after, pending_since=services.clock())
    write_install(services, after, partial(services.installs.put, before, after, given.config, given.version))
    if after.pending_since:
        _apply(services, after)
    return after


def _apply(services: Services, install: Install) -> None:
    """The change is made, and no schedule of a disabled install is run; only timers may be late."""
    try:
        apply_install(services, install)
    except Unavailable as failed:
        logger.warning("timers of install %s are left to the reconciler: %s", install.id, failed)


def _blank(install_id: InstallId, tenant_id: str) -> Install:
    return Install(
        id=install_id,
        tenant_id=tenant_id,
        registry_id="",
        version_id="",
        content_hash="",
        granted=frozenset(),
        enabled=True,
    )


def _changed(install: Install, given: Registration) -> Install:
    return replace(
        install,
        registry_id=given.registry_id,
        version_id=given.version.id,
        content_hash=given.content_hash,
        granted=given.granted,
        enabled=given.enabled,
    )


def _check_endpoints_kept(schedules: Sequence[Schedule], endpoints: Sequence[Endpoint]) -> None:
    """All or nothing: the write that follows depends on the schedules being as they were read."""
    kept = {f"{e.method} {e.path}" for e in endpoints if e.schedulable}
    used = [(s.id, s.definition.endpoint) for s in schedules if s.life is Life.ACTIVE]
    missing = [(schedule_id, endpoint) for schedule_id, endpoint in used if endpoint not in kept]
    if missing:
        raise RemapFailed(missing)
