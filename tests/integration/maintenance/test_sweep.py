import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from scheduling.domain.errors import RunFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, Run, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance import sweep as sweep_module
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, client_error
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.fires import create_fire, list_history
from tests.support.stacks.world import (
    ADMIN,
    GROUP,
    TABLE,
    FakeRunner,
    World,
    aws_client,
    create_input,
    on_moto_and_memory,
    update_input,
)

DAY = timedelta(hours=24)


def run_sweep(world: World) -> Counter[str]:
    """A day later, to its end; what it mended."""
    world.advance(hours=25)
    repairs: Counter[str] = Counter()
    for _ in range(20):
        repairs += sweep(world.services, DAY)
        state = world.services.sweeps.read_sweep_state()
        assert state is not None
        if state.phase is None:
            return repairs
    raise AssertionError("the sweep does not end")


@pytest.fixture(autouse=True)
def plan_first_sweep(world: World) -> None:
    sweep(world.services, DAY)


def delete_timer(schedule: Schedule) -> None:
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=schedule.id)


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
    timer_input = {**json.loads(target["Input"]), "revision": 77}
    alter_timer(schedule, Target={**target, "Input": json.dumps(timer_input)})


def set_other_target(schedule: Schedule) -> None:
    target = aws_client("scheduler").get_schedule(GroupName=GROUP, Name=schedule.id)["Target"]
    alter_timer(schedule, Target={**target, "Arn": "arn:aws:lambda:eu-central-1:123456789012:function:other"})


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


def delete_name_row(schedule: Schedule) -> None:
    key = {"pk": {"S": f"INSTALL#{schedule.install_id}"}, "sk": {"S": "UNIQUE#nightly"}}
    aws_client("dynamodb").delete_item(TableName=TABLE, Key=key)


def create_orphan_timer(schedule: Schedule) -> None:
    client = aws_client("scheduler")
    target = client.get_schedule(GroupName=GROUP, Name=schedule.id)["Target"]
    name = "01a20745-4897-4f81-a91e-a0d09962b8d6"
    timer_input = {**json.loads(target["Input"]), "scheduleId": name}
    client.create_schedule(
        GroupName=GROUP,
        Name=name,
        ScheduleExpression="cron(0 * * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={**target, "Input": json.dumps(timer_input)},
    )


DRIFTS: dict[str, Callable[[Schedule], None]] = {
    "missing timer": delete_timer,
    "different timer (expression)": lambda s: alter_timer(s, ScheduleExpression="cron(1 * * * ? *)"),
    "different timer (zone)": lambda s: alter_timer(s, ScheduleExpressionTimezone="Asia/Tokyo"),
    "different timer (disabled)": lambda s: alter_timer(s, State="DISABLED"),
    "different timer (revision)": set_old_revision,
    "different timer (target)": set_other_target,
    "unwanted timer": lambda s: set_attribute(s, f"SCHEDULE#{s.id}", "enabled", {"BOOL": False}),
    "orphaned timer": create_orphan_timer,
    "suspension (schedule)": lambda s: set_attribute(s, f"SCHEDULE#{s.id}", "suspended", {"BOOL": True}),
    "suspension (install)": lambda s: set_attribute(s, "INSTALL", "enabled", {"BOOL": False}),
    "count": lambda s: set_attribute(s, "INSTALL", "scheduleCount", {"N": "9"}),
    "dangling name": create_dangling_name,
    "missing name": delete_name_row,
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

    repairs = run_sweep(world)

    del repairs["missed"]
    assert repairs == Counter({drift.split(" (")[0]: 1})
    assert_consistent(world)


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


class TestMissed:
    def test_a_gap_in_the_history_is_recorded_once(self, world: World, install_id: InstallId) -> None:
        schedule = create_schedule(world.services, install_id, create_input(cron="0 */6 * * *"))
        execute_fire(world.services, world.runner, create_fire(schedule, "2026-11-23T18:00:00Z"))

        assert run_sweep(world)["missed"] == 2
        assert run_sweep(world)["missed"] == 4

        runs = {run.scheduled_time: run for run in list_history(world, schedule)}
        assert [time for time, run in runs.items() if run.status is RunStatus.SUCCESS] == [
            "2026-11-23T18:00:00Z"
        ]
        missed = runs["2026-11-23T12:00:00Z"]
        assert (missed.status, missed.attempt, missed.error) == (RunStatus.MISSED, 0, "It was not delivered")

    def test_late_occurrence_recorded_as_missed_still_runs(self, world: World, install_id: InstallId) -> None:
        schedule = create_schedule(world.services, install_id, create_input(cron="0 */6 * * *"))
        run_sweep(world)

        result = execute_fire(world.services, world.runner, create_fire(schedule, "2026-11-23T12:00:00Z"))

        assert isinstance(result, Run)
        assert (result.status, result.attempt) == (RunStatus.SUCCESS, 1)

    def test_recent_occurrence_is_not_missed(self, world: World, install_id: InstallId) -> None:
        world.advance(hours=24, minutes=46)
        schedule = create_schedule(world.services, install_id, create_input(cron="0 10 * * *"))

        world.advance(hours=7, minutes=28)
        sweep(world.services, DAY)

        assert list_history(world, schedule) == []

    @pytest.mark.parametrize("how", ["schedule", "install"])
    def test_disabled_schedule_misses_nothing(self, world: World, install_id: InstallId, how: str) -> None:
        schedule = create_schedule(world.services, install_id, create_input(cron="0 */6 * * *"))
        if how == "schedule":
            update_schedule(world.services, install_id, schedule.id, update_input(enabled=False))
            world.advance(hours=10)
            schedule = update_schedule(world.services, install_id, schedule.id, update_input(enabled=True))
        else:
            world.register_install(install_id, enabled=False)
            world.advance(hours=10)
            world.register_install(install_id)

        run_sweep(world)

        times = sorted(run.scheduled_time for run in list_history(world, schedule))
        assert times[0] == "2026-11-24T00:00:00Z"

    def test_after_a_change_the_new_rule_counts(self, world: World, install_id: InstallId) -> None:
        schedule = create_schedule(world.services, install_id, create_input(cron="0 */6 * * *"))
        update_schedule(world.services, install_id, schedule.id, update_input(cron="0 23 * * *"))

        run_sweep(world)

        assert [run.scheduled_time for run in list_history(world, schedule)] == ["2026-11-23T23:00:00Z"]


def test_run_of_killed_function_is_closed(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="0 0 1 1 *"))

    class KillingRunner(FakeRunner):
        def __call__(self, *_arguments: object) -> Outcome:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute_fire(world.services, KillingRunner(), create_fire(schedule, "2026-11-23T09:00:00Z"))

    assert run_sweep(world)["expired run"] == 1

    (run,) = list_history(world, schedule)
    assert (run.status, run.error) == (RunStatus.ERROR, "The function that ran it died")


def test_replay_runs_once_more_but_never_after_success(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    fire = create_fire(schedule, "2026-11-23T09:00:00Z")
    replay = replace(fire, replay=True)
    world.runner.outcome = Outcome(status=RunStatus.ERROR, http_status=500, error="no", retryable=True)
    for _ in range(3):
        with pytest.raises(RunFailed):
            execute_fire(world.services, world.runner, fire)
    world.runner.outcome = Outcome(status=RunStatus.SUCCESS, http_status=200)

    execute_fire(world.services, world.runner, replay)
    execute_fire(world.services, world.runner, replay)

    assert len(world.runner.fires) == 4
    (run,) = list_history(world, schedule)
    assert (run.status, run.attempt) == (RunStatus.SUCCESS, 4)


class TickingClock:
    """Time of which each look takes thirty seconds: the third is past a call's end."""

    ticks = 0

    def monotonic(self) -> float:
        self.ticks += 1
        return self.ticks * 30.0


def test_sweep_out_of_time_resumes_after_the_last_checked_install(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedules = [create_schedule(world.services, world.register_install(), create_input()) for _ in range(4)]
    for schedule in schedules:
        delete_timer(schedule)
    world.advance(hours=25)
    clock = TickingClock()
    monkeypatch.setattr(sweep_module, "time", clock)
    repairs = []

    for _ in schedules:
        timer_count = len(world.read_timers())
        clock.ticks = 0
        sweep(world.services, DAY)
        repairs.append(len(world.read_timers()) - timer_count)

    assert repairs == [1, 1, 1, 1]


@on_moto_and_memory
def test_the_installs_are_walked_page_by_page_each_once(world: World) -> None:
    registered = {world.register_install() for _ in range(40)}
    listed: list[InstallId] = []
    cursor = None

    for _ in range(14):
        page, cursor = world.services.sweeps.read_install_ids(cursor, 3)
        listed += page

    assert cursor is None
    assert sorted(listed) == sorted(registered)


@on_moto_and_memory
def test_install_is_listed_until_it_is_deleted(world: World) -> None:
    install_id = world.register_install()
    create_schedule(world.services, install_id, create_input())
    world.register_install(install_id, versionId="version-2", registryId="registry-2", enabled=False)
    assert world.services.sweeps.read_install_ids(None, 10) == ([install_id], None)

    delete_install(world.services, install_id, actor=ADMIN)

    assert world.services.sweeps.read_install_ids(None, 10) == ([], None)


def test_old_history_adds_no_cost(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron="0 0 * * *"))
    run_sweep(world)

    def count_calls() -> list[str]:
        world.calls.recorded.clear()
        run_sweep(world)
        return world.calls.operation_names()

    without = count_calls()
    for day in range(1, 29):
        at = f"2026-10-{day:02}T09:00:00Z"
        run = Run(scheduled_time=at, status=RunStatus.SUCCESS, attempt=1, started_at=world.clock[0])
        world.services.runs.record_run(schedule, run)

    assert count_calls() == without
    assert "Scan" not in without


@pytest.mark.parametrize("world", ["memory"], indirect=True)
def test_installs_are_checked_in_parallel(world: World) -> None:
    schedules = [create_schedule(world.services, world.register_install(), create_input()) for _ in range(30)]
    for schedule in schedules:
        delete_timer(schedule)
    several = replace(world, services=replace(world.services, parallelism=8))

    repairs = run_sweep(several)

    assert repairs["missing timer"] == 30
    assert_consistent(world)
