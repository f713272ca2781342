"""The commands, put together."""

import typer

from scheduling_admin.commands import explain as explains
from scheduling_admin.commands import installs, schedules, tenants
from scheduling_admin.commands import reconcile as reconciling
from scheduling_admin.commands import replay as replaying
from scheduling_admin.commands import run as running
from scheduling_admin.commands.decorator import command
from scheduling_admin.errors import MEANINGS

app = typer.Typer(
    help="Look after a deployed Extension Scheduler, by your own AWS credentials.",
    epilog="\n\n".join(["Exit status:", *(f"{status.value} {told}" for status, told in MEANINGS.items())]),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_LOOK, _CHANGE, _MEND = "Look", "Change", "Mend"
_COMMANDS = (
    (_LOOK, installs.installs),
    (_LOOK, schedules.schedules),
    (_LOOK, schedules.schedule),
    (_LOOK, explains.explain),
    (_CHANGE, tenants.pause),
    (_CHANGE, tenants.resume),
    (_CHANGE, installs.disable),
    (_CHANGE, installs.enable),
    (_CHANGE, running.run),
    (_MEND, replaying.replay),
    (_MEND, reconciling.reconcile),
)
for _panel, _function in _COMMANDS:
    app.command(rich_help_panel=_panel)(command(_function))
