"""Lists of installs, for the platform and its operators (contract, section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install
from scheduling.domain.views import CursorScope, cursor_scope
from scheduling.operations.services import Services

_MAX_READ = 100
"""Installs that one request can read."""


@dataclass(frozen=True, slots=True)
class InstallPage:
    """Installs in the order of the list; `next_after` is the position of the next page, if there are more."""

    installs: Sequence[Install]
    next_after: str | None


def installs_scope(tenant_id: str | None) -> CursorScope:
    """Return what a cursor of the list is bound to."""
    return cursor_scope("installs") if tenant_id is None else cursor_scope("tenant-installs", tenant_id)


def list_installs(
    services: Services, tenant_id: str | None = None, *, after: InstallId | None = None, limit: int
) -> InstallPage:
    """Return installs of the tenant by their ids, or without one, of all tenants.

    One Query and one BatchGetItem for each hundred; over all tenants, one Query for each part of the index.
    """
    if tenant_id is None:
        ids, next_after = services.sweeps.read_install_ids(after, limit)
    else:
        ids = services.tenants.read_install_ids(tenant_id, after, limit + 1)
        next_after = ids[limit - 1] if len(ids) > limit else None
    installs = _read_installs(services, ids[:limit])
    if tenant_id is not None:  # one whose tenant cannot be read is shown, too
        installs = [install for install in installs if install.tenant_id in (tenant_id, "")]
    return InstallPage(installs, next_after)


def _read_installs(services: Services, ids: Sequence[InstallId]) -> Sequence[Install]:
    """Return those of the installs that exist, in the order of their ids."""
    installs: dict[InstallId, Install] = {}
    for start in range(0, len(ids), _MAX_READ):
        installs.update(services.installs.read_installs(ids[start : start + _MAX_READ]))
    return [installs[each] for each in ids if each in installs]
