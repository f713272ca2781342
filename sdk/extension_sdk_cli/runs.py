"""Schedules and their runs as lines of text."""

from typing import Any


def describe_schedule(schedule: dict[str, Any]) -> str:
    """Return a line on a schedule: what it invokes, and when."""
    name = schedule["name"] or "(no name)"
    endpoint = f"{schedule['endpointMethod']} {schedule['endpointPath']}"
    state = "" if schedule["enabled"] else ", disabled"
    return f"{name} {schedule['id']}: {endpoint}, {schedule['cron']} {schedule['timezone']}{state}"


def describe_run(run: dict[str, Any]) -> str:
    """Return a line on a run: its result, its error and the request id of its log lines."""
    status = f"{run['status']} {run['httpStatus']}" if run["httpStatus"] else run["status"]
    error = f": {run['error']}" if run["error"] else ""
    request = f", request {run['requestId']}" if run["requestId"] else ""
    return f"{run['scheduledTime']} attempt {run['attempt']} {status}{request}{error}"
