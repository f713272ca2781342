"""The commands `installs`, `disable` and `enable`."""

from rich.console import RenderableType
from scheduling.domain.ids import InstallId, parse_install_id
from scheduling.domain.install import Install
from scheduling.domain.views import encode_cursor
from scheduling.operations.installs.queries import installs_scope
from scheduling.operations.installs.register import set_install_enabled

from scheduling_admin.commands import arguments
from scheduling_admin.commands.arguments import decode_list_cursor
from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.output.fields import install_fields, install_view_fields
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import render_sentence
from scheduling_admin.output.views import build_installs_table, render_next_page_hint
from scheduling_admin.queries.installs import list_install_views
from scheduling_admin.queries.schedules import ScheduleFilter
from scheduling_admin.stack.session import AdminSession
from scheduling_admin.status import list_install_blockers
from scheduling_admin.unknown import describe_unknown_install


def installs(
    session: AdminSession,
    tenant: arguments.TenantOption = None,
    failing: arguments.FailingOption = False,
    not_firing: arguments.NotFiringOption = False,
    paused: arguments.PausedInstallsOption = False,
    limit: arguments.LimitOption = 100,
    cursor: arguments.CursorOption = None,
) -> CommandReport:
    """List the installs of a tenant, in the order of their ids, or of all tenants, and whether their schedules fire."""
    scope = installs_scope(tenant)
    position = decode_list_cursor(scope, cursor, parse_install_id)
    only = ScheduleFilter(failing=failing, not_firing=not_firing, paused=paused)
    found = list_install_views(session.services, tenant, after=position, limit=limit, only=only)
    next_cursor = encode_cursor(scope, found.next_after)
    document = {
        "installs": [install_view_fields(each) for each in found.views],
        "nextCursor": next_cursor,
    }
    if not found.views:
        suffix = f" of tenant {tenant}" if tenant else ""
        kind = "such installs" if only.is_set else "installs"
        return CommandReport(document, [render_sentence(f"There are no {kind}{suffix}.")])
    return CommandReport(document, [build_installs_table(found.views), *render_next_page_hint(next_cursor)])


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
        raise describe_unknown_install(install_id)
    if before.unreadable:
        text = f"Install {install_id} cannot be read: {before.unreadable}. To correct it, register it again."
        raise AdminError(text, ExitStatus.REFUSED)
    count = f"{before.schedule_count} schedule{'s' if before.schedule_count != 1 else ''}"
    question = f"Disable install {install_id} of tenant {before.tenant_id}, with its {count}?"
    session.confirm(question, yes=yes or before.enabled == enabled)
    set_install_enabled(session.services, install_id, enabled=enabled, actor=session.actor)
    after = session.services.schedules.read_snapshot(install_id).install
    if after is None:
        raise describe_unknown_install(install_id)
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
    elif blockers := list_install_blockers(after):
        text = f"Install {after.id} is enabled, but its schedules do not fire yet: {'; '.join(blockers)}."
    else:
        text = f"Install {after.id} is enabled: its enabled schedules fire again."
    renderables: list[RenderableType] = [render_sentence(text)]
    if after.pending_since:
        hint = "Some timers are not updated yet: the reconciler updates them, or run the same command again."
        renderables.append(render_sentence(hint, "yellow"))
    return renderables
