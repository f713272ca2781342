"""One backfill of a schedule at a time, and what becomes of one that is interrupted."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from scheduling.domain.deliveries.backfill import BackfillPlan
from scheduling.domain.deliveries.waiting import missed_after
from scheduling.domain.errors import (
    BackfillInProgress,
    Unavailable,
)
from scheduling.domain.runs import RunStatus
from scheduling.domain.schedule import Schedule

from tests.support.aws.calls import Call, Killed, client_error
from tests.support.oracles.audit import Audit
from tests.support.stacks.backfills import FAILED, backfill, hours, period, record_failure, statuses
from tests.support.stacks.fires import PlayedQueue, list_history
from tests.support.stacks.world import (
    World,
    on_moto_and_memory,
)

in_memory = pytest.mark.parametrize("world", ["memory"], indirect=True)


@on_moto_and_memory
def test_a_schedule_has_one_backfill_at_a_time(world: World, schedule: Schedule) -> None:
    backfill(world, schedule, period(5, 7))
    queue = PlayedQueue(world)
    queue.deliver_for(seconds=3)

    for request in (period(5, 7), period(1, 2)):
        with pytest.raises(BackfillInProgress, match=r"in progress: 1 of 3 have not ended$"):
            backfill(world, schedule, request)
    assert backfill(world, schedule, period(5, 7, dry_run=True)).left_out == {
        **dict.fromkeys(hours(5, 6), "success"),
        hours(7, 7)[0]: "waiting",
    }

    queue.deliver_for(seconds=3)
    assert backfill(world, schedule, period(1, 2)).scheduled_times == hours(1, 2)


def test_of_two_backfills_at_once_one_is_refused(world: World, schedule: Schedule) -> None:
    results: list[object] = []

    def run_other(call: Call) -> None:
        if call.operation == "PutItem" and not results:
            world.calls.before = None
            results.append(backfill(world, schedule, period(5, 7)))

    world.calls.before = run_other
    with pytest.raises(BackfillInProgress, match="3 of 3 have not ended"):
        backfill(world, schedule, period(5, 7))

    assert results == [BackfillPlan(hours(5, 7), {})]
    assert len(world.list_executor_events()) == 3


CALLS_OF_THREE = 8
"""The writes and messages of a backfill of three occurrences: its row, each occurrence and its message, its row."""


@in_memory
@pytest.mark.parametrize("failure", [Killed(), client_error("InternalError")], ids=["killed", "failing"])
@pytest.mark.parametrize("at", range(CALLS_OF_THREE))
def test_an_interrupted_backfill_is_resumed_by_the_same_request(
    world: World, schedule: Schedule, audit: Audit, at: int, failure: BaseException
) -> None:
    audit.publish_new_events()
    calls: list[str] = []

    def interrupt(call: Call) -> None:
        if call.operation in ("PutItem", "SendMessage"):
            calls.append(call.operation)
        if len(calls) > at:
            raise failure

    world.calls.before = interrupt
    with pytest.raises((Killed, Unavailable)):
        backfill(world, schedule, period(5, 7))
    world.calls.before = None
    assert calls[-1] == [*["PutItem"], *["PutItem", "SendMessage"] * 3, "PutItem"][at]
    queue = PlayedQueue(world)
    queue.deliver_for(seconds=10)

    if at:
        with pytest.raises(BackfillInProgress, match="is being started"):
            backfill(world, schedule, period(5, 7))
        world.advance(minutes=1)
        text = (
            "A backfill of this schedule was interrupted; repeat it first, from 2026-11-23T05:00:00+00:00 "
            "to 2026-11-23T07:00:00+00:00, all"
        )
        with pytest.raises(BackfillInProgress) as refusal:
            backfill(world, schedule, period(4, 7))
        assert str(refusal.value) == text
    plan = backfill(world, schedule, period(5, 7))
    queue.deliver_for(minutes=1)

    assert sorted([*plan.scheduled_times, *plan.left_out]) == hours(5, 7)
    assert sorted(fire.scheduled_time for fire in world.runner.fires) == hours(5, 7)
    assert {run.status for run in list_history(world, schedule)} == {RunStatus.SUCCESS}
    assert audit.publish_new_event_names() == ["BackfillRequested by admin"]
    assert backfill(world, schedule, period(3, 4)).scheduled_times == hours(3, 4)


def test_of_two_that_resume_a_backfill_at_once_one_is_refused(world: World, schedule: Schedule) -> None:
    world.calls.before = _killer("SendMessage", after=0)
    with pytest.raises(Killed):
        backfill(world, schedule, period(5, 7))
    world.calls.before = None
    world.advance(minutes=1)
    results: list[BackfillPlan] = []

    def resume_first(call: Call) -> None:
        if call.operation == "PutItem":
            world.calls.before = None
            results.append(backfill(world, schedule, period(5, 7)))

    world.calls.before = resume_first
    with pytest.raises(BackfillInProgress):
        backfill(world, schedule, period(5, 7))

    assert results == [BackfillPlan(hours(5, 7), {})]
    assert len(world.list_executor_events()) == 3


@in_memory
@pytest.mark.parametrize("number", range(5))
def test_a_write_that_its_client_repeats_after_a_lost_response_is_recognized(
    world: World, schedule: Schedule, number: int
) -> None:
    puts: list[Call] = []

    def refuse_repetition(call: Call) -> None:
        if call.operation == "PutItem":
            puts.append(call)
            if len(puts) == number + 1:
                raise client_error("ConditionalCheckFailedException")

    world.calls.after = refuse_repetition
    plan = backfill(world, schedule, period(5, 7))
    world.calls.after = None
    PlayedQueue(world).deliver_for(minutes=1)

    assert plan == BackfillPlan(hours(5, 7), {})
    assert [fire.scheduled_time for fire in world.runner.fires] == hours(5, 7)
    assert backfill(world, schedule, period(5, 7)).scheduled_times == []


def test_a_resumed_backfill_does_not_repeat_what_has_failed_again(world: World, schedule: Schedule) -> None:
    world.runner.outcome = FAILED
    record_failure(world, schedule, *hours(6, 6))
    world.calls.before = _killer("SendMessage", after=2)
    with suppress(Killed):
        backfill(world, schedule, period(5, 7))
    world.calls.before = None
    queue = PlayedQueue(world)
    queue.deliver_for(minutes=1)
    assert statuses(world, schedule) == [
        (*hours(5, 5), "backfill", "error", 1),
        (*hours(6, 6), "backfill", "error", 2),
        (*hours(7, 7), "backfill", "waiting", 0),
    ]

    plan = backfill(world, schedule, period(5, 7))

    assert plan == BackfillPlan(hours(7, 7), dict.fromkeys(hours(5, 6), "error"))


def _killer(operation: str, after: int) -> Callable[[Call], None]:
    count = [0]

    def kill(call: Call) -> None:
        count[0] += call.operation == operation
        if count[0] > after:
            raise Killed

    return kill


def test_a_backfill_that_is_never_finished_blocks_no_other_for_good(world: World, schedule: Schedule) -> None:
    backfill(world, schedule, period(5, 7))  # its messages are lost
    world.clock[0] += missed_after(world.services.limits) + timedelta(seconds=7)

    assert backfill(world, schedule, period(5, 8)).scheduled_times == hours(5, 8)
