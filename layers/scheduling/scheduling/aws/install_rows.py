"""Rows of installs to domain and back."""

from collections.abc import Callable
from typing import Any

from scheduling.aws.indexes import shard_of
from scheduling.aws.rows import from_millis, pending_values
from scheduling.aws.table import InstallRow
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install

Seen = Callable[[Install], None]
"""Is told of each install that is read for an operation."""


def unseen(_install: Install) -> None:
    """Nobody wants to know."""


def seen_install(row: InstallRow | None, seen: Seen) -> Install | None:
    """The install that the row holds, if there is one."""
    if row is None:
        return None
    install = install_of(row)
    seen(install)
    return install


def install_of(row: InstallRow) -> Install:
    """The install that the row holds."""
    return Install(
        id=InstallId(row.pk.removeprefix("INSTALL#")),
        tenant_id=row.tenant_id,
        registry_id=row.registry_id,
        version_id=row.version_id,
        content_hash=row.content_hash,
        granted=frozenset(row.granted),
        enabled=row.enabled,
        paused=bool(row.paused),
        followed=int(row.followed),
        deleting=row.deleting,
        dropped=frozenset(row.dropped or ()),
        changed_by=row.changed_by,
        generation=int(row.generation),
        sequence=int(row.sequence),
        schedule_count=int(row.schedule_count),
        writes={int(slot): from_millis(at) for slot, at in row.writes.items()},
        pending_since=row.pending_since,
    )


def install_values(install: Install) -> dict[str, Any]:
    """What the platform sets of an install; the count and the window are the extension's writes to change."""
    return {
        "install_shard": shard_of(install.id),
        "tenant_id": install.tenant_id,
        "registry_id": install.registry_id,
        "version_id": install.version_id,
        "content_hash": install.content_hash,
        "granted": set(install.granted),
        "enabled": install.enabled,
        "paused": install.paused or None,
        "followed": install.followed,
        "deleting": install.deleting,
        "dropped": set(install.dropped) or None,
        "changed_by": install.changed_by,
        "generation": install.generation,
        **pending_values(install.id, install.pending_since),
    }
