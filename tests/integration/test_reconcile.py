"""The reconciler where EventBridge goes on failing."""

from contextlib import suppress

import pytest
from scheduling.domain.ids import InstallId
from scheduling.operations.maintenance.reconcile import MAX_UNANSWERED, reconcile
from scheduling.operations.schedules.create import create_schedule

from tests.support.aws_calls import Call, Killed, lost, refused
from tests.support.consistency import assert_consistent
from tests.support.world import World, on_both, wanted

pytestmark = on_both

LEFT = 8


@pytest.fixture(autouse=True)
def left_pending(world: World, install_id: InstallId) -> None:
    def die(call: Call) -> None:
        if call.operation == "CreateSchedule":
            raise Killed

    world.calls.before = die
    for _ in range(LEFT):
        with suppress(Killed):
            create_schedule(world.services, install_id, wanted())
    world.calls.before = None
    world.advance(seconds=61)


@pytest.mark.parametrize("error", [lost(), refused("ThrottlingException")], ids=["no answer", "throttled"])
def test_a_system_that_does_not_answer_is_left_alone_until_the_next_call(
    world: World, error: Exception
) -> None:
    def fail(call: Call) -> None:
        if call.service == "scheduler":
            raise error

    world.calls.before = fail
    report = reconcile(world.services)
    world.calls.before = None

    assert (report.synced, report.failed) == (0, MAX_UNANSWERED)
    assert reconcile(world.services).synced == LEFT
    assert_consistent(world)


def test_rows_that_are_refused_do_not_hold_up_the_others(world: World) -> None:
    refusals = 0

    def refuse(call: Call) -> None:
        nonlocal refusals
        if call.service == "scheduler" and refusals < LEFT - 1:
            refusals += 1
            raise refused("ValidationException")

    world.calls.before = refuse
    report = reconcile(world.services)

    assert (report.synced, report.failed) == (1, LEFT - 1)
