"""Events on the bus, received by a rule with a queue."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from local.cloudformation.deploy import STACK_NAME
from local.settings import PROJECT_ROOT
from tests.support.oracles.event_schema import find_violation
from tests.support.stacks.local_stack import ApiInstall, LocalStack
from tests.support.stacks.scripted_runner import extension_response

Event = dict[str, Any]


@dataclass
class EventQueue:
    """Receives the events of one install, each once."""

    stack: LocalStack
    queue: str
    install_id: str

    def receive_events(self) -> list[Event]:
        """Return the events since the last call, in order; fail if one violates the schema."""
        self.stack.advance_clock("PT0S")  # delivers the table's changes before it returns
        sqs, events = self.stack.aws_client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                events.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        for event in events:
            assert find_violation(event["source"], event["detail-type"], event["detail"]) is None
        return sorted(events, key=lambda event: int(event["detail"]["sequence"]))

    def receive_event_names(self) -> list[str]:
        """Return the summaries of the events since the last call."""
        return [
            f"{event['detail-type']} by {event['detail']['actor']['kind']}" for event in self.receive_events()
        ]


@pytest.fixture
def listener(stack: LocalStack) -> Iterator[EventQueue]:
    sqs, events, name = stack.aws_client("sqs"), stack.aws_client("events"), str(uuid4())
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": ["extension-scheduler"], "detail": {"installId": [name]}})
    events.put_rule(Name=name, EventBusName=STACK_NAME, EventPattern=pattern)
    events.put_targets(Rule=name, EventBusName=STACK_NAME, Targets=[{"Id": "1", "Arn": arn}])
    yield EventQueue(stack, queue, name)
    events.remove_targets(Rule=name, EventBusName=STACK_NAME, Ids=["1"])
    events.delete_rule(Name=name, EventBusName=STACK_NAME)


@pytest.fixture
def install(stack: LocalStack, listener: EventQueue) -> ApiInstall:
    """The install whose events the listener receives."""
    return stack.register_install(listener.install_id)


def test_every_change_of_an_install_is_published_once(
    stack: LocalStack, install: ApiInstall, listener: EventQueue
) -> None:
    schedule_id = install.create_schedule(name="hourly", payload={"a": 1})
    install.call_callback("update", scheduleId=schedule_id, cron="5 * * * *")
    install.call_callback("update", scheduleId=schedule_id, cron="nonsense")
    install.call_callback("delete", scheduleId=schedule_id)
    install.create_schedule(name="last")
    for verb in ("disable", "enable"):
        assert stack.api.post(f"/admin/v1/installs/{install.id}/{verb}").status_code == 200
    assert stack.api.delete(f"/admin/v1/installs/{install.id}").status_code == 204

    assert listener.receive_event_names() == [
        "InstallRegistered by admin",
        "ScheduleCreated by host_api",
        "ScheduleUpdated by host_api",
        "ScheduleDeleted by host_api",
        "ScheduleCreated by host_api",
        "InstallChanged by admin",
        "InstallChanged by admin",
        "InstallDeleted by admin",
        "ScheduleDeleted by admin",
    ]
    assert listener.receive_event_names() == []


@pytest.mark.local_only("functions in containers use the real time")
def test_run_that_fails_three_times_is_published_once_with_its_time(
    stack: LocalStack, install: ApiInstall, listener: EventQueue
) -> None:
    stack.runner.respond = lambda _request: extension_response(500)
    schedule_id = install.create_schedule()
    (fired,) = [each for each in stack.advance_clock("PT1H") if each["scheduleId"] == schedule_id]

    *_, event = listener.receive_events()

    assert (event["detail-type"], event["detail"]["scheduleId"]) == ("RunFailed", schedule_id)
    run = event["detail"]["after"]
    assert (run["scheduledTime"], run["attempt"], run["httpStatus"]) == (fired["scheduledTime"], 3, 500)
    assert event["detail"]["time"] >= run["startedAt"] >= fired["scheduledTime"].replace("Z", ".000Z")
    assert listener.receive_events() == []


def test_concurrent_creates_publish_exactly_the_stored_schedules(
    install: ApiInstall, listener: EventQueue
) -> None:
    def create(number: int) -> int:
        return install.call_callback(
            "create", endpoint="POST /api/sync", cron="0 * * * *", name=f"n{number}"
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(create, [*range(26), *range(26)]))

    published = [
        event["detail"]["scheduleId"]
        for event in listener.receive_events()
        if event["detail-type"] != "InstallRegistered"
    ]
    stored = [schedule["id"] for schedule in install.call_callback("list").json()["schedules"]]
    assert statuses.count(201) == 26
    assert sorted(published) == sorted(stored)


@pytest.mark.local_only("functions in containers have their own log")
def test_each_event_is_a_line_in_the_log(
    stack: LocalStack, install: ApiInstall, listener: EventQueue
) -> None:
    install.create_schedule(payload=["a secret payload"])
    events = listener.receive_events()

    port = stack.control.base_url.port
    log = (PROJECT_ROOT / "build" / "local" / "logs" / str(port) / "functions.log").read_text()
    lines = [json.loads(line) for line in log.splitlines() if '"service":"audit"' in line]
    published = [line for line in lines if line.get("detail", {}).get("installId") == install.id]
    assert [(line["message"], line["detail"]) for line in published] == [
        (event["detail-type"], event["detail"]) for event in events
    ]
    assert "a secret payload" not in log
