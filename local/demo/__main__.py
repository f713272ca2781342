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
from local.launch import launch_stack
from local.processes import interrupt_on_signals
from local.settings import read_demo_settings

if TYPE_CHECKING:
    from local.stack import Stack

_EXPECTED_HEARTBEATS = 12


def main() -> int:
    """Run the demonstration; the exit status says whether all went as promised."""
    interrupt_on_signals()
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 100, highlight=False)
    try:
        settings = read_demo_settings()
    except SettingsError as error:
        sys.stderr.write(f"demo: {error}\n")
        return error.exit_status
    try:
        with launch_stack(settings, start=_current_hour()) as stack:
            _run_demo(console, stack)
    except (StackError, httpx.HTTPError) as error:
        console.print(f"\nThe demonstration failed: {error}", style="red", markup=False)
        console.print(f"What happened is in {settings.logs}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _current_hour() -> datetime:
    """A start from which an hour holds exactly 12 times five minutes."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _run_demo(console: Console, stack: Stack) -> None:
    if not stack.sample:
        raise StackError("the sample extension is not built; build it by python -m samples.build")
    client = DemoClient(stack.settings, stack.sample)
    _set_up_extension(console, client)
    schedules = client.list_schedules()
    console.print(schedules_table(schedules, stack.timers.read_timers()))

    fires = client.advance_clock("PT1H")
    _print_step(console, f"An hour passes: {len(fires)} occurrences fire")
    runs = [(schedule, run) for schedule in schedules for run in client.list_runs(schedule["id"])]
    runs.sort(key=lambda pair: str(pair[1]["scheduledTime"]))
    console.print(runs_table(runs))
    _check_runs(runs, fire_count=len(fires))
    console.print(
        f"{_EXPECTED_HEARTBEATS} heartbeats reached the extension, each once, all with success.",
        style="green",
    )


def _set_up_extension(console: Console, client: DemoClient) -> None:
    console.print()
    first = client.call_extension("POST", "/api/setup")
    _print_step(console, f"The extension sets itself up: it creates {' and '.join(first['created'])}")
    second = client.call_extension("POST", "/api/setup")
    if not first["created"] or second["created"]:
        raise StackError(f"setup created {first['created']}, then {second['created']} once more")
    _print_step(console, "It sets itself up again: nothing is created twice")


def _check_runs(runs: list[tuple[dict[str, Any], dict[str, Any]]], fire_count: int) -> None:
    heartbeats = [run for schedule, run in runs if schedule["name"] == "heartbeat"]
    for schedule, run in runs:
        if (run["status"], run["httpStatus"]) != ("success", 200):
            raise StackError(f"{schedule['name']} failed at {run['scheduledTime']}: {run['error']}")
    if len(heartbeats) != _EXPECTED_HEARTBEATS or len(runs) != fire_count:
        raise StackError(
            f"{len(heartbeats)} heartbeats instead of {_EXPECTED_HEARTBEATS}; {len(runs)} runs of {fire_count} fires"
        )


def _print_step(console: Console, text: str) -> None:
    console.print(f"[bold]●[/] {text}", soft_wrap=True)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # A function under way cannot be interrupted, and must not hold up the end.
    os._exit(status)
