"""DynamoDB leaves keys of a read unprocessed, or cancels a transaction: who tries again, and who does not."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import PutError, TransactWriteError
from scheduling.domain.errors import Unavailable
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Limits
from scheduling.domain.requests.idempotency import IdempotencyKey
from scheduling.domain.runs import Run, RunStatus
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.store import transactions
from scheduling.store.keys import install_key

from tests.support.aws.calls import Call, client_error
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.functions import Context, deploy_functions, http_event, load_function
from tests.support.stacks.world import World, create_input, on_moto

on_memory = pytest.mark.parametrize("world", ["memory"], indirect=True)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr("scheduling.store.transactions.time.sleep", waits.append)
    return waits


@on_memory
def test_unprocessed_keys_are_read_again_after_growing_waits(
    world: World, install_id: InstallId, waits: list[float]
) -> None:
    assert world.memory
    schedule = create_schedule(
        world.services, install_id, create_input(name="nightly"), IdempotencyKey("key", "hash")
    )
    world.calls.recorded.clear()
    world.memory.throttled_reads = 3

    snapshot = world.services.schedules.read_snapshot(
        install_id, schedule.id, name="nightly", idempotency_key="key"
    )

    assert (snapshot.install and snapshot.install.id, snapshot.schedule, snapshot.name_owner) == (
        install_id,
        replace(schedule, change_token=snapshot.schedule.change_token) if snapshot.schedule else None,
        schedule.id,
    )
    assert snapshot.idempotency_record is not None
    requests = [call.arguments["RequestItems"]["scheduling-test"] for call in world.calls.recorded]
    assert [len(request["Keys"]) for request in requests] == [4, 3, 2, 1]
    assert all(request["ConsistentRead"] for request in requests)
    assert len(waits) == 3
    assert 0.025 <= waits[0] <= 0.05 <= waits[1] <= 0.1 <= waits[2] <= 0.2


@on_memory
def test_unprocessed_keys_are_not_asked_for_without_end(
    world: World, install_id: InstallId, waits: list[float]
) -> None:
    assert world.memory
    schedule = create_schedule(world.services, install_id, create_input())
    world.calls.recorded.clear()
    world.calls.before = lambda _: setattr(world.memory, "throttled_reads", 1)

    with pytest.raises(Unavailable):
        transactions.read_items(*(install_key(str(number)) for number in range(8)))

    assert (len(world.calls.recorded), sum(waits) <= 0.75) == (5, True)
    world.calls.before = None
    world.memory.throttled_reads = 0
    assert get_schedule(world.services, install_id, schedule.id).id == schedule.id


def cancelled_transaction(reasons: Sequence[str]) -> ClientError:
    error = client_error("TransactionCanceledException", "TransactWriteItems")
    error.response["CancellationReasons"] = [{"Code": code, "Message": code} for code in reasons]
    return error


@pytest.mark.parametrize("world", ["moto", "memory"], indirect=True)
@pytest.mark.parametrize(
    ("reasons", "error"),
    [
        pytest.param(["ValidationError"], TransactWriteError, id="item too large"),
        pytest.param(["None", "ValidationError"], TransactWriteError, id="one of two items"),
        pytest.param(
            ["ConditionalCheckFailed", "ValidationError"], TransactWriteError, id="beside a lost race"
        ),
        pytest.param(["ItemCollectionSizeLimitExceeded"], TransactWriteError, id="item collection too large"),
        pytest.param(["ThrottlingError"], Unavailable, id="throttled"),
        pytest.param(["ProvisionedThroughputExceeded", "None"], Unavailable, id="no capacity"),
        pytest.param(
            ["ThrottlingError", "TransactionConflict"], Unavailable, id="throttled beside a lost race"
        ),
    ],
)
def test_only_a_transaction_that_can_succeed_is_to_be_tried_again(
    world: World, install_id: InstallId, reasons: list[str], error: type[Exception]
) -> None:
    attempts = 0

    def cancel(call: Call) -> None:
        nonlocal attempts
        if call.operation == "TransactWriteItems":
            attempts += 1
            raise cancelled_transaction(reasons)

    world.calls.before = cancel
    with pytest.raises(error):
        create_schedule(world.services, install_id, create_input())
    world.calls.before = None

    assert attempts == 1
    assert_consistent(world)


@pytest.mark.parametrize("world", ["moto", "memory"], indirect=True)
@pytest.mark.parametrize(
    "reasons", [["ConditionalCheckFailed"], ["None", "TransactionConflict"], []], ids=str
)
def test_lost_race_is_tried_again(world: World, install_id: InstallId, reasons: list[str]) -> None:
    errors = [cancelled_transaction(reasons)]

    def cancel(call: Call) -> None:
        if call.operation == "TransactWriteItems" and errors:
            raise errors.pop()

    world.calls.before = cancel
    schedule = create_schedule(world.services, install_id, create_input())

    assert get_schedule(world.services, install_id, schedule.id).id == schedule.id


@on_moto
def test_row_beyond_dynamodbs_limit_is_an_internal_error_at_once(world: World, install_id: InstallId) -> None:
    """Only a limit set beyond that of the template lets a row grow so large."""
    world.services = replace(world.services, limits=Limits(max_payload_bytes=500_000))
    body = {"endpoint": "POST /api/sync", "cron": "0 * * * *", "payload": ["x" * 420_000]}
    world.calls.recorded.clear()

    with deploy_functions(world):
        response = load_function("create").handler(http_event(body, installId=install_id), Context())

    assert (response["statusCode"], json.loads(response["body"])["detail"]) == (500, "Internal error")
    assert "retry-after" not in response["headers"]
    assert world.calls.operation_names().count("TransactWriteItems") == 1
    assert_consistent(world)


@on_moto
def test_single_row_beyond_dynamodbs_limit_is_an_error_at_once(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    error = client_error("ValidationException", "PutItem")

    def refuse(call: Call) -> None:
        if call.operation == "PutItem":
            raise error

    run = Run(
        scheduled_time="2026-11-23T09:00:00Z",
        status=RunStatus.SKIPPED,
        attempt=0,
        started_at=world.clock[0],
    )
    world.calls.before = refuse
    with pytest.raises(PutError):
        world.services.runs.record_run(schedule, run)
