"""``python -m local.demo.__main__``: the sample sets itself up, an hour passes, its heartbeats reach it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
from rich.console import Console

from local.demo.client import DemoClient
from local.demo.tables import runs_table, schedules_table
from local.errors import SettingsError, StackError
from local.launch import launched
from local.processes import end_on_signals
from local.settings import read_demo_settings

if TYPE_CHECKING:
    from local.stack import Stack

_HEARTBEATS = 12


def main() -> int:
    """Run the demonstration; the exit status says whether all went as promised."""
    end_on_signals()
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 100, highlight=False)
    try:
        settings = read_demo_settings()
    except SettingsError as error:
        sys.stderr.write(f"demo: {error}\n")
        return error.exit_status
    try:
        with launched(settings, start=_full_hour()) as stack:
            _demonstrate(console, stack)
    except (StackError, httpx.HTTPError) as error:
        console.print(f"\nThe demonstration failed: {error}", style="red", markup=False)
        console.print(f"What happened is in {settings.logs}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _full_hour() -> datetime:
    """A start from which an hour holds exactly 12 times five minutes."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _demonstrate(console: Console, stack: Stack) -> None:
    if not stack.sample:
        raise StackError("the sample extension is not built; build it by python -m samples.build")
    client = DemoClient(stack.settings, stack.sample)
    _set_up(console, client)
    schedules = client.schedules()
    console.print(schedules_table(schedules, stack.timers.look()))

    fired = client.travel("PT1H")
    _step(console, f"An hour passes: {len(fired)} occurrences fire")
    runs = [(schedule, run) for schedule in schedules for run in client.runs(schedule["id"])]
    runs.sort(key=lambda found: str(found[1]["scheduledTime"]))
    console.print(runs_table(runs))
    _check(runs, fires=len(fired))
    console.print(
        f"{_HEARTBEATS} heartbeats reached the extension, each once, all with success.", style="green"
    )


def _set_up(console: Console, client: DemoClient) -> None:
    console.print()
    first = client.call_extension("POST", "/api/setup")
    _step(console, f"The extension sets itself up: it creates {' and '.join(first['created'])}")
    again = client.call_extension("POST", "/api/setup")
    if not first["created"] or again["created"]:
        raise StackError(f"setup created {first['created']}, then {again['created']} once more")
    _step(console, "It sets itself up again: nothing is created twice")


def _check(runs: list[tuple[dict[str, Any], dict[str, Any]]], fires: int) -> None:
    heartbeats = [run for schedule, run in runs if schedule["name"] == "heartbeat"]
    for schedule, run in runs:
        if (run["status"], run["httpStatus"]) != ("success", 200):
            raise StackError(f"{schedule['name']} failed at {run['scheduledTime']}: {run['error']}")
    if len(heartbeats) != _HEARTBEATS or len(runs) != fires:
        raise StackError(
            f"{len(heartbeats)} heartbeats instead of {_HEARTBEATS}; {len(runs)} runs of {fires} fires"
        )


def _step(console: Console, text: str) -> None:
    console.print(f"[bold]●[/] {text}", soft_wrap=True)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # A function under way cannot be interrupted, and must not hold up the end.
    os._exit(status)
