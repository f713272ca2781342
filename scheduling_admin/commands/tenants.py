"""The kill switch."""

from rich.console import RenderableType
from scheduling.domain.ids import InstallId
from scheduling.domain.tenant import Tenant
from scheduling.operations.installs.tenants import PAGE, follow_tenant, turn_tenant

from scheduling_admin.commands import arguments
from scheduling_admin.errors import leaving
from scheduling_admin.output.report import Report
from scheduling_admin.output.tables import sentence
from scheduling_admin.stack.session import Operator


def pause(operator: Operator, tenant: arguments.Tenant, yes: arguments.Yes = False) -> Report:
    """Stop the firing of all schedules of a tenant, those to come included; goes on until all installs follow."""
    return _turn(operator, tenant, paused=True, yes=yes)


def resume(operator: Operator, tenant: arguments.Tenant) -> Report:
    """Resume the firing of all schedules of a tenant; goes on until all installs follow."""
    return _turn(operator, tenant, paused=False, yes=True)


def _turn(operator: Operator, tenant_id: str, *, paused: bool, yes: bool) -> Report:
    before = operator.services.tenants.read(tenant_id)
    count = _count(operator, tenant_id)
    changed = before.paused != paused
    if changed:
        operator.confirm(_question(tenant_id, count), yes=yes)
    with leaving(f"Tenant {tenant_id} is not done; the same command goes on where this one stopped."):
        _until_complete(operator, tenant_id, paused, count)
    document = {
        "tenantId": tenant_id,
        "paused": paused,
        "changed": changed,
        "installs": count,
        "complete": True,
    }
    return Report(document, [_told(before, paused, count)])


def _until_complete(operator: Operator, tenant_id: str, paused: bool, count: int) -> None:
    with operator.progress() as bar:
        task = bar.add_task("Pausing" if paused else "Resuming", total=count)
        turned = turn_tenant(operator.services, tenant_id, paused=paused, by=operator.name)
        bar.advance(task, turned.installs)
        while not turned.complete:
            # Not turned anew: somebody may have turned it the other way meanwhile.
            turned = follow_tenant(operator.services, turned.tenant)
            bar.advance(task, turned.installs)


def _count(operator: Operator, tenant_id: str) -> int:
    count = 0
    last: InstallId | None = None
    while page := operator.services.tenants.installs(tenant_id, last, PAGE):
        count += len(page)
        last = page[-1]
    return count


def _question(tenant_id: str, count: int) -> str:
    if not count:
        return f"Tenant {tenant_id} has no installs. Pause it all the same, before it has any?"
    return f"Pause tenant {tenant_id}, with {_installs(count)}?"


def _told(before: Tenant, paused: bool, count: int) -> RenderableType:
    word = "paused" if paused else "resumed"
    if before.paused == paused and not before.pending_since:
        state = "paused" if paused else "not paused"
        return sentence(f"Tenant {before.id} was {state} already.")
    what = "nothing of it fires any more" if paused else "its schedules fire again"
    return sentence(f"Tenant {before.id} is {word}, {_installs(count)}: {what}.")


def _installs(count: int) -> str:
    return f"{count} install{'' if count == 1 else 's'}"
