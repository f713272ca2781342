from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import Execution, Outcome, Run, RunStatus, SkipReason
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_runs
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, Killed
from tests.support.stacks.fires import PlayedQueue, create_fire, execute_fire, list_history
from tests.support.stacks.world import (
    FakeRunner,
    World,
    create_input,
    on_moto_and_memory,
    once_on_moto,
    registration_body,
    update_input,
)

pytestmark = [on_moto_and_memory, once_on_moto]

FAILED = Outcome(status=RunStatus.ERROR, http_status=503, error="The extension answered 503", retryable=True)
UNANSWERED = Outcome(status=RunStatus.ERROR, error="The runner did not answer within 60 s", retryable=True)
REFUSED = Outcome(status=RunStatus.ERROR, http_status=404, error="The extension answered 404")


SUCCEEDED = Outcome(status=RunStatus.SUCCESS, http_status=200)


class ActingRunner(FakeRunner):
    """Does something while the extension runs."""

    def __init__(self, during: Callable[[], Outcome]) -> None:
        super().__init__()
        self.during = during

    def __call__(self, execution: Execution) -> Outcome:
        super().__call__(execution)
        return self.during()


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, create_input())


def test_a_fire_makes_three_calls_and_the_runners(world: World, schedule: Schedule) -> None:
    world.calls.recorded.clear()

    execute_fire(world.services, world.runner, create_fire(schedule))

    assert world.calls.operation_names() == ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"]
    assert len(world.runner.fires) == 1


def test_success_is_in_the_history_and_on_the_schedule(world: World, schedule: Schedule) -> None:
    execute_fire(world.services, world.runner, create_fire(schedule))

    (run,) = list_history(world, schedule)
    assert (run.status, run.attempt, run.http_status, run.error) == (RunStatus.SUCCESS, 1, 200, None)
    last = get_schedule(world.services, schedule.install_id, schedule.id).last_run
    assert last is not None
    assert (last.status, last.error, last.started_at) == ("success", None, world.clock[0])


def test_redelivery_after_success_does_not_call_the_runner(world: World, schedule: Schedule) -> None:
    execute_fire(world.services, world.runner, create_fire(schedule))

    assert execute_fire(world.services, world.runner, create_fire(schedule)) is SkipReason.DUPLICATE
    assert len(world.runner.fires) == 1


def test_extension_refusal_is_not_retried(world: World, schedule: Schedule) -> None:
    world.runner.outcome = REFUSED
    execute_fire(world.services, world.runner, create_fire(schedule))

    assert execute_fire(world.services, world.runner, create_fire(schedule)) is SkipReason.DUPLICATE
    last = get_schedule(world.services, schedule.install_id, schedule.id).last_run
    assert last is not None
    assert (last.status, last.error) == ("error", "The extension answered 404")


def test_next_occurrence_is_skipped_while_one_is_running(world: World, schedule: Schedule) -> None:
    later = create_fire(schedule, "2026-11-23T10:00:00Z")

    def during() -> Outcome:
        assert execute_fire(world.services, world.runner, later) is SkipReason.OVERLAP
        return SUCCEEDED

    execute_fire(world.services, ActingRunner(during), create_fire(schedule))

    skipped, ran = list_history(world, schedule)
    assert (skipped.status, skipped.error) == (RunStatus.SKIPPED, "The previous run was still under way")
    assert ran.status is RunStatus.SUCCESS
    assert execute_fire(world.services, world.runner, later) is SkipReason.DUPLICATE
    assert world.runner.fires == []


def test_redelivery_during_its_own_run_waits_for_the_end_of_its_lease(
    world: World, schedule: Schedule
) -> None:
    def deliver_again() -> Outcome:
        assert execute_fire(world.services, world.runner, create_fire(schedule)) is SkipReason.RUNNING
        return SUCCEEDED

    execute_fire(world.services, ActingRunner(deliver_again), create_fire(schedule))

    assert world.runner.fires == []
    assert [message.delay for message in world.list_sent_messages()] == [50]
    PlayedQueue(world).deliver_for(minutes=2)
    assert world.runner.fires == []


def test_run_of_killed_function_is_taken_over_after_its_lease(world: World, schedule: Schedule) -> None:
    def during() -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute_fire(world.services, ActingRunner(during), create_fire(schedule))
    world.advance(seconds=49)
    assert execute_fire(world.services, world.runner, create_fire(schedule)) is SkipReason.RUNNING

    PlayedQueue(world).deliver_for(seconds=2)

    (run,) = list_history(world, schedule)
    assert (run.status, run.attempt) == (RunStatus.SUCCESS, 2)


@pytest.mark.parametrize("seconds", [50, 300], ids=["as it ends", "long since"])
def test_expired_lease_does_not_block_the_next_occurrence(
    world: World, schedule: Schedule, seconds: float
) -> None:
    def during() -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute_fire(world.services, ActingRunner(during), create_fire(schedule))
    world.advance(seconds=seconds)

    result = execute_fire(world.services, world.runner, create_fire(schedule, "2026-11-23T09:05:00Z"))

    assert isinstance(result, Run)


def test_late_outcome_of_a_taken_over_run_is_not_written(world: World, schedule: Schedule) -> None:
    def during() -> Outcome:
        world.advance(seconds=51)
        execute_fire(world.services, world.runner, create_fire(schedule))
        world.calls.recorded.clear()
        return REFUSED

    execute_fire(world.services, ActingRunner(during), create_fire(schedule))

    assert world.calls.operation_names() == ["TransactWriteItems", "BatchGetItem"]
    (run,) = list_history(world, schedule)
    assert (run.status, run.attempt) == (RunStatus.SUCCESS, 2)


def test_a_disabled_schedule_is_not_run(world: World, schedule: Schedule) -> None:
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(enabled=False))

    assert execute_fire(world.services, world.runner, create_fire(schedule)) is SkipReason.DISABLED
    (run,) = list_history(world, schedule)
    assert (run.status, run.error) == (
        RunStatus.SKIPPED,
        "The schedule was disabled, its install, or its tenant paused",
    )
    assert world.runner.fires == []


def test_a_disabled_install_is_not_run(world: World, schedule: Schedule) -> None:
    world.register_install(schedule.install_id, enabled=False)

    assert execute_fire(world.services, world.runner, create_fire(schedule)) is SkipReason.DISABLED


def test_time_that_the_present_rule_lacks_is_not_run(world: World, schedule: Schedule) -> None:
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(cron="10,30 * * * *"))

    assert execute_fire(world.services, world.runner, create_fire(schedule)) is SkipReason.STALE_REVISION
    (run,) = list_history(world, schedule)
    assert (run.status, run.error) == (RunStatus.SKIPPED, "The schedule no longer fires at this time")


def test_time_that_the_present_rule_has_too_is_run(world: World, schedule: Schedule) -> None:
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(cron="0,30 * * * *"))

    assert isinstance(execute_fire(world.services, world.runner, create_fire(schedule)), Run)


def test_revoked_capability_is_recorded_and_not_run(world: World, schedule: Schedule) -> None:
    world.register_install(schedule.install_id, grantedCapabilities=[])

    assert execute_fire(world.services, world.runner, create_fire(schedule)) is SkipReason.CAPABILITY_REVOKED
    world.register_install(schedule.install_id, **registration_body())
    (run,) = list_history(world, schedule)
    assert (run.status, run.error) == (RunStatus.SKIPPED, "The install no longer has cap:scheduler.manage")


def test_an_unknown_schedule_is_not_run(world: World, schedule: Schedule) -> None:
    unknown = ScheduleId("01a20745-4897-4f81-a91e-a0d09962b8d6")

    assert execute_fire(
        world.services, world.runner, replace(create_fire(schedule), schedule_id=unknown)
    ) is (SkipReason.UNKNOWN_SCHEDULE)


def test_foreign_install_is_unknown(world: World, schedule: Schedule) -> None:
    other = world.register_install(tenantId="tenant-2")

    assert execute_fire(world.services, world.runner, replace(create_fire(schedule), install_id=other)) is (
        SkipReason.UNKNOWN_SCHEDULE
    )


def test_schedule_deleted_during_its_run_keeps_only_its_history(world: World, schedule: Schedule) -> None:
    def during() -> Outcome:
        delete_schedule(world.services, schedule.install_id, schedule.id)
        return SUCCEEDED

    execute_fire(world.services, ActingRunner(during), create_fire(schedule))

    page = world.services.runs.read_run_page(schedule.install_id, schedule.id, before=None, limit=10)
    assert [run.status for run in page.runs] == [RunStatus.SUCCESS]
    assert world.scan_rows_of_type(schedule.install_id, "schedule") == []


def test_schedule_changed_during_its_run_keeps_change_and_outcome(world: World, schedule: Schedule) -> None:
    def during() -> Outcome:
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(cron="5 * * * *"))
        return SUCCEEDED

    execute_fire(world.services, ActingRunner(during), create_fire(schedule))

    row = get_schedule(world.services, schedule.install_id, schedule.id)
    assert row.definition.cron == "5 * * * *"
    assert row.last_run is not None
    assert row.lease_expires_at is None


def test_disabled_between_the_read_and_the_claim_is_not_run(world: World, schedule: Schedule) -> None:
    def disable(call: Call) -> None:
        if call.operation == "BatchGetItem":
            world.calls.after = None
            update_schedule(world.services, schedule.install_id, schedule.id, update_input(enabled=False))

    world.calls.after = disable

    assert execute_fire(world.services, world.runner, create_fire(schedule)) is SkipReason.DISABLED
    assert world.runner.fires == []


def test_history_pages_are_newest_first_and_complete(world: World, schedule: Schedule) -> None:
    times = [f"2026-11-23T{hour:02}:00:00Z" for hour in range(7)]
    for time in times:
        world.clock[0] = datetime.fromisoformat(time)
        execute_fire(world.services, world.runner, create_fire(schedule, time))

    listed, before = [], None
    for _ in range(4):
        page = list_runs(world.services, schedule.install_id, schedule.id, before=before, limit=2)
        listed += [run.scheduled_time for run in page.runs]
        before = page.next_before

    assert listed == times[::-1]
    assert before is None


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        pytest.param(1, None, id="fewer than the limit"),
        pytest.param(2, None, id="the limit"),
        pytest.param(3, "2026-11-23T01:00:00Z", id="one more"),
        pytest.param(4, "2026-11-23T02:00:00Z", id="two more"),
    ],
)
def test_only_a_page_with_a_successor_has_a_cursor(
    world: World, schedule: Schedule, count: int, expected: str | None
) -> None:
    for hour in range(count):
        world.clock[0] = world.clock[0].replace(hour=hour)
        execute_fire(world.services, world.runner, create_fire(schedule, f"2026-11-23T{hour:02}:00:00Z"))

    page = list_runs(world.services, schedule.install_id, schedule.id, limit=2)

    assert (len(page.runs), page.next_before) == (min(count, 2), expected)


def test_run_that_lost_its_lease_leaves_the_schedule_to_the_next(world: World, schedule: Schedule) -> None:
    """While the first run is still with the runner, its lease ends, and the next occurrence begins and is killed."""
    next_time = "2026-11-23T10:00:00Z"

    def kill() -> Outcome:
        raise Killed

    def outlive_lease() -> Outcome:
        world.advance(seconds=51)
        with pytest.raises(Killed):
            execute_fire(world.services, ActingRunner(kill), create_fire(schedule, next_time))
        return SUCCEEDED

    finished = execute_fire(world.services, ActingRunner(outlive_lease), create_fire(schedule))

    assert isinstance(finished, Run)
    statuses = {run.scheduled_time: run.status for run in list_history(world, schedule)}
    assert statuses == {"2026-11-23T09:00:00Z": RunStatus.SUCCESS, next_time: RunStatus.RUNNING}
    row = get_schedule(world.services, schedule.install_id, schedule.id)
    assert (row.running_occurrence, row.last_run) == (next_time, None)
    assert row.lease_expires_at == world.clock[0] + world.services.lease
