"""The local stack as a process of its own, beside a runner under the tests' control, and a client of it."""

import json
import os
import time
from collections.abc import Iterator
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
from tests.support.scripted_runner import ScriptedRunner, scripted_runner
from tests.support.world import registration_body

TOKEN = "local-runner-key"
WIDE_OPEN = "100000"
A_YEAR = "8760"


@dataclass
class LocalStack:
    """A running local stack."""

    api: httpx.Client
    control: httpx.Client
    aws_url: str
    runner: ScriptedRunner
    _clients: dict[str, Any] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def register(self, install_id: str | None = None, **fields: object) -> "ApiInstall":
        """An install, new or changed."""
        install_id = install_id or str(uuid4())
        answer = self.api.put(f"/admin/v1/installs/{install_id}", json=registration_body(**fields))
        assert answer.status_code in (200, 201), answer.text
        return ApiInstall(self, install_id)

    def remove_timers(self) -> None:
        """Leave nothing that the next test's travels would fire."""
        scheduler, group = self.aws("scheduler"), self.group()
        for page in scheduler.get_paginator("list_schedules").paginate(GroupName=group):
            for found in page["Schedules"]:
                scheduler.delete_schedule(GroupName=group, Name=found["Name"])

    def travel(self, duration: str) -> list[dict[str, str]]:
        """Move the clock; what fired."""
        answer = self.control.post("/_local/clock", json={"advance": duration})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["fired"])

    def now(self) -> datetime:
        """By the stack's clock."""
        return datetime.fromisoformat(self.control.get("/_local/clock").json()["now"])

    def callback_token(self, install: "ApiInstall") -> str:
        """What the runner is given with a run of the install that begins at this very moment of the clock."""
        schedule_id = install.created(cron="*/5 * * * *")
        now = self.now()
        full = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0) + timedelta(minutes=5)
        answer = self.control.post("/_local/clock", json={"to": full.isoformat()})
        assert answer.status_code == 200, answer.text
        return str(self.runner.of(schedule_id)[-1].body["context"]["callback_token"])

    def deliver(self, schedule_id: str, scheduled_time: str) -> str:
        """Deliver an occurrence once more; its status."""
        body = {"scheduleId": schedule_id, "scheduledTime": scheduled_time}
        answer = self.control.post("/_local/deliver", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["status"])

    def aws(self, service: str) -> Any:
        """A client of the emulated AWS."""
        if service not in self._clients:
            session = boto3.Session("test", "test", region_name="us-east-1")
            self._clients[service] = session.client(service, endpoint_url=self.aws_url)  # type: ignore[call-overload]
        return self._clients[service]

    def group(self) -> str:
        """The name of the stack's schedule group."""
        if "group" not in self._names:
            groups = self.aws("scheduler").list_schedule_groups()["ScheduleGroups"]
            (self._names["group"],) = (group["Name"] for group in groups if group["Name"] != "default")
        return self._names["group"]

    def table(self) -> str:
        """The name of the stack's table."""
        if "table" not in self._names:
            (self._names["table"],) = self.aws("dynamodb").list_tables()["TableNames"]
        return self._names["table"]

    def callback_key(self) -> str:
        """The key that signs callback tokens."""
        secret = f"{STACK_NAME}-CallbackKey"
        return str(self.aws("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])

    def dead_letters(self) -> list[dict[str, Any]]:
        """What is in the dead-letter queue; taken out of it."""
        sqs = self.aws("sqs")
        (url,) = sqs.list_queues(QueueNamePrefix=f"{STACK_NAME}-DeadLetterQueue")["QueueUrls"]
        found = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


@dataclass
class ApiInstall:
    """One install, called as its runner would."""

    stack: LocalStack
    id: str

    @property
    def callback_path(self) -> str:
        """Of the runner's callback."""
        return f"/api/internal/ext-scheduler/install/{self.id}"

    @property
    def path(self) -> str:
        """Of the resource API."""
        return f"/v1/installs/{self.id}"

    def call(self, operation: str, **fields: object) -> httpx.Response:
        """The callback."""
        return self.stack.api.post(self.callback_path, json={"operation": operation, **fields})

    def created(self, **fields: object) -> str:
        """The id of a new schedule: hourly to POST /api/sync unless `fields` say otherwise."""
        answer = self.call("create", **{"endpoint": "POST /api/sync", "cron": "0 * * * *", **fields})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["scheduleId"])

    def schedule(self, schedule_id: str) -> dict[str, Any]:
        """The schedule by the resource API."""
        return dict(self.stack.api.get(f"{self.path}/schedules/{schedule_id}").json())

    def runs(self, schedule_id: str) -> list[dict[str, Any]]:
        """Its history, newest first."""
        return list(self.stack.api.get(f"{self.path}/schedules/{schedule_id}/runs").json()["runs"])

    def timer(self, schedule_id: str) -> dict[str, Any] | None:
        """What stands in EventBridge for the schedule."""
        client = self.stack.aws("scheduler")
        try:
            return dict(client.get_schedule(GroupName=self.stack.group(), Name=schedule_id))
        except client.exceptions.ResourceNotFoundException:
            return None

    def rows(self) -> list[dict[str, Any]]:
        """The install's items in the table."""
        pages = (
            self.stack.aws("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.stack.table(),
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"INSTALL#{self.id}"}},
                ConsistentRead=True,
            )
        )
        return [item for page in pages for item in page["Items"]]


@contextmanager
def local_stack(folder: Path, address: str = "127.0.0.1", **environment: str) -> Iterator[LocalStack]:
    """A local stack with frozen clock and wide-open window, unless `environment` says otherwise."""
    api, aws, unused = free_ports(3)
    ports = {"API_PORT": str(api), "AWS_PORT": str(aws), "RUNNER_PORT": str(unused)}
    with scripted_runner(address) as runner:
        defaults = {
            "LISTEN_ADDRESS": address,
            "LOCAL_CLOCK": "frozen",
            "WRITES_PER_MINUTE": WIDE_OPEN,
            "SWEEP_INTERVAL_HOURS": A_YEAR,  # lest one mend what tests have left behind
            "RUNNER_BASE_URL": runner.url,
        }
        child = ChildProcess(
            "local", environ={**_inherited(), **ports, **defaults, **environment}, log=folder / "local.log"
        )
        url = f"http://127.0.0.1:{api}"
        try:
            _wait_until_healthy(child, f"{url}/_local/health")
            with api_client(url) as client:
                yield LocalStack(client, client, f"http://127.0.0.1:{aws}", runner)
        finally:
            child.stop()


def api_client(url: str) -> httpx.Client:
    """A client that shows the token."""
    return httpx.Client(base_url=url, headers={"x-runner-auth": TOKEN}, timeout=60)


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _wait_until_healthy(child: ChildProcess, url: str) -> None:
    child.wait_until_ready(url)
    deadline = time.monotonic() + 30
    while httpx.get(url).status_code != 200:
        assert time.monotonic() < deadline, f"not healthy, see {child.log}"
