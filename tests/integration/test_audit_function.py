"""The function that Lambda invokes with the stream, on a bus of moto's."""

import json
from typing import Any

import pytest
from scheduling.domain.audit import event_from_change
from scheduling.domain.errors import UnreadableRecord
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule
from scheduling.store.stream import parse_changes

from tests.support.audit import Audit
from tests.support.aws_calls import Call, refused
from tests.support.events import event as example
from tests.support.functions import Context, load
from tests.support.world import BUS, World, aws_client, wanted


@pytest.fixture
def schedule(world: World, audit: Audit) -> Schedule:
    del audit  # which is to see it
    return create_schedule(world.services, world.register(), wanted())


@pytest.fixture
def event(audit: Audit, schedule: Schedule) -> dict[str, Any]:
    """An install registered and a schedule created, with what else was written then."""
    del schedule
    return {"Records": list(audit.records())}


@pytest.fixture
def queue() -> str:
    """Where all goes that is on the bus."""
    sqs, events = aws_client("sqs"), aws_client("events")
    url = str(sqs.create_queue(QueueName="listener")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": ["extension-scheduler"], "detail-type": [{"prefix": "Schedule"}]})
    events.put_rule(Name="listener", EventBusName=BUS, EventPattern=pattern)
    events.put_targets(Rule="listener", EventBusName=BUS, Targets=[{"Id": "1", "Arn": arn}])
    return url


def test_a_rule_of_the_bus_hears_of_it(event: dict[str, Any], schedule: Schedule, queue: str) -> None:
    assert load("audit").handler(event, Context()) == {"batchItemFailures": []}

    (message,) = aws_client("sqs").receive_message(QueueUrl=queue)["Messages"]
    heard = json.loads(message["Body"])
    assert (heard["source"], heard["detail-type"]) == ("extension-scheduler", "ScheduleCreated")
    assert heard["detail"]["scheduleId"] == schedule.id
    assert heard["detail"]["id"] in {record["eventID"] for record in event["Records"]}


@pytest.mark.parametrize(
    ("case", "name"),
    [("audit/schedule_created", "ScheduleCreated"), ("audit/run_failed", "RunFailed")],
)
def test_the_events_for_containers_mean_what_they_are_called(case: str, name: str) -> None:
    events = filter(None, map(event_from_change, parse_changes(example(case))))

    assert [event.name for event in events] == [name]


def test_the_same_change_is_told_in_the_same_words_each_time(world: World, event: dict[str, Any]) -> None:
    world.calls.made.clear()
    for _ in range(2):
        load("audit").handler(event, Context())

    first, second = [call.arguments for call in world.calls.made]
    assert first == second
    assert len(first["Entries"]) == 2


def test_where_the_bus_does_not_answer_all_is_to_come_again_from_the_first_event_on(
    world: World, event: dict[str, Any]
) -> None:
    def fail(_call: Call) -> None:
        raise refused("ThrottlingException", "PutEvents")

    world.calls.before = fail
    answer = load("audit").handler(event, Context())
    world.calls.before = None

    first = event["Records"][0]["dynamodb"]["SequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": first}]}


def test_what_means_nothing_makes_no_call(world: World, event: dict[str, Any]) -> None:
    world.calls.made.clear()
    settled = [record for record in event["Records"] if record["eventName"] == "MODIFY"]

    assert settled
    assert load("audit").handler({"Records": settled}, Context()) == {"batchItemFailures": []}
    assert world.calls.made == []


def test_a_record_that_is_not_understood_is_named_and_stops_all_of_its_batch(
    world: World, event: dict[str, Any], schedule: Schedule
) -> None:
    world.calls.made.clear()
    (created,) = (
        each
        for each in event["Records"]
        if schedule.id in each["dynamodb"]["Keys"]["sk"]["S"] and each["eventName"] == "INSERT"
    )
    created["dynamodb"]["NewImage"]["state"] = {"S": "secret"}

    with pytest.raises(UnreadableRecord, match=schedule.id) as raised:
        load("audit").handler(event, Context())

    assert "secret" not in str(raised.value)
    assert world.calls.made == []


@pytest.mark.usefixtures("audit")
def test_rows_that_nobody_is_told_of_are_not_looked_into(world: World) -> None:
    world.calls.made.clear()
    change = {"Keys": {}, "SequenceNumber": "1", "NewImage": {"type": {"S": "config"}}}

    assert load("audit").handler({"Records": [{"dynamodb": change}]}, Context()) == {"batchItemFailures": []}
