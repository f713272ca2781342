"""The reconciler while EventBridge keeps failing."""

from contextlib import suppress
from dataclasses import replace

import pytest
from scheduling.domain.ids import InstallId
from scheduling.operations.maintenance.reconcile import MAX_UNANSWERED, TIME_BUDGET, reconcile
from scheduling.operations.schedules.create import create_schedule

from tests.support.aws.calls import Call, Killed, client_error, lost_response_error
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.world import World, create_input, on_moto_and_memory, once_on_moto

pytestmark = [on_moto_and_memory, once_on_moto]

PENDING_SCHEDULES = 8


@pytest.fixture(autouse=True)
def pending_schedules(world: World, install_id: InstallId) -> None:
    def kill(call: Call) -> None:
        if call.operation == "CreateSchedule":
            raise Killed

    world.calls.before = kill
    for _ in range(PENDING_SCHEDULES):
        with suppress(Killed):
            create_schedule(world.services, install_id, create_input())
    world.calls.before = None
    world.advance(seconds=61)


@pytest.mark.parametrize(
    "error", [lost_response_error(), client_error("ThrottlingException")], ids=["no answer", "throttled"]
)
def test_unresponsive_system_is_skipped_until_the_next_call(world: World, error: Exception) -> None:
    def fail(call: Call) -> None:
        if call.service == "scheduler":
            raise error

    world.calls.before = fail
    report = reconcile(world.services)
    world.calls.before = None

    assert (report.synced, report.failed) == (0, MAX_UNANSWERED)
    assert reconcile(world.services).synced == PENDING_SCHEDULES
    assert_consistent(world)


def test_time_budget_ends_the_call_and_the_next_one_goes_on(world: World) -> None:
    """By the clock of the services, not by that of the machine that runs the tests."""
    seconds = [0.0]
    services = replace(world.services, monotonic=lambda: seconds[0])

    def pass_time(call: Call) -> None:
        if call.operation == "CreateSchedule":
            seconds[0] += TIME_BUDGET / 2 + 1

    world.calls.after = pass_time
    first, second = reconcile(services).synced, reconcile(services).synced

    assert (first, second) == (2, 2)


def test_refused_rows_do_not_block_the_others(world: World) -> None:
    refusals = 0

    def refuse(call: Call) -> None:
        nonlocal refusals
        if call.service == "scheduler" and refusals < PENDING_SCHEDULES - 1:
            refusals += 1
            raise client_error("ValidationException")

    world.calls.before = refuse
    report = reconcile(world.services)

    assert (report.synced, report.failed) == (1, PENDING_SCHEDULES - 1)
