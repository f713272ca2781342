"""``python -m local.demo``: the sample extension creates its schedules, the clock advances an hour, they fire."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
from rich.console import Console

from local.demo.client import DemoClient
from local.demo.extension_log import ExtensionLog
from local.demo.tables import runs_table, schedules_table
from local.errors import SettingsError, StackError
from local.launch import launch_stack
from local.logs import delete_oldest_folders
from local.processes import interrupt_on_signals
from local.settings import read_demo_settings

if TYPE_CHECKING:
    from local.stack import Stack

_EXPECTED_HEARTBEATS = 12


def main() -> int:
    """Run the demonstration and return the exit status; 0 if everything is as expected."""
    interrupt_on_signals()
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 80, highlight=False)
    try:
        settings = read_demo_settings()
    except SettingsError as error:
        sys.stderr.write(f"demo: {error}\n")
        return error.exit_status
    try:
        delete_oldest_folders(settings.logs.parent)
        with launch_stack(settings, start=_current_hour()) as stack:
            _run_demo(console, stack)
    except (StackError, httpx.HTTPError) as error:
        console.print(f"\nThe demonstration failed: {error}", style="red", markup=False)
        console.print(f"The logs are in {settings.logs}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _current_hour() -> datetime:
    """Return the start of the hour, from which an hour has exactly 12 times five minutes."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _run_demo(console: Console, stack: Stack) -> None:
    if not stack.sample:
        raise StackError("the sample extension is not built; build it with: make sample")
    client = DemoClient(stack.settings, stack.sample)
    _set_up_extension(console, client)
    schedules = client.list_schedules()
    console.print(schedules_table(schedules, stack.timers.read_timers()))

    extension_log = _open_extension_log(stack)
    fire_count = client.advance_clock("PT1H")
    _print_step(console, f"The clock advances one hour: {fire_count} occurrences fire")
    runs = [(schedule, run) for schedule in schedules for run in client.list_runs(schedule["id"])]
    runs.sort(key=lambda pair: str(pair[1]["scheduledTime"]))
    console.print(runs_table(runs))
    if extension_log and (messages := extension_log.read_messages()):
        _print_step(console, "The extension logs which occurrences it serves:")
        console.print("\n".join(["", *messages, ""]), markup=False)
    _check_runs(runs, fire_count)
    console.print(
        f"The extension received {_EXPECTED_HEARTBEATS} heartbeats, each once, and all succeeded.",
        style="green",
    )


def _open_extension_log(stack: Stack) -> ExtensionLog | None:
    """Return the sample's log; None if the runner is the user's, whose log is elsewhere."""
    if stack.settings.runner_base_url or not stack.sample:
        return None
    return ExtensionLog(stack.settings.runner_log, stack.sample.install_id)


def _set_up_extension(console: Console, client: DemoClient) -> None:
    console.print()
    first = client.call_extension("POST", "/api/setup")
    _print_step(console, f"The extension creates its schedules: {' and '.join(first['created'])}")
    second = client.call_extension("POST", "/api/setup")
    if not first["created"] or second["created"]:
        raise StackError(f"the setup created {first['created']}, and when repeated {second['created']}")
    _print_step(console, "It repeats the setup: nothing is created twice")


def _check_runs(runs: list[tuple[dict[str, Any], dict[str, Any]]], fire_count: int) -> None:
    heartbeats = [run for schedule, run in runs if schedule["name"] == "heartbeat"]
    for schedule, run in runs:
        if (run["status"], run["httpStatus"]) != ("success", 200):
            raise StackError(f"{schedule['name']} failed at {run['scheduledTime']}: {run['error']}")
    if len(heartbeats) != _EXPECTED_HEARTBEATS or len(runs) != fire_count:
        raise StackError(
            f"{len(heartbeats)} heartbeats instead of {_EXPECTED_HEARTBEATS}; {len(runs)} runs for {fire_count} fires"
        )


def _print_step(console: Console, text: str) -> None:
    console.print(f"[bold]●[/] {text}", soft_wrap=True)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # A running function cannot be interrupted and must not delay the exit.
    os._exit(status)
