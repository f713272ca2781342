import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from scheduling.domain.errors import (
    IdempotencyMismatch,
    NameTaken,
    QuotaExceeded,
    SchedulingError,
    Unavailable,
    ValidationFailed,
)
from scheduling.domain.ids import InstallId
from scheduling.domain.requests.idempotency import IdempotencyKey
from scheduling.domain.schedule import Schedule
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import list_schedules

from tests.support.aws.calls import Call, client_error, lost_response_error
from tests.support.stacks.world import (
    TENANT,
    TIMER_SETTINGS,
    World,
    create_input,
    on_moto_and_memory,
    timer_event,
)

pytestmark = on_moto_and_memory


def test_enabled_schedule_has_a_timer_with_ids_only(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(
        world.services,
        install_id,
        create_input(cron="0 9 * * 1-5", timezone="Europe/Berlin", payload={"secret": 1}),
    )

    timer = world.read_timers()[schedule.id]
    assert timer["ScheduleExpression"] == "cron(0 9 ? * MON-FRI *)"
    assert timer["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert timer["State"] == "ENABLED"
    assert timer["Description"] == "trigger=host_api"
    assert timer["FlexibleTimeWindow"] == {"Mode": "OFF"}
    target = timer["Target"]
    assert target["Arn"] == TIMER_SETTINGS.timer_target_arn
    assert target["RoleArn"] == TIMER_SETTINGS.timer_role_arn
    assert target["DeadLetterConfig"] == {"Arn": TIMER_SETTINGS.timer_dlq_arn}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 20}
    target_input = json.loads(target["Input"])
    assert target_input["QueueUrl"] == TIMER_SETTINGS.occurrence_queue_url
    assert target_input["MessageGroupId"] == TENANT
    assert timer_event(timer) == {
        "installId": install_id,
        "scheduleId": schedule.id,
        "revision": 1,
        "scheduledTime": "<aws.scheduler.scheduled-time>",
        "attempt": "<aws.scheduler.attempt-number>",
    }


def test_a_create_makes_four_calls(world: World, install_id: InstallId) -> None:
    world.services.installs.read_version("registry-1", "version-1")
    world.calls.recorded.clear()

    create_schedule(world.services, install_id, create_input(name="nightly"), IdempotencyKey("key", "hash"))

    assert world.calls.operation_names() == [
        "BatchGetItem",
        "TransactWriteItems",
        "CreateSchedule",
        "UpdateItem",
    ]


def test_a_disabled_schedule_has_no_timer_and_needs_two_calls(world: World, install_id: InstallId) -> None:
    world.services.installs.read_version("registry-1", "version-1")
    world.calls.recorded.clear()

    create_schedule(world.services, install_id, create_input(enabled=False))

    assert world.calls.operation_names() == ["BatchGetItem", "TransactWriteItems"]
    assert world.read_timers() == {}


def test_sixty_four_concurrent_creates_make_exactly_fifty(world: World, install_id: InstallId) -> None:
    def attempt(_number: int) -> str:
        try:
            create_schedule(world.services, install_id, create_input())
        except QuotaExceeded as error:
            return str(error)
        return "created"

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(attempt, range(64)))

    assert results.count("created") == 50
    assert results.count("Too many schedules (max 50 per extension install)") == 14
    assert len(world.scan_rows_of_type(install_id, "schedule")) == 50
    assert len(world.read_timers()) == 50
    assert world.scan_rows_of_type(install_id, "install")[0]["scheduleCount"] == "50"


def test_of_forty_concurrent_creates_of_one_name_one_succeeds(world: World, install_id: InstallId) -> None:
    def attempt(_number: int) -> bool:
        try:
            create_schedule(world.services, install_id, create_input(name="nightly"))
        except NameTaken:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(attempt, range(40)))

    assert results.count(True) == 1
    assert len(world.scan_rows_of_type(install_id, "schedule")) == len(world.read_timers()) == 1


def test_taken_name_is_reported_with_the_other_broken_fields(world: World, install_id: InstallId) -> None:
    create_schedule(world.services, install_id, create_input(name="taken"))

    with pytest.raises(ValidationFailed) as refusal:
        create_schedule(world.services, install_id, create_input(name="taken", cron="* * * * *"))

    assert refusal.value.field_errors == {
        "cron": "Cron too frequent (minimum interval is 5 minutes)",
        "name": "Schedule name already in use for this extension",
    }
    assert len(world.scan_rows_of_type(install_id, "schedule")) == 1


def test_repeated_request_with_key_returns_the_first_result(world: World, install_id: InstallId) -> None:
    key = IdempotencyKey("key", "hash")
    input_ = create_input(name="nightly", payload={"a": [1, 2]})

    first = create_schedule(world.services, install_id, input_, key)
    second = create_schedule(world.services, install_id, input_, key)

    assert (second.id, second.definition, second.created_at, second.revision) == (
        first.id,
        first.definition,
        first.created_at,
        1,
    )
    assert second.tenant_id == first.tenant_id
    assert len(world.read_timers()) == 1
    with pytest.raises(IdempotencyMismatch):
        create_schedule(world.services, install_id, input_, IdempotencyKey("key", "other hash"))


def test_idempotency_key_expires_after_24_hours(world: World, install_id: InstallId) -> None:
    first = create_schedule(world.services, install_id, create_input(), IdempotencyKey("key", "hash"))
    world.advance(hours=24)

    second = create_schedule(world.services, install_id, create_input(), IdempotencyKey("key", "hash"))

    assert second.id != first.id


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        pytest.param(client_error("ThrottlingException", status=429), Unavailable, id="throttled"),
        pytest.param(client_error("InternalServerException", status=500), Unavailable, id="broken"),
        pytest.param(client_error("ServiceQuotaExceededException", status=402), Unavailable, id="quota"),
        pytest.param(lost_response_error(), Unavailable, id="no response"),
        pytest.param(client_error("ValidationException"), SchedulingError, id="refused"),
        pytest.param(client_error("AccessDeniedException", status=403), SchedulingError, id="denied"),
    ],
)
def test_refused_create_leaves_nothing(
    world: World, install_id: InstallId, failure: Exception, error: type[SchedulingError]
) -> None:
    def fail(call: Call) -> None:
        if call.operation == "CreateSchedule":
            raise failure

    world.calls.before = fail
    with pytest.raises(error, match=r"^Schedule not created: "):
        create_schedule(
            world.services, install_id, create_input(name="nightly"), IdempotencyKey("key", "hash")
        )

    world.calls.before = None
    assert [row["type"] for row in world.scan_rows(install_id)] == ["install"]
    assert world.scan_rows_of_type(install_id, "install")[0]["scheduleCount"] == "0"
    assert world.read_timers() == {}
    create_schedule(world.services, install_id, create_input(name="nightly"), IdempotencyKey("key", "hash"))


def test_timer_of_unconfirmed_create_is_removed_by_the_reconciler(
    world: World, install_id: InstallId
) -> None:
    def lose_response(call: Call) -> None:
        if call.service == "scheduler":
            raise lost_response_error()

    world.calls.after = lose_response
    with pytest.raises(Unavailable):
        create_schedule(world.services, install_id, create_input(name="nightly"))
    world.calls.after = None

    assert list_schedules(world.services, install_id).schedules == []
    create_schedule(world.services, install_id, create_input(name="nightly"))
    world.advance(seconds=61)
    reconcile(world.services)

    assert len(world.read_timers()) == len(world.scan_rows_of_type(install_id, "schedule")) == 1


def test_concurrent_creates_with_the_same_key_create_one_schedule(
    world: World, install_id: InstallId
) -> None:
    key = IdempotencyKey("key", "hash")
    first: list[Schedule] = []

    def overtake(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.calls.before = None
            first.append(create_schedule(world.services, install_id, create_input(), key))

    world.calls.before = overtake
    second = create_schedule(world.services, install_id, create_input(), key)

    assert [second.id] == [schedule.id for schedule in first]
    assert len(world.scan_rows_of_type(install_id, "schedule")) == 1


def test_concurrent_creates_with_the_same_name_create_one_schedule(
    world: World, install_id: InstallId
) -> None:
    def overtake(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.calls.before = None
            create_schedule(world.services, install_id, create_input(name="nightly"))

    world.calls.before = overtake
    with pytest.raises(NameTaken):
        create_schedule(world.services, install_id, create_input(name="nightly"))

    assert len(world.scan_rows_of_type(install_id, "schedule")) == 1
