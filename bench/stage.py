"""The input of the bench: the table's items, the events, the variables, and the artifacts of `sam build`."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scheduling.domain.ids import InstallId
from scheduling.operations.schedules.create import create_schedule

from tests.support.stacks.functions import http_event
from tests.support.stacks.world import TABLE, TENANT, aws_client, create_input, new_world

ROOT = Path(__file__).parents[1]
ARTIFACT = ROOT / "build" / "sam"
WORK = ROOT / "build" / "bench"
LAYER = ARTIFACT / "SchedulingLayer" / "python"
INSTALL = InstallId("5a3d1e0c-9c1b-4f0e-8d55-0d2f6a1c7e11")
PAYLOAD = {"full": True, "since": "2026-01-01", "tables": ["invoices", "contacts"]}
FUNCTION_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "STAGE": "prod",
    "STACK_NAME": "scheduler",
    "POWERTOOLS_SERVICE_NAME": "scheduler",
    "TABLE_NAME": TABLE,
    "SCHEDULE_GROUP_NAME": "group",
    "TIMER_TARGET_ARN": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
    "OCCURRENCE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/occurrences",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters",
    "TIMER_ROLE_ARN": "arn:aws:iam::123456789012:role/timer",
    "TIMER_DLQ_ARN": "arn:aws:sqs:us-east-1:123456789012:timer-dead-letters",
    "CALLBACK_KEY_SECRET_ID": "callback-key",
    "RUNNER_TOKEN_SECRET_ID": "runner-token",
    "EVENT_BUS_NAME": "bus",
}
"""The environment of a function, with the variables of template.yaml's Globals."""


@dataclass(frozen=True)
class Stage:
    """The items of an install with its schedules, and one event for each operation."""

    items: Sequence[Mapping[str, Any]]
    events: Mapping[str, Mapping[str, Any]]


def create_stage(schedules: int = 49, payload: object = PAYLOAD) -> Stage:
    """Build a stage with the service's operations, in memory; by default, the quota has room for one more schedule."""
    with new_world(aws="memory") as world:
        world.register_install(INSTALL)
        # The times of next fires must not pass: those of a deployed stack do not, since each fire moves its own.
        month = (datetime.now(UTC).month + 5) % 12 + 1
        inputs = [
            create_input(name=f"schedule {n}", cron=f"{n} 0 1 {month} *", payload=payload)
            for n in range(schedules)
        ]
        created = [create_schedule(world.services, INSTALL, each) for each in inputs]
        items = aws_client("dynamodb").scan(TableName=TABLE)["Items"]
    for item in items:
        if item["type"]["S"] == "install":
            item["writes"] = {"M": {}}
    return Stage(items, _create_events(created[schedules // 2].id))


def _create_events(schedule_id: str) -> Mapping[str, Mapping[str, Any]]:
    body = {"endpoint": "POST /api/sync", "cron": "*/15 9-17 * * MON-FRI", "timezone": "Europe/Berlin"}
    full_body = {**body, "name": "quarterly", "payload": PAYLOAD}
    return {
        "list": _http_api_event("GET", query={"limit": "50"}),
        "get": _http_api_event("GET", schedule_id),
        "create": _http_api_event("POST", body=full_body),
        "update": _http_api_event(
            "PATCH", schedule_id, body={"cron": "5 4 * * *", "timezone": "Europe/Berlin"}
        ),
        "delete": _http_api_event("DELETE", schedule_id),
        "runs": _http_api_event("GET", schedule_id, query={"limit": "50"}),
        "invalid": _http_api_event("POST", body=[full_body]),
        "refused": _http_api_event(
            "POST", body={**full_body, "cron": "* * * * *", "timezone": "Mars/Olympus"}
        ),
    }


def _http_api_event(
    method: str, schedule_id: str = "", *, body: object = None, query: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """Build an event as API Gateway sends it (payload format 2.0)."""
    path = f"/v1/installs/{INSTALL}/schedules" + f"/{schedule_id}" * bool(schedule_id)
    parameters: dict[str, str] = {"installId": INSTALL}
    if schedule_id:
        parameters["scheduleId"] = schedule_id
    http = {
        "method": method,
        "path": path,
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "runner",
    }
    return {
        **http_event(body, query=query, headers=None, **parameters),
        "headers": {"content-type": "application/json", "host": "api.example", "x-runner-auth": "token"},
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "&".join(f"{name}={value}" for name, value in (query or {}).items()),
        "requestContext": {"http": http, "stage": "$default", "requestId": "1", "domainName": "api.example"},
    }


TENANT_EVENT = {
    **http_event(query={"limit": "50"}, tenantId=TENANT),
    "requestContext": {"authorizer": {"iam": {"userArn": "arn:aws:iam::123456789012:role/support"}}},
}


def find_python() -> str:
    """Return the path of Lambda's Python, found as the build finds it."""
    candidates = [
        shutil.which("python3.13"),
        *sorted(Path.home().glob(".pyenv/versions/3.13.*/bin/python3.13")),
    ]
    for candidate in filter(None, candidates):
        if subprocess.run([str(candidate), "-c", ""], capture_output=True, check=False).returncode == 0:
            return str(candidate)
    raise SystemExit("bench: python3.13 is neither on the PATH nor in pyenv")
