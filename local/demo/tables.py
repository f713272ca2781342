"""The demonstration's tables, which fit 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

if TYPE_CHECKING:
    from local.scheduler.schedules import LocalTimer


def schedules_table(schedules: list[dict[str, Any]], timers: dict[str, LocalTimer]) -> Table:
    """Return the table of the extension's schedules with their EventBridge expressions."""
    table = _create_table("Schedule", "Cron", "EventBridge expression", "Time zone")
    for schedule in schedules:
        timer = timers[schedule["id"]]
        table.add_row(schedule["name"], schedule["cron"], timer.expression, timer.timezone)
    return table


def runs_table(runs: list[tuple[dict[str, Any], dict[str, Any]]]) -> Table:
    """Return the table of runs, each with its schedule."""
    table = _create_table("Scheduled time", "Schedule", "Endpoint", "Attempt", "Status", "HTTP")
    for schedule, run in runs:
        color = "green" if run["status"] == "success" else "red"
        table.add_row(
            run["scheduledTime"],
            schedule["name"],
            f"{schedule['endpointMethod']} {schedule['endpointPath']}",
            str(run["attempt"]),
            f"[{color}]{run['status']}[/]",
            str(run["httpStatus"] or ""),
        )
    return table


def _create_table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table
