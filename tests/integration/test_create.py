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
from scheduling.domain.schedule import IdempotencyKey, Schedule
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import list_schedules

from tests.support.aws_calls import Call, lost, refused
from tests.support.world import SETTINGS, World, on_both, wanted

pytestmark = on_both


def test_an_enabled_schedule_has_a_timer_that_carries_ids_only(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(
        world.services,
        install_id,
        wanted(cron="0 9 * * 1-5", timezone="Europe/Berlin", payload={"secret": 1}),
    )

    timer = world.timers()[schedule.id]
    assert timer["ScheduleExpression"] == "cron(0 9 ? * MON-FRI *)"
    assert timer["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert timer["State"] == "ENABLED"
    assert timer["Description"] == "trigger=host_api"
    assert timer["FlexibleTimeWindow"] == {"Mode": "OFF"}
    target = timer["Target"]
    assert target["Arn"] == SETTINGS.timer_target_arn
    assert target["RoleArn"] == SETTINGS.timer_role_arn
    assert target["DeadLetterConfig"] == {"Arn": SETTINGS.timer_dlq_arn}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 20}
    assert json.loads(target["Input"]) == {
        "installId": install_id,
        "scheduleId": schedule.id,
        "revision": 1,
        "scheduledTime": "<aws.scheduler.scheduled-time>",
        "attempt": "<aws.scheduler.attempt-number>",
    }


def test_a_create_makes_four_calls(world: World, install_id: InstallId) -> None:
    world.services.installs.read_version("registry-1", "version-1")
    world.calls.made.clear()

    create_schedule(world.services, install_id, wanted(name="nightly"), IdempotencyKey("key", "hash"))

    assert world.calls.operations() == ["BatchGetItem", "TransactWriteItems", "CreateSchedule", "UpdateItem"]


def test_a_disabled_schedule_has_no_timer_and_needs_two_calls(world: World, install_id: InstallId) -> None:
    world.services.installs.read_version("registry-1", "version-1")
    world.calls.made.clear()

    create_schedule(world.services, install_id, wanted(enabled=False))

    assert world.calls.operations() == ["BatchGetItem", "TransactWriteItems"]
    assert world.timers() == {}


def test_sixty_four_creates_at_once_make_exactly_fifty(world: World, install_id: InstallId) -> None:
    def attempt(_number: int) -> str:
        try:
            create_schedule(world.services, install_id, wanted())
        except QuotaExceeded as error:
            return str(error)
        return "created"

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(attempt, range(64)))

    assert answers.count("created") == 50
    assert answers.count("Too many schedules (max 50 per extension install)") == 14
    assert len(world.kinds(install_id, "schedule")) == 50
    assert len(world.timers()) == 50
    assert world.kinds(install_id, "install")[0]["scheduleCount"] == "50"


def test_of_forty_creates_of_one_name_at_once_one_succeeds(world: World, install_id: InstallId) -> None:
    def attempt(_number: int) -> bool:
        try:
            create_schedule(world.services, install_id, wanted(name="nightly"))
        except NameTaken:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(attempt, range(40)))

    assert answers.count(True) == 1
    assert len(world.kinds(install_id, "schedule")) == len(world.timers()) == 1


def test_a_taken_name_is_told_with_the_other_broken_fields(world: World, install_id: InstallId) -> None:
    create_schedule(world.services, install_id, wanted(name="taken"))

    with pytest.raises(ValidationFailed) as refused:
        create_schedule(world.services, install_id, wanted(name="taken", cron="* * * * *"))

    assert refused.value.field_errors == {
        "cron": "Cron too frequent (minimum interval is 5 minutes)",
        "name": "Schedule name already in use for this extension",
    }
    assert len(world.kinds(install_id, "schedule")) == 1


def test_the_same_request_with_its_key_is_answered_from_the_first(
    world: World, install_id: InstallId
) -> None:
    key = IdempotencyKey("key", "hash")
    given = wanted(name="nightly", payload={"a": [1, 2]})

    first = create_schedule(world.services, install_id, given, key)
    again = create_schedule(world.services, install_id, given, key)

    assert (again.id, again.definition, again.created_at, again.revision) == (
        first.id,
        first.definition,
        first.created_at,
        1,
    )
    assert len(world.timers()) == 1
    with pytest.raises(IdempotencyMismatch):
        create_schedule(world.services, install_id, given, IdempotencyKey("key", "other hash"))


def test_a_key_is_forgotten_after_24_hours(world: World, install_id: InstallId) -> None:
    first = create_schedule(world.services, install_id, wanted(), IdempotencyKey("key", "hash"))
    world.advance(hours=24)

    again = create_schedule(world.services, install_id, wanted(), IdempotencyKey("key", "hash"))

    assert again.id != first.id


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        pytest.param(refused("ThrottlingException", status=429), Unavailable, id="throttled"),
        pytest.param(refused("InternalServerException", status=500), Unavailable, id="broken"),
        pytest.param(refused("ServiceQuotaExceededException", status=402), Unavailable, id="quota"),
        pytest.param(lost(), Unavailable, id="no answer"),
        pytest.param(refused("ValidationException"), SchedulingError, id="refused"),
        pytest.param(refused("AccessDeniedException", status=403), SchedulingError, id="denied"),
    ],
)
def test_not_created_means_nothing_is_left(
    world: World, install_id: InstallId, failure: Exception, error: type[SchedulingError]
) -> None:
    def fail(call: Call) -> None:
        if call.operation == "CreateSchedule":
            raise failure

    world.calls.before = fail
    with pytest.raises(error, match=r"^Schedule not created: "):
        create_schedule(world.services, install_id, wanted(name="nightly"), IdempotencyKey("key", "hash"))

    world.calls.before = None
    assert [row["type"] for row in world.rows(install_id)] == ["config", "install"]
    assert world.kinds(install_id, "install")[0]["scheduleCount"] == "0"
    assert world.timers() == {}
    create_schedule(world.services, install_id, wanted(name="nightly"), IdempotencyKey("key", "hash"))


def test_a_timer_made_by_a_lost_answer_is_removed_by_the_reconciler(
    world: World, install_id: InstallId
) -> None:
    def lose(call: Call) -> None:
        if call.service == "scheduler":
            raise lost()

    world.calls.after = lose
    with pytest.raises(Unavailable):
        create_schedule(world.services, install_id, wanted(name="nightly"))
    world.calls.after = None

    assert list_schedules(world.services, install_id).schedules == []
    create_schedule(world.services, install_id, wanted(name="nightly"))
    world.advance(seconds=61)
    reconcile(world.services)

    assert len(world.timers()) == len(world.kinds(install_id, "schedule")) == 1


def test_the_same_key_at_the_same_time_makes_one_schedule(world: World, install_id: InstallId) -> None:
    key = IdempotencyKey("key", "hash")
    first: list[Schedule] = []

    def overtake(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.calls.before = None
            first.append(create_schedule(world.services, install_id, wanted(), key))

    world.calls.before = overtake
    second = create_schedule(world.services, install_id, wanted(), key)

    assert [second.id] == [schedule.id for schedule in first]
    assert len(world.kinds(install_id, "schedule")) == 1


def test_a_name_that_two_want_at_the_same_time_goes_to_one(world: World, install_id: InstallId) -> None:
    def overtake(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.calls.before = None
            create_schedule(world.services, install_id, wanted(name="nightly"))

    world.calls.before = overtake
    with pytest.raises(NameTaken):
        create_schedule(world.services, install_id, wanted(name="nightly"))

    assert len(world.kinds(install_id, "schedule")) == 1
