"""The commands `installs`, `disable` and `enable`."""

from collections.abc import Sequence

from rich.console import RenderableType
from scheduling.domain.errors import InstallNotFound
from scheduling.domain.ids import InstallId, parse_install_id
from scheduling.domain.install import Install
from scheduling.domain.views import encode_cursor
from scheduling.operations.installs.queries import installs_scope, list_installs
from scheduling.operations.installs.register import set_install_enabled

from scheduling_admin.commands import arguments
from scheduling_admin.commands.arguments import decode_list_cursor
from scheduling_admin.errors import ExitStatus
from scheduling_admin.output.fields import install_fields
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import Listing, render_sentence
from scheduling_admin.output.views import format_status, render_next_page_hint
from scheduling_admin.stack.session import AdminSession
from scheduling_admin.status import list_install_blockers


def installs(
    session: AdminSession,
    tenant: arguments.TenantOption = None,
    limit: arguments.LimitOption = 100,
    cursor: arguments.CursorOption = None,
) -> CommandReport:
    """List the installs of a tenant, in the order of their ids, or of all tenants."""
    scope = installs_scope(tenant)
    position = decode_list_cursor(scope, cursor, parse_install_id)
    page = list_installs(session.services, tenant, after=position, limit=limit)
    next_cursor = encode_cursor(scope, page.next_after)
    document = {
        "installs": [install_fields(install) for install in page.installs],
        "nextCursor": next_cursor,
    }
    return CommandReport(document, _render_installs(page.installs, tenant, next_cursor))


def _render_installs(
    listed_installs: Sequence[Install], tenant: str | None, next_cursor: str | None
) -> list[RenderableType]:
    if not listed_installs:
        suffix = f" of tenant {tenant}" if tenant else ""
        return [render_sentence(f"There are no installs{suffix}.")]
    columns = ("Install", "Tenant", "Extension, version", "Fires", "Schedules")
    rows = [
        (
            install.id,
            install.tenant_id,
            _describe_extension(install),
            "\n".join(format_status(list_install_blockers(install))),
            install.schedule_count,
        )
        for install in listed_installs
    ]
    return [Listing(columns, rows), *render_next_page_hint(next_cursor)]


def _describe_extension(install: Install) -> str:
    """Return the manifest's name and version above the ids, of which an earlier release stored these alone."""
    if install.extension_name is None:
        return f"{install.registry_id}\n{install.version_id}"
    return (
        f"{install.extension_name} {install.extension_version}\n{install.registry_id}\n{install.version_id}"
    )


def disable(
    session: AdminSession, install: arguments.InstallArgument, yes: arguments.YesOption = False
) -> CommandReport:
    """Disable an install: its schedules stay but no longer fire, until `enable` resumes them."""
    return _change_enabled(session, InstallId(install), enabled=False, yes=yes)


def enable(session: AdminSession, install: arguments.InstallArgument) -> CommandReport:
    """Enable an install: its enabled schedules fire again."""
    return _change_enabled(session, InstallId(install), enabled=True, yes=True)


def _change_enabled(
    session: AdminSession, install_id: InstallId, *, enabled: bool, yes: bool
) -> CommandReport:
    before = session.services.schedules.read_snapshot(install_id).install
    if before is None:
        raise InstallNotFound
    count = f"{before.schedule_count} schedule{'s' if before.schedule_count != 1 else ''}"
    question = f"Disable install {install_id} of tenant {before.tenant_id}, with its {count}?"
    session.confirm(question, yes=yes or before.enabled == enabled)
    set_install_enabled(session.services, install_id, enabled=enabled, actor=session.actor)
    after = session.services.schedules.read_snapshot(install_id).install
    if after is None:
        raise InstallNotFound
    complete = after.pending_since is None
    document = {
        **install_fields(after),
        "changed": before.enabled != enabled,
        "complete": complete,
    }
    return CommandReport(
        document, _render_change(before, after), ExitStatus.OK if complete else ExitStatus.NEEDS_ATTENTION
    )


def _render_change(before: Install, after: Install) -> list[RenderableType]:
    if before.enabled == after.enabled:
        text = f"Install {after.id} was already {'enabled' if after.enabled else 'disabled'}."
    elif not after.enabled:
        text = f"Install {after.id} is disabled: its schedules no longer fire."
    elif after.paused:
        text = f"Install {after.id} is enabled, but its tenant is paused: its schedules do not fire yet."
    else:
        text = f"Install {after.id} is enabled: its enabled schedules fire again."
    renderables: list[RenderableType] = [render_sentence(text)]
    if after.pending_since:
        hint = "Some timers are not updated yet: the reconciler updates them, or run the same command again."
        renderables.append(render_sentence(hint, "yellow"))
    return renderables
