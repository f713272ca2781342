"""The commands on installs."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.console import RenderableType
from scheduling.domain.errors import InstallNotFound
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install
from scheduling.operations.installs.register import set_enabled

from scheduling_admin.commands import arguments
from scheduling_admin.commands.arguments import decoded, encoded
from scheduling_admin.errors import Exit
from scheduling_admin.output.report import Report
from scheduling_admin.output.tables import Listing, sentence
from scheduling_admin.output.times import instant
from scheduling_admin.stack.session import Operator

_AT_ONCE = 16


def installs(
    operator: Operator,
    tenant: arguments.OfTenant = None,
    limit: arguments.Limit = 100,
    cursor: arguments.Cursor = None,
) -> Report:
    """List installs: of a tenant in the order of their ids, or of all tenants."""
    ids, next_cursor = _page(operator, tenant, limit, cursor)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda each: operator.services.schedules.read(each).install, ids)
        known = [install for install in found if install]
    document = {"installs": [install_fields(install) for install in known], "nextCursor": next_cursor}
    return Report(document, _table(known, tenant, next_cursor))


def _page(
    operator: Operator, tenant: str | None, limit: int, cursor: str | None
) -> tuple[Sequence[InstallId], str | None]:
    services = operator.services
    if tenant is None:
        ids, after = services.sweeps.installs(decoded("installs", cursor), limit)
        return ids, encoded("installs", after)
    place = decoded("members", cursor)
    ids = services.tenants.installs(tenant, InstallId(place) if place else None, limit + 1)
    return ids[:limit], encoded("members", ids[limit - 1] if len(ids) > limit else None)


def _table(known: Sequence[Install], tenant: str | None, next_cursor: str | None) -> list[RenderableType]:
    if not known:
        of = f" of tenant {tenant}" if tenant else ""
        return [sentence(f"There are no installs{of}.")]
    columns = ("Install", "Tenant", "Extension, version", "Fires", "Schedules")
    rows = [
        (
            install.id,
            install.tenant_id,
            f"{install.registry_id}\n{install.version_id}",
            "\n".join(("no", *_against(install))) if _against(install) else "yes",
            install.schedule_count,
        )
        for install in known
    ]
    return [Listing(columns, rows), *more(next_cursor)]


def more(next_cursor: str | None) -> list[RenderableType]:
    """How the list goes on, where it does."""
    return [sentence(f"\nThere are more: --cursor {next_cursor}")] if next_cursor else []


def _against(install: Install) -> list[str]:
    checks = (
        (install.deleting, "being deleted"),
        (not install.enabled, "disabled"),
        (install.paused, "tenant paused"),
    )
    return [text for applies, text in checks if applies]


def install_fields(install: Install) -> dict[str, object]:
    """An install for machines, in the API's names."""
    return {
        "installId": install.id,
        "tenantId": install.tenant_id,
        "registryId": install.registry_id,
        "versionId": install.version_id,
        "contentHash": install.content_hash,
        "grantedCapabilities": sorted(install.granted),
        "enabled": install.enabled,
        "paused": install.paused,
        "deleting": install.deleting,
        "scheduleCount": install.schedule_count,
        "pendingSince": instant(install.pending_since),
        "changedBy": install.changed_by,
    }


def disable(operator: Operator, install: arguments.Install, yes: arguments.Yes = False) -> Report:
    """Stop the firing of an install's schedules; they stay, and `enable` resumes them."""
    return _turn(operator, InstallId(install), enabled=False, yes=yes)


def enable(operator: Operator, install: arguments.Install) -> Report:
    """Resume the firing of an install's schedules."""
    return _turn(operator, InstallId(install), enabled=True, yes=True)


def _turn(operator: Operator, install_id: InstallId, *, enabled: bool, yes: bool) -> Report:
    before = operator.services.schedules.read(install_id).install
    if before is None:
        raise InstallNotFound
    count = f"{before.schedule_count} schedule{'s' if before.schedule_count != 1 else ''}"
    question = f"Disable install {install_id} of tenant {before.tenant_id}, with its {count}?"
    operator.confirm(question, yes=yes or before.enabled == enabled)
    set_enabled(operator.services, install_id, enabled=enabled, by=operator.name)
    after = operator.services.schedules.read(install_id).install
    if after is None:
        raise InstallNotFound
    complete = after.pending_since is None
    document = {
        **install_fields(after),
        "changed": before.enabled != enabled,
        "complete": complete,
    }
    return Report(document, _turned(before, after), Exit.OK if complete else Exit.WRONG)


def _turned(before: Install, after: Install) -> list[RenderableType]:
    if before.enabled == after.enabled:
        text = f"Install {after.id} was {'enabled' if after.enabled else 'disabled'} already."
    elif not after.enabled:
        text = f"Install {after.id} is disabled: its schedules fire no more."
    elif after.paused:
        text = f"Install {after.id} is enabled, but its tenant is paused: its schedules do not fire yet."
    else:
        text = f"Install {after.id} is enabled: those of its schedules that are enabled fire again."
    told: list[RenderableType] = [sentence(text)]
    if after.pending_since:
        left = "Some timers have not followed yet; the same again, or the reconciler, finishes it."
        told.append(sentence(left, "yellow"))
    return told
