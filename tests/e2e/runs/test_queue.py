"""Occurrences in the queue: fairness, back-pressure, retries and dead letters (contract, section 6)."""

import json
import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.stacks.local_stack import (
    ApiInstall,
    LocalStack,
    fire_statuses,
    start_local_stack,
    wait_for,
)
from tests.support.stacks.scripted_runner import RunnerRequest, RunnerResponse, extension_response

REAL_DELAYS = "the delays of functions in containers are in real time"
NOISY_COUNT = 300
BURST = 24


@pytest.fixture
def narrow_stack(tmp_path: Path) -> Iterator[LocalStack]:
    """A stack that executes two occurrences at once."""
    limits = {"MAXIMUM_CONCURRENCY": "2", "MAX_SCHEDULES_PER_INSTALL": str(NOISY_COUNT)}
    with start_local_stack(tmp_path, **limits) as stack:
        yield stack


@pytest.mark.local_only("it starts its own stack")
def test_quiet_tenant_does_not_wait_for_a_noisy_one(narrow_stack: LocalStack) -> None:
    noisy = narrow_stack.register_install(tenantId="noisy")
    noisy_ids = [noisy.create_schedule() for _ in range(NOISY_COUNT)]
    quiet_id = narrow_stack.register_install(tenantId="quiet").create_schedule()

    fired = narrow_stack.advance_clock("PT1H")

    assert {each["scheduleId"] for each in fired} == {*noisy_ids, quiet_id}
    assert {each["status"] for each in fired} == {"success"}
    order = [request.body["context"]["schedule_id"] for request in narrow_stack.runner.requests]
    assert len(order) == NOISY_COUNT + 1
    assert order.index(quiet_id) < len(order) / 10


@dataclass
class CompilingRunner:
    """A runner that executes two at a time, a second each, for callers who wait for three seconds.

    It counts instead of measuring: a request that finds five others waits for the third second, one that finds more
    would be answered too late, and its caller has left.
    """

    slots: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(2))
    lock: threading.Lock = field(default_factory=threading.Lock)
    present: int = 0
    late: list[str] = field(default_factory=list)

    def respond(self, request: RunnerRequest) -> RunnerResponse | None:
        with self.lock:
            self.present += 1
            seconds = math.ceil(self.present / 2)
        with self.slots:
            threading.Event().wait(0.02)  # so that others meet this one
        with self.lock:
            self.present -= 1
            if seconds > 3:
                self.late.append(request.headers["x-request-id"])
                return None
        return extension_response()


@pytest.mark.local_only("a container of `sam local` handles one event at a time")
def test_slow_runner_gets_no_more_than_it_can_answer(stack: LocalStack, install: ApiInstall) -> None:
    runner = CompilingRunner()
    stack.runner.respond = runner.respond
    ids = [install.create_schedule() for _ in range(BURST)]

    fired = stack.advance_clock("PT1H")

    assert runner.late == []
    assert [fire_statuses(fired, schedule_id) for schedule_id in ids] == [["success"]] * BURST
    assert [len(stack.runner.requests_for_schedule(schedule_id)) for schedule_id in ids] == [1] * BURST
    assert [run["attempt"] for schedule_id in ids for run in install.list_runs(schedule_id)] == [1] * BURST


def test_slow_runner_answers_too_late_if_all_come_at_once() -> None:
    """Shows that the model of the runner can fail."""
    runner, barrier = CompilingRunner(), threading.Barrier(BURST)

    def request(number: int) -> RunnerResponse | None:
        barrier.wait(20)
        return runner.respond(RunnerRequest("/v1/execute", [("x-request-id", str(number))], b"{}"))

    with ThreadPoolExecutor(BURST) as pool:
        responses = list(pool.map(request, range(BURST)))
    assert responses.count(None) == len(runner.late) > 0


@pytest.mark.local_only(REAL_DELAYS)
@pytest.mark.parametrize("status", [503, 429])
def test_runner_without_capacity_uses_up_no_attempt(
    stack: LocalStack, install: ApiInstall, status: int
) -> None:
    schedule_id = install.create_schedule()
    stack.receive_dead_letters()
    stack.runner.respond = lambda _request: (status, b"")

    assert fire_statuses(stack.advance_clock("PT30M"), schedule_id) == ["waiting"]

    assert [run["status"] for run in install.list_runs(schedule_id)] == ["waiting"]
    assert install.read_schedule(schedule_id)["lastRunAt"] is None
    stack.advance_clock("PT40M")
    count = len(stack.runner.requests_for_schedule(schedule_id))
    assert count > 2
    stack.runner.respond = lambda _request: extension_response()
    assert stack.advance_clock("PT16M") == []
    assert len(stack.runner.requests_for_schedule(schedule_id)) == count + 1
    (run,) = install.list_runs(schedule_id)
    assert (run["status"], run["attempt"]) == ("success", 1)
    assert stack.receive_dead_letters() == []


@pytest.mark.local_only(REAL_DELAYS)
def test_retries_happen_in_order_with_the_fires_around_them(stack: LocalStack, install: ApiInstall) -> None:
    failing = install.create_schedule()
    other = install.create_schedule(cron="2 * * * *")
    stack.runner.respond = lambda request: extension_response(
        500 if request.body["context"]["schedule_id"] == failing else 200
    )
    before = len(stack.runner.requests)

    assert fire_statuses(stack.advance_clock("PT30M"), failing) == ["error"]
    assert len(stack.runner.requests_for_schedule(failing)) == 1
    assert fire_statuses(stack.advance_clock("PT5M"), other) == ["success"]

    order = [request.body["context"]["schedule_id"] for request in stack.runner.requests[before:]]
    assert order == [failing, failing, other, failing]
    (run,) = install.list_runs(failing)
    assert (run["attempt"], run["startedAt"][14:16]) == (3, "03")


@pytest.mark.local_only(REAL_DELAYS)
def test_dead_letter_runs_again_when_it_is_moved_to_the_queue(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    stack.receive_dead_letters()
    stack.runner.respond = lambda _request: extension_response(500)
    stack.advance_clock("PT40M")
    (dead_letter,) = stack.receive_dead_letters()
    assert dead_letter["replay"] is True
    stack.runner.respond = lambda _request: extension_response()

    stack.aws_client("sqs").send_message(
        QueueUrl=stack.queue_url("OccurrenceQueue"),
        MessageBody=json.dumps(dead_letter),
        MessageGroupId="tenant-1",
    )

    runs = wait_for(lambda: install.list_runs(schedule_id), lambda runs: runs[0]["status"] == "success")
    assert [run["attempt"] for run in runs] == [4]
    assert stack.receive_dead_letters() == []


def test_timer_changed_by_hand_stops_no_other(stack: LocalStack, install: ApiInstall) -> None:
    good = install.create_schedule()
    scheduler, group = stack.aws_client("scheduler"), stack.group_name()
    timer = install.read_timer(install.create_schedule())
    assert timer is not None
    arguments = {
        name: timer[name]
        for name in ("Name", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow")
    }
    by_hand = {**arguments, "GroupName": group, "Target": timer["Target"]}
    scheduler.update_schedule(**by_hand, Description="without a state")
    for changes in (
        {"Target": {**timer["Target"], "Input": "5"}},
        {"ScheduleExpression": "cron(0 9 * * * *)"},
        {"ScheduleExpressionTimezone": "US/Pacific-New"},
    ):
        name = f"by-hand-{len(changes)}-{next(iter(changes))}"
        scheduler.create_schedule(**{**by_hand, "Name": name, **changes})

    fired = stack.advance_clock("PT1H")

    assert fire_statuses(fired, good) == ["success"]
    assert fire_statuses(fired, timer["Name"]) == ["success"]
    assert fire_statuses(fired, "by-hand-1-Target") == ["error"]
    assert len(fired) == 3
