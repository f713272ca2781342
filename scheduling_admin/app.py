"""The Typer application with all commands."""

from typing import Any

import typer
from typer.core import TyperGroup

from scheduling_admin.commands import (
    backfill,
    changes,
    explain,
    installs,
    reconcile,
    replay,
    republish,
    run,
    schedules,
    status,
    tenants,
)
from scheduling_admin.commands.decorator import create_typer_command
from scheduling_admin.console import command
from scheduling_admin.errors import EXIT_STATUS_MEANINGS
from scheduling_admin.stack.options import move_behind_command


class _CommandGroup(TyperGroup):
    """Accepts the options that all commands share before the command, too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line with these options behind the command; what follows overrides them."""
        return super().parse_args(ctx, move_behind_command(args))


app = typer.Typer(
    cls=_CommandGroup,
    help="Inspect and operate a deployed Extension Scheduler with your own AWS credentials.",
    epilog="\n\n".join(
        ["Exit status:", *(f"{status.value} {meaning}" for status, meaning in EXIT_STATUS_MEANINGS.items())]
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_INSPECT, _CHANGE, _REPAIR = "Inspect", "Change", "Repair"
_COMMANDS = (
    (_INSPECT, status.status),
    (_INSPECT, installs.installs),
    (_INSPECT, schedules.schedules),
    (_INSPECT, schedules.schedule),
    (_INSPECT, explain.explain),
    (_INSPECT, changes.changes),
    (_INSPECT, command.console),
    (_CHANGE, tenants.pause),
    (_CHANGE, tenants.resume),
    (_CHANGE, installs.disable),
    (_CHANGE, installs.enable),
    (_CHANGE, run.run),
    (_REPAIR, backfill.backfill),
    (_REPAIR, replay.replay),
    (_REPAIR, reconcile.reconcile),
    (_REPAIR, republish.republish),
)
for _panel, _function in _COMMANDS:
    app.command(rich_help_panel=_panel)(create_typer_command(_function))
