"""Events on the bus, as a rule with a queue hears them."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from local.cloudformation.deploy import STACK_NAME
from local.settings import PROJECT_ROOT
from tests.support.event_schema import violation
from tests.support.local_stack import ApiInstall, LocalStack
from tests.support.scripted_runner import extension_answer

Event = dict[str, Any]


@dataclass
class Listener:
    """Hears what is told of one install; each event once."""

    stack: LocalStack
    queue: str
    install_id: str

    def heard(self) -> list[Event]:
        """What was told up to now."""
        self.stack.travel("PT0S")  # changes are handed over before their time is left
        sqs, found = self.stack.aws("sqs"), []
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        for event in found:
            assert violation(event["source"], event["detail-type"], event["detail"]) is None
        return sorted(found, key=lambda event: int(event["detail"]["sequence"]))

    def names(self) -> list[str]:
        """The same in short."""
        return [f"{event['detail-type']} by {event['detail']['actor']['kind']}" for event in self.heard()]


@pytest.fixture
def listener(stack: LocalStack) -> Iterator[Listener]:
    sqs, events, name = stack.aws("sqs"), stack.aws("events"), str(uuid4())
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": ["extension-scheduler"], "detail": {"installId": [name]}})
    events.put_rule(Name=name, EventBusName=STACK_NAME, EventPattern=pattern)
    events.put_targets(Rule=name, EventBusName=STACK_NAME, Targets=[{"Id": "1", "Arn": arn}])
    yield Listener(stack, queue, name)
    events.remove_targets(Rule=name, EventBusName=STACK_NAME, Ids=["1"])
    events.delete_rule(Name=name, EventBusName=STACK_NAME)


@pytest.fixture
def install(stack: LocalStack, listener: Listener) -> ApiInstall:
    """The one that is listened to."""
    return stack.register(listener.install_id)


def test_all_that_befalls_an_install_is_told_once(
    stack: LocalStack, install: ApiInstall, listener: Listener
) -> None:
    schedule_id = install.created(name="hourly", payload={"a": 1})
    install.call("update", scheduleId=schedule_id, cron="5 * * * *")
    install.call("update", scheduleId=schedule_id, cron="nonsense")
    install.call("delete", scheduleId=schedule_id)
    install.created(name="last")
    for verb in ("disable", "enable"):
        assert stack.api.post(f"/admin/v1/installs/{install.id}/{verb}").status_code == 200
    assert stack.api.delete(f"/admin/v1/installs/{install.id}").status_code == 204

    assert listener.names() == [
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
    assert listener.names() == []


@pytest.mark.local_only("functions in containers keep the real time")
def test_a_run_that_fails_three_times_is_told_once_at_its_time(
    stack: LocalStack, install: ApiInstall, listener: Listener
) -> None:
    stack.runner.answer = lambda _asked: extension_answer(500)
    schedule_id = install.created()
    (fired,) = [each for each in stack.travel("PT1H") if each["scheduleId"] == schedule_id]

    *_, event = listener.heard()

    assert (event["detail-type"], event["detail"]["scheduleId"]) == ("RunFailed", schedule_id)
    told = event["detail"]["after"]
    assert (told["scheduledTime"], told["attempt"], told["httpStatus"]) == (fired["scheduledTime"], 3, 500)
    assert event["detail"]["time"] >= told["startedAt"] >= fired["scheduledTime"].replace("Z", ".000Z")
    assert listener.heard() == []


def test_of_many_creates_at_once_those_are_told_that_are_there(
    install: ApiInstall, listener: Listener
) -> None:
    def create(number: int) -> int:
        return install.call(
            "create", endpoint="POST /api/sync", cron="0 * * * *", name=f"n{number}"
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(create, [*range(26), *range(26)]))

    told = [
        event["detail"]["scheduleId"]
        for event in listener.heard()
        if event["detail-type"] != "InstallRegistered"
    ]
    there = [schedule["id"] for schedule in install.call("list").json()["schedules"]]
    assert statuses.count(201) == 26
    assert sorted(told) == sorted(there)


@pytest.mark.local_only("functions in containers log apart")
def test_each_event_is_a_line_in_the_log(stack: LocalStack, install: ApiInstall, listener: Listener) -> None:
    install.created(payload=["not to be told"])
    events = listener.heard()

    port = stack.control.base_url.port
    log = (PROJECT_ROOT / "build" / "local" / "logs" / str(port) / "functions.log").read_text()
    lines = [json.loads(line) for line in log.splitlines() if '"service":"audit"' in line]
    told = [line for line in lines if line.get("detail", {}).get("installId") == install.id]
    assert [(line["message"], line["detail"]) for line in told] == [
        (event["detail-type"], event["detail"]) for event in events
    ]
    assert "not to be told" not in log
