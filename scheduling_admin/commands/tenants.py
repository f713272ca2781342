"""The commands `pause` and `resume`, the kill switch of a tenant."""

from rich.console import RenderableType
from scheduling.domain.ids import InstallId
from scheduling.domain.tenant import Tenant
from scheduling.operations.installs.tenants import PAGE_SIZE, propagate_tenant, set_tenant_paused

from scheduling_admin.commands import arguments
from scheduling_admin.errors import ExitStatus, add_error_hint
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import render_sentence
from scheduling_admin.stack.session import AdminSession


def pause(
    session: AdminSession, tenant: arguments.TenantArgument, yes: arguments.YesOption = False
) -> CommandReport:
    """Pause a tenant: none of its schedules fires, nor any created later; waits until every install is updated."""
    return _change_paused(session, tenant, paused=True, yes=yes)


def resume(session: AdminSession, tenant: arguments.TenantArgument) -> CommandReport:
    """Resume a tenant: its schedules fire again; waits until every install is updated."""
    return _change_paused(session, tenant, paused=False, yes=True)


def _change_paused(session: AdminSession, tenant_id: str, *, paused: bool, yes: bool) -> CommandReport:
    before = session.services.tenants.read_tenant(tenant_id)
    count = _count_installs(session, tenant_id)
    changed = before.paused != paused
    if changed:
        session.confirm(_format_question(tenant_id, count), yes=yes)
    with add_error_hint(
        f"Tenant {tenant_id} is only partly updated; run the same command again to continue."
    ):
        complete = _propagate_until_complete(session, tenant_id, paused, count)
    document = {
        "tenantId": tenant_id,
        "paused": paused,
        "changed": changed,
        "installs": count,
        "complete": complete,
    }
    renderables = [_render_change(before, paused, count)]
    if not complete:
        hint = "Some installs could not be changed, see the messages above; the reconciler retries."
        renderables.append(render_sentence(hint, "red"))
    return CommandReport(document, renderables, ExitStatus.OK if complete else ExitStatus.NEEDS_ATTENTION)


def _propagate_until_complete(session: AdminSession, tenant_id: str, paused: bool, count: int) -> bool:
    """Return whether no install is left, without those that cannot be changed."""
    with session.show_progress() as bar:
        task = bar.add_task("Pausing" if paused else "Resuming", total=count)
        pause_result = set_tenant_paused(session.services, tenant_id, paused=paused, actor=session.actor)
        bar.advance(task, pause_result.install_count)
        while not pause_result.complete and not pause_result.failed_count:
            # Not set again: another caller may have set the opposite in the meantime.
            pause_result = propagate_tenant(session.services, pause_result.tenant)
            bar.advance(task, pause_result.install_count)
    return pause_result.complete


def _count_installs(session: AdminSession, tenant_id: str) -> int:
    count = 0
    last: InstallId | None = None
    while page := session.services.tenants.read_install_ids(tenant_id, last, PAGE_SIZE):
        count += len(page)
        last = page[-1]
    return count


def _format_question(tenant_id: str, count: int) -> str:
    if not count:
        return f"Tenant {tenant_id} has no installs. Pause it anyway, before it has any?"
    return f"Pause tenant {tenant_id}, with {_format_install_count(count)}?"


def _render_change(before: Tenant, paused: bool, count: int) -> RenderableType:
    word = "paused" if paused else "resumed"
    if before.paused == paused and not before.pending_since:
        state = "paused" if paused else "not paused"
        return render_sentence(f"Tenant {before.id} was already {state}.")
    if not count:
        effect = "those that it gets do not fire" if paused else "those that it gets fire"
        return render_sentence(f"Tenant {before.id} is {word}. It has no installs: {effect}.")
    effect = "its schedules no longer fire" if paused else "its schedules fire again, but for disabled ones"
    return render_sentence(f"Tenant {before.id} ({_format_install_count(count)}) is {word}: {effect}.")


def _format_install_count(count: int) -> str:
    return f"{count} install{'' if count == 1 else 's'}"
