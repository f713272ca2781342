"""Deliveries that are interrupted at each of their calls, and delivered twice: nothing is lost, nothing runs too often.

The queue delivers what was not acknowledged once more. Each story has the runner's outcomes in their order.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from scheduling.domain.deliveries.delivery import Delivery
from scheduling.domain.fire_events import FireEvent
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Execution, Outcome, Run, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, Killed, client_error
from tests.support.faults.crashes import FAULTS, inject_fault
from tests.support.stacks.fires import PlayedQueue, create_fire, list_history
from tests.support.stacks.world import (
    DEAD_LETTER_QUEUE_URL,
    TENANT,
    FakeRunner,
    World,
    create_input,
    new_world,
    update_input,
)

SUCCEEDED = Outcome(status=RunStatus.SUCCESS, http_status=200)
FAILED = Outcome(status=RunStatus.ERROR, http_status=503, error="503", retryable=True)
BUSY = Outcome(
    status=RunStatus.ERROR, error="busy", runner_status=503, retryable=True, retry_after=timedelta()
)
STORIES = {
    "success": [SUCCEEDED],
    "second attempt": [FAILED, SUCCEEDED],
    "third attempt": [FAILED, FAILED, SUCCEEDED],
    "three failures": [FAILED] * 9,
    "no capacity": [BUSY, BUSY, SUCCEEDED],
    "no capacity between attempts": [FAILED, BUSY, SUCCEEDED],
}
MAX_CALLS = 14
"""More calls than any delivery of a story makes."""


@dataclass
class ScriptedOutcomes(FakeRunner):
    """Returns the outcomes in order, the last one for good, and counts what it has executed."""

    outcomes: list[Outcome]
    executions: list[Execution] = field(default_factory=list)
    succeeded: int = 0

    def __call__(self, execution: Execution) -> Outcome:
        self.executions.append(execution)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        self.succeeded += outcome.status is RunStatus.SUCCESS
        return outcome


@dataclass
class DyingRunner(ScriptedOutcomes):
    """Lets the function die during its first calls."""

    deaths: int = 0

    def __call__(self, execution: Execution) -> Outcome:
        if self.deaths:
            self.deaths -= 1
            raise Killed
        return super().__call__(execution)


@dataclass
class Interruption:
    """A world whose one occurrence is delivered with a fault at one call, and what it leaves after some hours."""

    world: World
    schedule: Schedule
    runner: ScriptedOutcomes
    queue: PlayedQueue

    def run(self) -> None:
        self.queue.deliver_for(minutes=1)
        self.world.calls.before = self.world.calls.after = None
        self.queue.deliver_for(hours=5)

    @property
    def history(self) -> list[Run]:
        return list_history(self.world, self.schedule)


def interrupt(world: World, story: str, fault: str, *, copies: int = 1) -> Iterator[Interruption]:
    """Yield the story with the fault at each of its first calls."""
    for number in range(1, MAX_CALLS + 1):
        install_id = world.register_install()
        world.clock[0] = world.clock[0].replace(minute=0) + timedelta(hours=1)
        schedule = create_schedule(world.services, install_id, create_input(cron="0 9 * * *"))
        world.clock[0] = world.clock[0].replace(hour=9, minute=0) + timedelta(days=1)
        fire = create_fire(schedule, f"{world.clock[0]:%Y-%m-%d}T09:00:00Z")
        delivery = Delivery(event=FireEvent(fire=fire), accepted_at=world.clock[0], group=TENANT)
        world.calls.recorded.clear()
        world.runner = runner = ScriptedOutcomes(list(STORIES[story]))
        queue = PlayedQueue(world, 0, [(world.clock[0], delivery)] * copies)
        inject_fault(world.calls, number, fault)
        yield Interruption(world, schedule, runner, queue)


@pytest.fixture
def memory_world() -> Iterator[World]:
    with new_world(aws="memory") as world:
        yield world


def assert_nothing_lost(case: Interruption, *, interrupted: int) -> None:
    """Assert that the occurrence is finished, once if nothing was uncertain, and no message is left."""
    (run,) = case.history
    dead_letters = case.world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
    assert case.queue.waiting == []
    assert run.is_final
    assert run.attempt <= 3
    assert len([each for each in case.runner.executions if each.run.attempt <= 3]) == len(
        case.runner.executions
    )
    assert case.runner.succeeded <= 1 + interrupted
    if run.status is RunStatus.ERROR:
        assert dead_letters
    else:
        assert run.status is RunStatus.SUCCESS
        assert case.runner.succeeded
        assert dead_letters == []


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("fault", FAULTS)
def test_interrupted_delivery_is_finished_by_the_queue(memory_world: World, story: str, fault: str) -> None:
    for case in interrupt(memory_world, story, fault):
        case.run()
        assert_nothing_lost(case, interrupted=1)


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("fault", ["killed before", "killed after"])
def test_occurrence_delivered_twice_is_finished_once(memory_world: World, story: str, fault: str) -> None:
    for case in interrupt(memory_world, story, fault, copies=2):
        case.run()
        assert_nothing_lost(case, interrupted=1)


@pytest.mark.parametrize("story", STORIES)
def test_copies_of_every_message_change_nothing(memory_world: World, story: str) -> None:
    """Each message is delivered twice, as SQS may deliver it."""

    class DoublingQueue(PlayedQueue):
        def collect_messages(self) -> None:
            known = len(self.waiting)
            super().collect_messages()
            self.waiting += self.waiting[known:]

    for case in interrupt(memory_world, story, "killed before"):
        memory_world.calls.before = None
        case.queue = DoublingQueue(memory_world, 0, case.queue.waiting * 2)
        case.run()
        assert_nothing_lost(case, interrupted=0)
        return


def test_last_failure_keeps_its_reason_while_dead_letters_cannot_be_sent(memory_world: World) -> None:
    def refuse_dead_letters(call: Call) -> None:
        if call.operation == "SendMessage" and call.arguments["QueueUrl"] == DEAD_LETTER_QUEUE_URL:
            raise client_error("ServiceUnavailable", status=503)

    for case in interrupt(memory_world, "three failures", "killed before"):
        memory_world.calls.before = refuse_dead_letters
        case.queue.deliver_for(minutes=4)
        (unfinished_run,) = case.history
        memory_world.calls.before = None
        case.queue.deliver_for(hours=5)

        (run,) = case.history
        (letter,) = memory_world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
        assert (unfinished_run.status, unfinished_run.error) == (RunStatus.RUNNING, "503")
        assert (run.status, run.attempt, run.error, run.http_status) == (RunStatus.ERROR, 3, "503", 503)
        assert letter.attributes == {"ERROR_MESSAGE": "503"}
        assert len(case.runner.executions) == 3
        return


CHANGES: dict[str, Callable[[World, Schedule], object]] = {
    "deleted": lambda world, schedule: delete_schedule(world.services, schedule.install_id, schedule.id),
    "disabled": lambda world, schedule: update_schedule(
        world.services, schedule.install_id, schedule.id, update_input(enabled=False)
    ),
    "changed": lambda world, schedule: update_schedule(
        world.services, schedule.install_id, schedule.id, update_input(cron="30 10 * * *")
    ),
    "moved": lambda world, schedule: world.register_install(
        InstallId(schedule.install_id), versionId="version-2", contentHash="sha256:" + "1" * 64
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("story", ["second attempt", "no capacity"])
def test_change_between_the_deliveries_is_honored(memory_world: World, story: str, change: str) -> None:
    for case in interrupt(memory_world, story, "killed before"):
        memory_world.calls.before = None
        case.queue.deliver_for(seconds=1)
        CHANGES[change](memory_world, case.schedule)
        case.run()

        assert case.queue.waiting == []
        assert case.runner.succeeded == (change == "moved")
        if change == "moved":
            assert case.runner.executions[-1].install.version_id == "version-2"
        elif change != "deleted":
            (run,) = case.history
            assert run.is_final
            assert run.status is (RunStatus.SKIPPED if story == "no capacity" else RunStatus.ERROR)
        return


@pytest.mark.parametrize("deaths", [1, 2, 3])
def test_deaths_during_the_run_are_attempts(memory_world: World, deaths: int) -> None:
    for case in interrupt(memory_world, "success", "killed before"):
        memory_world.calls.before = None
        memory_world.runner = DyingRunner([SUCCEEDED], deaths=deaths)
        case.queue.deliver_for(hours=1)

        (run,) = case.history
        dead_letters = memory_world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
        if deaths < 3:
            assert (run.status, run.attempt, dead_letters) == (RunStatus.SUCCESS, deaths + 1, [])
        else:
            assert (run.status, run.attempt, len(dead_letters)) == (RunStatus.ERROR, 3, 1)
        return
