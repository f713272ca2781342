"""The sweep finds and repairs drift, page by page, also when it is throttled, interrupted or run twice."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import pytest
from scheduling.domain.errors import Conflict
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.maintenance.repair import repair_names_and_count
from scheduling.operations.maintenance.sweep import TIME_BUDGET, sweep
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.integration.maintenance.sweeps import DAY, delete_timer, run_sweep
from tests.support.aws.calls import Call, client_error
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.world import (
    ADMIN,
    GROUP,
    TABLE,
    UNKNOWN_SCHEDULE_ID,
    World,
    aws_client,
    create_input,
    on_moto_and_memory,
    update_input,
    with_timer_event,
)


@pytest.fixture(autouse=True)
def plan_first_sweep(world: World) -> None:
    sweep(world.services, DAY)


def alter_timer(schedule: Schedule, **fields: object) -> None:
    client = aws_client("scheduler")
    timer = client.get_schedule(GroupName=GROUP, Name=schedule.id)
    arguments = ("Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "Target", "State")
    current = {name: timer[name] for name in (*arguments, "FlexibleTimeWindow")}
    client.update_schedule(**{**current, **fields})


def set_attribute(schedule: Schedule, sort_key: str, name: str, value: Mapping[str, str | bool]) -> None:
    aws_client("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"INSTALL#{schedule.install_id}"}, "sk": {"S": sort_key}},
        UpdateExpression="SET #n = :v",
        ExpressionAttributeNames={"#n": name},
        ExpressionAttributeValues={":v": value},
    )


def set_old_revision(schedule: Schedule) -> None:
    target = aws_client("scheduler").get_schedule(GroupName=GROUP, Name=schedule.id)["Target"]
    alter_timer(schedule, Target=with_timer_event(target, revision=77))


def set_other_target(schedule: Schedule) -> None:
    target = aws_client("scheduler").get_schedule(GroupName=GROUP, Name=schedule.id)["Target"]
    alter_timer(schedule, Target={**target, "Arn": "arn:aws:lambda:eu-central-1:123456789012:function:other"})


def set_input_field(name: str, value: str) -> Callable[[Schedule], None]:
    def change(schedule: Schedule) -> None:
        target = aws_client("scheduler").get_schedule(GroupName=GROUP, Name=schedule.id)["Target"]
        timer_input = {**json.loads(target["Input"]), name: value}
        alter_timer(schedule, Target={**target, "Input": json.dumps(timer_input)})

    return change


def set_target_of_earlier_release(schedule: Schedule) -> None:
    """Let the timer invoke the function, as those of releases without a queue do."""
    target = aws_client("scheduler").get_schedule(GroupName=GROUP, Name=schedule.id)["Target"]
    event = json.loads(json.loads(target["Input"])["MessageBody"])
    function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:stack-execute"
    alter_timer(schedule, Target={**target, "Arn": function_arn, "Input": json.dumps(event)})


def create_dangling_name(schedule: Schedule) -> None:
    aws_client("dynamodb").put_item(
        TableName=TABLE,
        Item={
            "pk": {"S": f"INSTALL#{schedule.install_id}"},
            "sk": {"S": "UNIQUE#dangling"},
            "type": {"S": "name"},
            "scheduleId": {"S": "01a20745-4897-4f81-a91e-a0d09962b8d6"},
        },
    )


def create_orphaned_payload(schedule: Schedule) -> None:
    key = f"SCHEDULE#{schedule.id}#PAYLOAD"
    for name, text in {"type": "payload", "payload": "[1]", "digest": "d"}.items():
        set_attribute(schedule, key, name, {"S": text})


def create_payload_without_schedule(schedule: Schedule) -> None:
    create_orphaned_payload(replace(schedule, id=UNKNOWN_SCHEDULE_ID))


def delete_name_row(schedule: Schedule) -> None:
    key = {"pk": {"S": f"INSTALL#{schedule.install_id}"}, "sk": {"S": "UNIQUE#nightly"}}
    aws_client("dynamodb").delete_item(TableName=TABLE, Key=key)


def create_orphan_timer(schedule: Schedule) -> None:
    client = aws_client("scheduler")
    target = client.get_schedule(GroupName=GROUP, Name=schedule.id)["Target"]
    name = "01a20745-4897-4f81-a91e-a0d09962b8d6"
    client.create_schedule(
        GroupName=GROUP,
        Name=name,
        ScheduleExpression="cron(0 * * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=with_timer_event(target, scheduleId=name),
    )


def disable_install_row(schedule: Schedule) -> None:
    set_attribute(schedule, "INSTALL", "enabled", {"BOOL": False})
    set_attribute(schedule, "INSTALL", "unhealthySince", {"S": "2026-11-23T09:00:00.000000+0000"})
    set_attribute(schedule, "INSTALL", "unhealthyShard", {"S": "disabled"})


DRIFTS: dict[str, Callable[[Schedule], None]] = {
    "missing timer": delete_timer,
    "different timer (expression)": lambda s: alter_timer(s, ScheduleExpression="cron(1 * * * ? *)"),
    "different timer (zone)": lambda s: alter_timer(s, ScheduleExpressionTimezone="Asia/Tokyo"),
    "different timer (disabled)": lambda s: alter_timer(s, State="DISABLED"),
    "different timer (revision)": set_old_revision,
    "different timer (target)": set_other_target,
    "different timer (earlier release)": set_target_of_earlier_release,
    "different timer (queue)": set_input_field("QueueUrl", "https://another"),
    "different timer (group)": set_input_field("MessageGroupId", "another"),
    "unwanted timer": lambda s: set_attribute(s, f"SCHEDULE#{s.id}", "enabled", {"BOOL": False}),
    "orphaned timer": create_orphan_timer,
    "suspension (schedule)": lambda s: set_attribute(s, f"SCHEDULE#{s.id}", "suspended", {"BOOL": True}),
    "suspension (install)": disable_install_row,
    "count": lambda s: set_attribute(s, "INSTALL", "scheduleCount", {"N": "9"}),
    "dangling name": create_dangling_name,
    "missing name": delete_name_row,
    "orphaned payload (schedule without one)": create_orphaned_payload,
    "orphaned payload (no schedule)": create_payload_without_schedule,
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_detected_counted_and_repaired(world: World, install_id: InstallId, drift: str) -> None:
    schedule = create_schedule(world.services, install_id, create_input(name="nightly", cron="0 * * * *"))
    create_schedule(
        world.services,
        world.register_install(tenantId="tenant-2"),
        create_input(name="nightly", cron="5 * * * *"),
    )
    DRIFTS[drift](schedule)
    world.calls.recorded.clear()

    repairs = run_sweep(world)

    del repairs["missed"]
    assert repairs == Counter({drift.split(" (")[0]: 1})
    timer_writes = {"CreateSchedule", "UpdateSchedule", "DeleteSchedule"}
    assert sum(name in timer_writes for name in world.calls.operation_names()) <= 1
    assert_consistent(world)


@pytest.mark.parametrize(
    ("schedules", "names", "expectation"),
    [
        pytest.param("before", "before", nullcontext(), id="read before the change"),
        pytest.param("before", "after", nullcontext(), id="names read after it"),
        pytest.param("after", "before", pytest.raises(Conflict), id="schedules read after it"),
        pytest.param("after", "after", nullcontext(), id="read after it"),
    ],
)
def test_names_that_change_hands_while_they_are_read_are_left_alone(
    world: World,
    install_id: InstallId,
    schedules: str,
    names: str,
    expectation: AbstractContextManager[object],
) -> None:
    """A name that is freed is not freed again, in case that others have it by now."""
    first = create_schedule(world.services, install_id, create_input(name="first"))
    second = create_schedule(world.services, install_id, create_input(name="second"))
    partitions = {"before": world.services.sweeps.read_partition(install_id)}
    for schedule, name in ((first, "third"), (second, "first")):
        update_schedule(world.services, install_id, schedule.id, update_input(name=name))
    partitions["after"] = world.services.sweeps.read_partition(install_id)
    mixed = replace(
        partitions["after"],
        schedules=partitions[schedules].schedules,
        name_owners=partitions[names].name_owners,
    )
    stored = world.scan_rows_of_type(install_id, "name")
    repairs: Counter[str] = Counter()

    with expectation:
        repair_names_and_count(world.services, install_id, mixed, repairs)

    assert repairs == Counter()
    assert world.scan_rows_of_type(install_id, "name") == stored


def test_synced_schedules_are_left_unchanged(world: World, install_id: InstallId) -> None:
    for number in range(3):
        create_schedule(world.services, install_id, create_input(name=f"n{number}", enabled=number != 1))
    before = world.read_timers()

    repairs = run_sweep(world)

    del repairs["missed"]
    assert repairs == Counter()
    assert world.read_timers() == before


def test_timer_of_a_killed_writer_is_deleted(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())

    def overtake_and_kill(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            world.calls.before = None
            delete_schedule(world.services, install_id, schedule.id)
            world.calls.after = kill

    def kill(call: Call) -> None:
        if call.operation == "CreateSchedule":
            raise KeyboardInterrupt

    world.calls.before = overtake_and_kill
    with pytest.raises(KeyboardInterrupt):
        update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))
    world.calls.after = None
    world.advance(seconds=61)
    reconcile(world.services)
    assert schedule.id in world.read_timers()

    run_sweep(world)

    assert world.read_timers() == {}


def test_throttled_sweep_pauses_and_continues(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    delete_timer(schedule)
    world.advance(hours=25)

    def throttle(call: Call) -> None:
        if call.operation == "GetSchedule":
            raise client_error("ThrottlingException")

    world.calls.before = throttle
    assert sweep(world.services, DAY)["missing timer"] == 0
    world.calls.before = None

    assert sweep(world.services, DAY)["missing timer"] == 1


def test_concurrent_sweeps_are_safe(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    delete_timer(schedule)
    world.advance(hours=25)
    repairs: list[Counter[str]] = []

    def overtake(call: Call) -> None:
        if call.operation == "GetSchedule" and not repairs:
            repairs.append(Counter())
            repairs.append(sweep(world.services, DAY))

    world.calls.before = overtake
    sweep(world.services, DAY)

    assert_consistent(world)


def test_sweep_starts_once_a_day(world: World) -> None:
    world.advance(hours=23)
    world.calls.recorded.clear()

    sweep(world.services, DAY)

    assert world.calls.operation_names() == ["BatchGetItem"]


def test_sweep_out_of_time_resumes_after_the_last_checked_install(world: World) -> None:
    schedules = [create_schedule(world.services, world.register_install(), create_input()) for _ in range(4)]
    for schedule in schedules:
        delete_timer(schedule)
    world.advance(hours=25)
    seconds = [0.0]
    services = replace(world.services, monotonic=lambda: seconds[0])
    repairs = []

    def pass_time(call: Call) -> None:
        if call.operation == "CreateSchedule":
            seconds[0] += TIME_BUDGET + 1

    world.calls.after = pass_time
    for _ in schedules:
        timer_count = len(world.read_timers())
        sweep(services, DAY)
        repairs.append(len(world.read_timers()) - timer_count)

    assert repairs == [1, 1, 1, 1]


@on_moto_and_memory
def test_the_installs_are_listed_page_by_page_each_once(world: World) -> None:
    registered = {world.register_install() for _ in range(40)}
    listed: list[InstallId] = []
    cursor = None

    for _ in range(14):
        page, cursor = world.services.sweeps.read_install_ids(cursor, 3)
        listed += page

    assert cursor is None
    assert sorted(listed) == sorted(registered)


def test_count_is_not_saved_after_a_write_that_left_it_the_same(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    install = world.services.sweeps.read_partition(install_id).install
    assert install
    update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))

    with pytest.raises(Conflict):
        world.services.sweeps.save_schedule_count(install, 2)


@on_moto_and_memory
def test_install_is_listed_until_it_is_deleted(world: World) -> None:
    install_id = world.register_install()
    create_schedule(world.services, install_id, create_input())
    world.register_install(install_id, versionId="version-2", registryId="registry-2", enabled=False)
    assert world.services.sweeps.read_install_ids(None, 10) == ([install_id], None)

    delete_install(world.services, install_id, actor=ADMIN)

    assert world.services.sweeps.read_install_ids(None, 10) == ([], None)


@pytest.mark.parametrize("world", ["memory"], indirect=True)
def test_installs_are_checked_in_parallel(world: World) -> None:
    schedules = [create_schedule(world.services, world.register_install(), create_input()) for _ in range(30)]
    for schedule in schedules:
        delete_timer(schedule)
    several = replace(world, services=replace(world.services, sweep_parallelism=8))

    repairs = run_sweep(several)

    assert repairs["missing timer"] == 30
    assert_consistent(world)
