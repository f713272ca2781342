"""The command `republish`."""

from collections.abc import Iterator
from typing import Any

import pytest
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.update import update_schedule

from scheduling_admin.stack.unpublished import EXPIRED, NO_RANGE
from tests.support.oracles.audit import Audit
from tests.support.stacks.admin_cli import (
    AUDIT_FUNCTION_NAME,
    STREAM_ENVIRONMENT,
    AdminCli,
    CommandResult,
    audit_function,
    send_unpublished_batch,
)
from tests.support.stacks.functions import Context, deploy_functions, load_function
from tests.support.stacks.world import World, aws_client, on_moto, update_input

pytestmark = on_moto
Record = dict[str, Any]
UPDATES = ["ScheduleUpdated"] * 3


@pytest.fixture
def records(world: World, audit: Audit, schedule: Schedule) -> list[Record]:
    """The stream records of a new install, its schedule and three updates."""
    for number in range(3):
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(payload=[number]))
    return [dict(record) for record in audit.read_records()]


@pytest.fixture
def invocations(world: World) -> Iterator[list[list[Record]]]:
    """The records of each invocation of the audit function."""
    invocations: list[list[Record]] = []

    def handle_event(event: dict[str, Any]) -> object:
        invocations.append(event["Records"])
        return handler(event, Context())

    with deploy_functions(world):
        handler = load_function("audit").handler
        with audit_function(world, handle_event):
            yield invocations


def republish(admin: AdminCli, *options: str, stdin_text: str | None = None) -> CommandResult:
    return admin("republish", *options, stdin_text=stdin_text, env=STREAM_ENVIRONMENT)


def list_published_names(world: World) -> list[str]:
    calls = [call for call in world.calls.recorded if call.operation == "PutEvents"]
    return [entry["DetailType"] for call in calls for entry in call.arguments["Entries"]]


def count_batches(admin: AdminCli) -> int:
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = aws_client("sqs").get_queue_attributes(
        QueueUrl=admin.unpublished_queue_url, AttributeNames=names
    )["Attributes"]
    return sum(map(int, attributes.values()))


def test_a_batch_is_published_again_and_deleted(
    world: World, admin: AdminCli, records: list[Record], invocations: list[list[Record]]
) -> None:
    send_unpublished_batch(admin, records[0], records[-1])

    result = republish(admin, "--yes")

    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines[-1] == "1 batch published again."
    assert list_published_names(world) == ["InstallRegistered", "ScheduleCreated", *UPDATES]
    assert [record["eventID"] for part in invocations for record in part] == [
        record["eventID"] for record in records
    ]
    assert max(map(len, invocations)) == 5
    assert count_batches(admin) == 0
    second_result = republish(admin, "--yes")
    assert (second_result.exit_status, second_result.lines) == (0, ["There are no unpublished changes."])


def test_only_the_records_of_the_batch_are_published(
    world: World, admin: AdminCli, records: list[Record], invocations: list[list[Record]]
) -> None:
    (created,) = (
        each
        for each in records
        if each["eventName"] == "INSERT" and each["dynamodb"]["Keys"]["sk"]["S"].startswith("SCHEDULE")
    )
    send_unpublished_batch(admin, created, created)

    assert republish(admin, "--yes", "--json").document["republished"] == 1

    assert list_published_names(world) == ["ScheduleCreated"]
    ((record,),) = invocations
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], float)


def test_a_dry_run_lists_batches_and_keeps_them(
    admin: AdminCli, records: list[Record], invocations: list[list[Record]]
) -> None:
    send_unpublished_batch(admin, records[0], records[-1], batchSize=len(records))

    lines = republish(admin, "--dry-run").lines
    assert lines[0].split() == ["Sent", "at", "First", "change", "Last", "change", "Records", "Problem"]
    assert lines[2].split()[1:] == ["2026-11-23T09:00:00Z", "2026-11-23T09:00:00Z", str(len(records)), "-"]
    assert lines[3:] == ["", "1 batch would be published again."]
    document = republish(admin, "--dry-run", "--json").document
    (batch,) = document.pop("batches")
    assert document == {"dryRun": True, "republished": 0, "remaining": 1, "reachedEnd": True}
    assert batch.pop("messageId")
    assert batch.pop("sentAt").endswith("Z")
    assert batch.pop("shardId").startswith("shardId-")
    assert batch == {
        "firstSequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
        "lastSequenceNumber": records[-1]["dynamodb"]["SequenceNumber"],
        "firstChangeAt": "2026-11-23T09:00:00Z",
        "lastChangeAt": "2026-11-23T09:00:00Z",
        "recordCount": len(records),
        "problem": None,
    }
    assert invocations == []
    assert count_batches(admin) == 1


@pytest.mark.parametrize(
    ("response", "detail"),
    [
        ({"batchItemFailures": [{"itemIdentifier": "1"}]}, "see its log"),
        ({"errorMessage": "Task timed out", "errorType": "Sandbox.Timedout"}, "Task timed out"),
    ],
    ids=["not accepted", "failed"],
)
def test_a_batch_that_is_not_published_stays(
    admin: AdminCli, records: list[Record], response: object, detail: str
) -> None:
    send_unpublished_batch(admin, records[0], records[-1])

    with audit_function(admin.world, lambda _event: response):
        result = republish(admin, "--yes", "--json")

    assert result.exit_status == 1
    assert (result.document["republished"], result.document["remaining"]) == (0, 1)
    assert [batch["problem"] for batch in result.document["batches"]] == [
        f"The function {AUDIT_FUNCTION_NAME} did not publish the changes: {detail}"
    ]
    assert count_batches(admin) == 1


def test_a_batch_that_the_stream_no_longer_has_stays(admin: AdminCli, records: list[Record]) -> None:
    missing_stream = records[0]["eventSourceARN"].replace("scheduling-test", "another")
    send_unpublished_batch(admin, records[0], records[-1], streamArn=missing_stream)

    result = republish(admin, "--yes")

    assert result.exit_status == 1
    assert EXPIRED in result.lines[2]
    assert result.lines[-2:] == ["0 batches published again.", "1 batch stays in the queue."]
    assert count_batches(admin) == 1


def test_republishing_asks_for_confirmation(
    admin: AdminCli, records: list[Record], invocations: list[list[Record]]
) -> None:
    send_unpublished_batch(admin, records[0], records[-1])

    result = republish(admin, stdin_text="n\n")

    assert result.exit_status == 4
    assert result.cli_result.stderr.startswith("Publish the changes of about 1 batch again? [y/N]:")
    assert republish(admin, "--json").exit_status == 2
    assert invocations == []
    assert republish(admin, stdin_text="y\n").exit_status == 0


@pytest.mark.parametrize("body", ["not JSON", "[]", "{}", '{"DDBStreamBatchInfo": {"shardId": "1"}}'])
def test_a_message_may_name_no_records(admin: AdminCli, body: str) -> None:
    aws_client("sqs").send_message(QueueUrl=admin.unpublished_queue_url, MessageBody=body)

    result = republish(admin, "--yes", "--json")

    assert result.exit_status == 1
    assert [batch["problem"] for batch in result.document["batches"]] == [NO_RANGE]
