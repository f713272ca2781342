"""The actions: each says what it will do, and then does it as the command of the same effect."""

from collections.abc import Callable, Mapping
from io import StringIO

from rich.console import Console as Terminal
from scheduling.domain.ids import InstallId
from scheduling.domain.rules import ScheduleFields, ScheduleInput
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from scheduling_admin.commands.installs import disable, enable
from scheduling_admin.commands.run import run
from scheduling_admin.commands.tenants import pause, resume
from scheduling_admin.console.actions.replays import perform_replay, plan_replay
from scheduling_admin.console.actions.targets import Action, Plan, Result, Target, describe_schedule
from scheduling_admin.console.links import occurrence_link
from scheduling_admin.errors import ExitStatus
from scheduling_admin.output.report import CommandReport
from scheduling_admin.stack.session import AdminSession

_OUTPUT_WIDTH = 10_000
"""The page breaks the lines."""


def _report(report: CommandReport) -> Result:
    """Return what a command prints."""
    output = StringIO()
    terminal = Terminal(file=output, width=_OUTPUT_WIDTH, highlight=False, markup=False, emoji=False)
    for renderable in report.renderables:
        terminal.print(renderable)
    return Result(output.getvalue().strip(), report.exit_status is ExitStatus.OK)


def _plan_pause(session: AdminSession, target: Target) -> Plan:
    tenant = session.services.tenants.read_tenant(target.tenant or "")
    effects = (
        "None of its schedules fires, in any of its installs, nor any that are created later.",
        "Runs that have started end as usual. After a resume the schedules fire again; what falls in "
        "between is not made up for.",
    )
    note = ("It is paused already.",) if tenant.paused else ()
    return Plan(f"Pause tenant {tenant.id}?", (*note, *effects), f"pause {tenant.id}")


def _plan_resume(_: AdminSession, target: Target) -> Plan:
    effects = ("Its enabled schedules fire again, from their next time on.",)
    return Plan(f"Resume tenant {target.tenant}?", effects, f"resume {target.tenant}")


def _plan_disable(session: AdminSession, target: Target) -> Plan:
    install_id = InstallId(target.install or "")
    install = session.services.schedules.read_snapshot(install_id).install
    count = install.schedule_count if install else 0
    effects = (
        f"Its {count} schedule{'' if count == 1 else 's'} no longer fire, but stay, and fire again once it is enabled.",
        "The extension can neither list nor change its schedules meanwhile.",
    )
    return Plan(f"Disable install {install_id}?", effects, f"disable {install_id}")


def _plan_enable(_: AdminSession, target: Target) -> Plan:
    effects = ("Its enabled schedules fire again, from their next time on, unless the tenant is paused.",)
    return Plan(f"Enable install {target.install}?", effects, f"enable {target.install}")


def _plan_run(session: AdminSession, target: Target) -> Plan:
    name = describe_schedule(session, target)
    effects = (
        "Its endpoint is called once more, now, with its payload. The timer and its next fires stay as they are.",
    )
    return Plan(f"Run {name} now?", effects, f"run {target.install} {target.schedule}")


def _plan_schedule_change(verb: str, effect: str) -> Callable[[AdminSession, Target], Plan]:
    def plan(session: AdminSession, target: Target) -> Plan:
        return Plan(f"{verb} {describe_schedule(session, target)}?", (effect,))

    return plan


def _plan_edit(session: AdminSession, target: Target) -> Plan:
    changes = tuple(f"{name}: {value}" for name, value in target.fields.items())
    return Plan(f"Change {describe_schedule(session, target)}?", changes)


def _run(session: AdminSession, target: Target) -> Result:
    install_id, schedule_id = target.schedule_ids
    document = run(session, install_id, schedule_id, idempotency_key=target.key).document
    time = str(document["scheduledTime"])
    return Result(see=f"{occurrence_link(install_id, schedule_id, time)}?live=1")


def _delete(session: AdminSession, target: Target) -> Result:
    install_id, schedule_id = target.schedule_ids
    delete_schedule(session.services, install_id, schedule_id, actor=session.actor)
    return Result(f"Schedule {schedule_id} is deleted, with its timer and its name.")


def _set_enabled(enabled: bool) -> Callable[[AdminSession, Target], Result]:
    def perform(session: AdminSession, target: Target) -> Result:
        schedule_input = ScheduleInput(ScheduleFields(enabled=enabled))
        update_schedule(session.services, *target.schedule_ids, schedule_input, actor=session.actor)
        return Result(see=target.link)

    return perform


def _edit(session: AdminSession, target: Target) -> Result:
    revision = None if target.revision is None else frozenset({target.revision})
    update_schedule(
        session.services,
        *target.schedule_ids,
        ScheduleInput(target.fields),
        if_match=revision,
        actor=session.actor,
    )
    return Result(see=target.link)


ACTIONS: Mapping[str, Action] = {
    "pause": Action(
        "Pause tenant",
        _plan_pause,
        lambda session, target: _report(pause(session, target.tenant or "", yes=True)),
        "tenant",
        dangerous=True,
    ),
    "resume": Action(
        "Resume tenant",
        _plan_resume,
        lambda session, target: _report(resume(session, target.tenant or "")),
        "tenant",
    ),
    "disable": Action(
        "Disable install",
        _plan_disable,
        lambda session, target: _report(disable(session, target.install or "", yes=True)),
        "install",
        dangerous=True,
    ),
    "enable": Action(
        "Enable install",
        _plan_enable,
        lambda session, target: _report(enable(session, target.install or "")),
        "install",
    ),
    "run": Action("Run now", _plan_run, _run, "schedule"),
    "replay": Action(
        "Replay",
        plan_replay,
        perform_replay,
        "install",
    ),
    "disable-schedule": Action(
        "Disable schedule",
        _plan_schedule_change("Disable", "It no longer fires, but stays. Its extension may enable it again."),
        _set_enabled(False),
        "schedule",
        dangerous=True,
    ),
    "enable-schedule": Action(
        "Enable schedule",
        _plan_schedule_change("Enable", "It fires again, from its next time on."),
        _set_enabled(True),
        "schedule",
    ),
    "delete": Action(
        "Delete schedule",
        _plan_schedule_change(
            "Delete", "The schedule, its timer and its name are deleted. This cannot be undone."
        ),
        _delete,
        "schedule",
        dangerous=True,
    ),
    "edit": Action("Save the change", _plan_edit, _edit, "schedule"),
}
