"""The function that Lambda invokes with the table's stream, with moto's event bus."""

import json
from typing import Any

import pytest
from scheduling.domain.audit.events import event_from_change
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule
from scheduling.store.stream import parse_changes

from tests.support.aws.calls import Call, client_error
from tests.support.oracles.audit import Audit
from tests.support.oracles.event_cases import load_event as example
from tests.support.stacks.functions import Context, load_function
from tests.support.stacks.world import BUS, World, aws_client, create_input, on_moto


@pytest.fixture
def schedule(world: World, audit: Audit) -> Schedule:
    del audit  # requested so that it records the create
    return create_schedule(world.services, world.register_install(), create_input())


@pytest.fixture
def event(audit: Audit, schedule: Schedule) -> dict[str, Any]:
    """The records of a registration and a create."""
    del schedule
    return {"Records": list(audit.read_records())}


@pytest.fixture
def queue() -> str:
    """A queue that receives all schedule events of the bus."""
    sqs, events = aws_client("sqs"), aws_client("events")
    url = str(sqs.create_queue(QueueName="listener")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": ["extension-scheduler"], "detail-type": [{"prefix": "Schedule"}]})
    events.put_rule(Name="listener", EventBusName=BUS, EventPattern=pattern)
    events.put_targets(Rule="listener", EventBusName=BUS, Targets=[{"Id": "1", "Arn": arn}])
    return url


@on_moto
def test_bus_rule_receives_the_event(event: dict[str, Any], schedule: Schedule, queue: str) -> None:
    assert load_function("audit").handler(event, Context()) == {"batchItemFailures": []}

    (message,) = aws_client("sqs").receive_message(QueueUrl=queue)["Messages"]
    event_json = json.loads(message["Body"])
    assert (event_json["source"], event_json["detail-type"]) == ("extension-scheduler", "ScheduleCreated")
    assert event_json["detail"]["scheduleId"] == schedule.id
    assert event_json["detail"]["id"] in {record["eventID"] for record in event["Records"]}


@pytest.mark.parametrize(
    ("case", "name"),
    [("audit/schedule_created", "ScheduleCreated"), ("audit/run_failed", "RunFailed")],
)
def test_container_events_match_their_file_names(case: str, name: str) -> None:
    events = filter(None, map(event_from_change, parse_changes(example(case)).changes))

    assert [event.name for event in events] == [name]


def test_same_change_is_published_identically_each_time(world: World, event: dict[str, Any]) -> None:
    world.calls.recorded.clear()
    for _ in range(2):
        load_function("audit").handler(event, Context())

    one, other = world.calls.recorded[:3], world.calls.recorded[3:]
    assert [(call.operation, call.arguments) for call in one] == [
        (call.operation, call.arguments) for call in other
    ]
    assert world.calls.operation_names()[:3] == ["PutItem", "PutItem", "PutEvents"]
    assert len(one[2].arguments["Entries"]) == 2


@pytest.mark.parametrize("operation", ["PutEvents", "PutItem"], ids=["bus", "table"])
def test_outage_retries_from_the_first_event(world: World, event: dict[str, Any], operation: str) -> None:
    def fail(call: Call) -> None:
        if call.operation == operation:
            raise client_error("ThrottlingException", operation)

    world.calls.before = fail
    response = load_function("audit").handler(event, Context())
    world.calls.before = None

    first = event["Records"][0]["dynamodb"]["SequenceNumber"]
    assert response == {"batchItemFailures": [{"itemIdentifier": first}]}


def test_irrelevant_change_makes_no_call(world: World, event: dict[str, Any]) -> None:
    world.calls.recorded.clear()
    synced = [record for record in event["Records"] if record["eventName"] == "MODIFY"]

    assert synced
    assert load_function("audit").handler({"Records": synced}, Context()) == {"batchItemFailures": []}
    assert world.calls.recorded == []


@on_moto
def test_malformed_record_is_named_counted_and_blocks_no_other(
    world: World,
    event: dict[str, Any],
    schedule: Schedule,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world.calls.recorded.clear()
    (created,) = (
        each
        for each in event["Records"]
        if schedule.id in each["dynamodb"]["Keys"]["sk"]["S"] and each["eventName"] == "INSERT"
    )
    created["dynamodb"]["NewImage"]["cron"] = {"N": "4711"}

    response = load_function("audit").handler(event, Context())

    assert response == {"batchItemFailures": []}
    published = [call.arguments for call in world.calls.recorded if call.operation == "PutEvents"]
    assert [entry["DetailType"] for each in published for entry in each["Entries"]] == ["InstallRegistered"]
    assert schedule.id in caplog.text
    assert "cannot be used: cron is not of type S" in caplog.text
    assert "4711" not in caplog.text
    assert '"UnreadableItems":[1.0]' in capsys.readouterr().out


@pytest.mark.parametrize(
    "damage",
    [
        {"dynamodb": None},
        {"dynamodb": {}},
        {"eventID": None, "dynamodb": {"NewImage": {"pk": {"N": "1"}}}},
    ],
    ids=["null", "empty", "another key"],
)
def test_record_without_its_parts_blocks_no_other(event: dict[str, Any], damage: dict[str, Any]) -> None:
    changes = parse_changes({"Records": [{**event["Records"][0], **damage}, *event["Records"]]})

    assert len(changes.changes) == len(parse_changes(event).changes)


@pytest.mark.usefixtures("audit")
def test_unpublished_row_types_are_not_parsed(world: World) -> None:
    world.calls.recorded.clear()
    change = {"Keys": {}, "SequenceNumber": "1", "NewImage": {"type": {"S": "config"}}}

    assert load_function("audit").handler({"Records": [{"dynamodb": change}]}, Context()) == {
        "batchItemFailures": []
    }
