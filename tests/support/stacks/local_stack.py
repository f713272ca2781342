"""The local stack in its own process, with a scripted runner, and a client."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx

from local.cloudformation.deploy import STACK_NAME
from local.processes import ChildProcess
from local.settings import free_ports
from tests.support.oracles.api_description import check_response
from tests.support.stacks.scripted_runner import ScriptedRunner, start_scripted_runner
from tests.support.stacks.world import registration_body

RUNNER_TOKEN = "local-runner-key"
UNLIMITED_WRITES = "10000"
YEAR_HOURS = "8760"
PATIENCE_SECONDS = 120
"""How long tests wait for what happens within a second unless the machine is busy."""
HOURLY_SCHEDULE = {"endpoint": "POST /api/sync", "cron": "0 * * * *"}
"""The body of the simplest create."""


@dataclass
class LocalStack:
    """A running local stack."""

    api: httpx.Client
    control: httpx.Client
    aws_url: str
    runner: ScriptedRunner
    _clients: dict[str, Any] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _idle_at: tuple[datetime, int] | None = None
    """The clock and the number of the runner's requests at the end of `advance_to_half_past`."""

    def register_install(self, install_id: str | None = None, **fields: object) -> "ApiInstall":
        """Register or change an install."""
        install_id = install_id or str(uuid4())
        response = self.api.put(f"/admin/v1/installs/{install_id}", json=registration_body(**fields))
        assert response.status_code in (200, 201), response.text
        return ApiInstall(self, install_id)

    def delete_timers(self) -> None:
        """Delete all timers, so that the next test's clock moves fire none of them."""
        scheduler, group = self.aws_client("scheduler"), self.group_name()
        for page in scheduler.get_paginator("list_schedules").paginate(GroupName=group):
            for timer in page["Schedules"]:
                scheduler.delete_schedule(GroupName=group, Name=timer["Name"])

    def advance_clock(self, duration: str) -> list[dict[str, str]]:
        """Move the clock and return the fires."""
        response = self.control.post("/_local/clock", json={"advance": duration}, timeout=None)
        assert response.status_code == 200, response.text
        return list(response.json()["fired"])

    def advance_to_half_past(self) -> None:
        """Move the clock to a half hour, which ends all retries and waits of earlier fires.

        An hourly schedule then fires half an hour later, and half an hour is left for its retries until an hour's end.
        Does nothing if the clock still stands there and nothing has run since.
        """
        now = self.read_clock()
        if self._idle_at == (now, len(self.runner.requests)):
            return
        later = now + timedelta(minutes=50)
        half_past = later.replace(minute=30, second=0, microsecond=0)
        response = self.control.post("/_local/clock", json={"to": half_past.isoformat()})
        assert response.status_code == 200, response.text
        self._idle_at = half_past, len(self.runner.requests)

    def read_clock(self) -> datetime:
        """Return the time of the stack's clock."""
        return datetime.fromisoformat(self.control.get("/_local/clock").json()["now"])

    def future_hour(self, hours: int = 1) -> str:
        """Return a full hour after the present one, as the scheduled time of an occurrence that is not late."""
        hour = self.read_clock().replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
        return hour.isoformat().replace("+00:00", "Z")

    def issue_callback_token(self, install: "ApiInstall") -> str:
        """Run a schedule of the install now and return the callback token that the runner receives."""
        schedule_id = install.create_schedule(cron="*/5 * * * *")
        now = self.read_clock()
        next_fire_time = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0) + timedelta(
            minutes=5
        )
        response = self.control.post("/_local/clock", json={"to": next_fire_time.isoformat()})
        assert response.status_code == 200, response.text
        return str(self.runner.requests_for_schedule(schedule_id)[-1].body["context"]["callback_token"])

    def deliver_occurrence(self, schedule_id: str, scheduled_time: str) -> str:
        """Deliver an occurrence again and return its status."""
        body = {"scheduleId": schedule_id, "scheduledTime": scheduled_time}
        response = self.control.post("/_local/deliver", json=body)
        assert response.status_code == 200, response.text
        return str(response.json()["status"])

    def aws_client(self, service: str) -> Any:
        """Return a client of the emulated AWS."""
        if service not in self._clients:
            session = boto3.Session("test", "test", region_name="us-east-1")
            self._clients[service] = session.client(service, endpoint_url=self.aws_url)  # type: ignore[call-overload]
        return self._clients[service]

    def group_name(self) -> str:
        """Return the name of the stack's schedule group."""
        if "group" not in self._names:
            groups = self.aws_client("scheduler").list_schedule_groups()["ScheduleGroups"]
            (self._names["group"],) = (group["Name"] for group in groups if group["Name"] != "default")
        return self._names["group"]

    def table_name(self) -> str:
        """Return the name of the stack's table."""
        if "table" not in self._names:
            (self._names["table"],) = self.aws_client("dynamodb").list_tables()["TableNames"]
        return self._names["table"]

    def read_callback_key(self) -> str:
        """Return the key that signs callback tokens."""
        secret = f"{STACK_NAME}-CallbackKey"
        return str(self.aws_client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])

    def queue_url(self, logical_id: str) -> str:
        """Return the URL of one of the template's queues."""
        return str(self.aws_client("sqs").get_queue_url(QueueName=f"{STACK_NAME}-{logical_id}")["QueueUrl"])

    def receive_dead_letters(self) -> list[dict[str, Any]]:
        """Receive and delete all messages of the dead-letter queue."""
        sqs = self.aws_client("sqs")
        url = self.queue_url("DeadLetterQueue")
        dead_letters = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                dead_letters.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return dead_letters


@dataclass
class ApiInstall:
    """One install, called as its runner calls it."""

    stack: LocalStack
    id: str

    @property
    def callback_path(self) -> str:
        """The path of the runner's callback."""
        return f"/api/internal/ext-scheduler/install/{self.id}"

    @property
    def path(self) -> str:
        """The path in the resource API."""
        return f"/v1/installs/{self.id}"

    def call_callback(self, operation: str, **fields: object) -> httpx.Response:
        """Call the runner's callback."""
        return self.stack.api.post(self.callback_path, json={"operation": operation, **fields})

    def create_schedule(self, **fields: object) -> str:
        """Create a schedule, `HOURLY_SCHEDULE` changed by `fields`, and return its id."""
        response = self.call_callback("create", **{**HOURLY_SCHEDULE, **fields})
        assert response.status_code == 201, response.text
        return str(response.json()["scheduleId"])

    def read_schedule(self, schedule_id: str) -> dict[str, Any]:
        """Return the schedule from the resource API."""
        return dict(self.stack.api.get(f"{self.path}/schedules/{schedule_id}").json())

    def list_runs(self, schedule_id: str) -> list[dict[str, Any]]:
        """Return the history of the schedule, newest first."""
        return list(self.stack.api.get(f"{self.path}/schedules/{schedule_id}/runs").json()["runs"])

    def read_timer(self, schedule_id: str) -> dict[str, Any] | None:
        """Return the schedule's timer in EventBridge Scheduler, or None."""
        client = self.stack.aws_client("scheduler")
        try:
            return dict(client.get_schedule(GroupName=self.stack.group_name(), Name=schedule_id))
        except client.exceptions.ResourceNotFoundException:
            return None

    def read_rows(self) -> list[dict[str, Any]]:
        """Return the install's items in the table, without the log of changes, which `audit` writes later."""
        pages = (
            self.stack.aws_client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.stack.table_name(),
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"INSTALL#{self.id}"}},
                ConsistentRead=True,
            )
        )
        items = [item for page in pages for item in page["Items"]]
        return [item for item in items if not item["sk"]["S"].startswith("CHANGE#")]


@contextmanager
def start_local_stack(folder: Path, address: str = "127.0.0.1", **environment: str) -> Iterator[LocalStack]:
    """Start a local stack with a frozen clock and without a rate limit, unless `environment` says otherwise."""
    api_port, aws_port, runner_port = free_ports(3)
    ports = {"API_PORT": str(api_port), "AWS_PORT": str(aws_port), "RUNNER_PORT": str(runner_port)}
    with start_scripted_runner(address, strict=True) as runner:
        defaults = {
            "LISTEN_ADDRESS": address,
            "CONSOLE_PORT": "0",
            "LOCAL_CLOCK": "frozen",
            "WRITES_PER_MINUTE": UNLIMITED_WRITES,
            "SWEEP_INTERVAL_HOURS": YEAR_HOURS,  # so that no sweep repairs what tests have left
            "RUNNER_BASE_URL": runner.url,
        }
        child = ChildProcess(
            "local",
            environ={**_inherited_environment(), **ports, **defaults, **environment},
            log=folder / "local.log",
        )
        url = f"http://127.0.0.1:{api_port}"
        try:
            _wait_until_healthy(child, f"{url}/_local/health")
            with create_api_client(url) as client:
                yield LocalStack(client, client, f"http://127.0.0.1:{aws_port}", runner)
        finally:
            child.stop()


def fire_statuses(fired: list[dict[str, str]], schedule_id: str) -> list[str]:
    """Return the statuses of the schedule's fires."""
    return [each["status"] for each in fired if each["scheduleId"] == schedule_id]


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, object]:
    """Assert that the response is a problem with that status and code, and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, "about:blank")
    assert problem["title"]
    assert problem["detail"]
    return dict(problem)


def wait_for(read: Callable[[], Any], condition: Callable[[Any], bool]) -> Any:
    """Poll until the condition holds and return the value; nothing waits for an asynchronous run."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition(value := read()):
        assert time.monotonic() < deadline, value
    return value


def create_api_client(url: str) -> httpx.Client:
    """Create a client that sends the runner token, and fails on a response that docs/openapi.json does not describe."""
    headers = {"x-runner-auth": RUNNER_TOKEN}
    return httpx.Client(base_url=url, headers=headers, timeout=60, event_hooks={"response": [check_response]})


def _inherited_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _wait_until_healthy(child: ChildProcess, url: str) -> None:
    child.wait_until_ready(url)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while httpx.get(url).status_code != 200:
        assert time.monotonic() < deadline, f"not healthy, see {child.log}"
