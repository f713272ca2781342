from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

import pytest

from local.clock import LocalClock
from local.lambda_.functions import LambdaContext
from local.queue.consumer import QueueConsumer
from local.scheduler.expression import parse_expression
from local.scheduler.firing import LocalScheduler
from local.scheduler.schedules import LocalTimer
from local.scheduler.target import SendMessageTarget
from tests.local.support import MemoryQueue, create_functions, create_mapping

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


@dataclass(frozen=True)
class FakeRun:
    """A run in the history."""

    status: str
    attempt: int


class SchedulerBench:
    """A scheduler on timers and a queue in memory, whose function records its events and the status of the run."""

    def __init__(self, *, frozen: bool = True) -> None:
        self.clock = LocalClock(START, frozen=frozen)
        self.timers: dict[str, LocalTimer] = {}
        self.events: list[tuple[str, str, datetime]] = []
        self.minutes: list[datetime] = []
        self.deliveries: list[datetime] = []
        self.on_event: Callable[[str], str | None] = lambda _: None
        self.runs: dict[str, FakeRun] = {}
        self.sqs = MemoryQueue()
        sqs = cast(Any, self.sqs)
        queue = QueueConsumer(sqs, create_functions(run=self._run), create_mapping(), self.clock)
        self.scheduler = LocalScheduler(
            self.clock,
            cast(Any, self),
            SendMessageTarget(sqs),
            queue,
            self.runs.get,
            lambda: self.minutes.append(self.clock.now()),
            lambda: self.deliveries.append(self.clock.now()),
        )

    def read_timers(self) -> dict[str, LocalTimer]:
        return dict(self.timers)

    def read_timer(self, name: str) -> LocalTimer | None:
        return self.timers.get(name)

    def delete_timer(self, timer: LocalTimer) -> None:
        del self.timers[timer.name]

    def put_timer(
        self,
        name: str,
        expression: str,
        *,
        enabled: bool = True,
        timezone: str = "UTC",
        target_input: str | None = None,
        spread_minutes: int = 0,
    ) -> None:
        body = json.dumps({"id": name, "at": "<aws.scheduler.scheduled-time>"})
        self.timers[name] = LocalTimer(
            name=name,
            arn=f"arn:aws:scheduler:::{name}",
            created_at=START,
            modified_at=datetime.now(UTC),
            expression=expression,
            timezone=timezone,
            enabled=enabled,
            target_arn="arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
            deletes_itself=expression.startswith("at("),
            spread_minutes=spread_minutes,
            dead_letter_arn="arn:aws:sqs:us-east-1:123456789012:timer-dead-letters",
            input=target_input
            or json.dumps({"QueueUrl": "queue", "MessageBody": body, "MessageGroupId": "tenant"}),
            rule=parse_expression(expression),
        )

    def advance(self, **duration: float) -> list[str]:
        deliveries = self.scheduler.advance_by(timedelta(**duration))
        return [f"{each.schedule_id} {each.scheduled_time:%H:%M} {each.status}" for each in deliveries]

    def _run(self, event: Any, _: LambdaContext) -> Any:
        """Play the executor: run what has not run yet, with the status that the test chooses."""
        body = event["Records"][0]["body"]
        occurrence = json.loads(body)
        self.events.append((occurrence["id"], occurrence["at"], self.clock.now()))
        attempt = self.runs[body].attempt + 1 if body in self.runs else 1
        if attempt == 1 or self.runs[body].status != "success":
            status = self.on_event(occurrence["id"]) or "success"
            self.runs[body] = FakeRun(status, attempt)
            if status == "error" and attempt < 3:
                self.sqs.send_message(QueueUrl="queue", MessageBody=body, delay=self.delay_until(attempt))
        return {"batchItemFailures": []}

    def delay_until(self, minutes: int) -> str:
        """Return the time at which a message is due that is sent with a delay now."""
        return (self.clock.now() + timedelta(minutes=minutes)).isoformat()


@pytest.fixture
def bench() -> SchedulerBench:
    return SchedulerBench()


def test_timer_of_every_five_minutes_fires_twelve_times_an_hour(bench: SchedulerBench) -> None:
    bench.put_timer("a", "cron(0/5 * * * ? *)")
    occurrences = bench.advance(hours=1)
    assert len(occurrences) == 12
    assert (occurrences[0], occurrences[-1]) == ("a 09:05 success", "a 10:00 success")
    assert bench.events[0] == ("a", "2026-11-23T09:05:00Z", START + timedelta(minutes=5))
    assert bench.clock.now() == START + timedelta(hours=1)
    assert bench.advance(minutes=4) == []
    assert bench.advance(minutes=1) == ["a 10:05 success"]


def test_a_timer_with_a_window_fires_at_the_same_minute_of_it_in_each_travel(bench: SchedulerBench) -> None:
    travels = []
    for each in (bench, SchedulerBench()):
        each.put_timer("a", "cron(0 * * * ? *)", spread_minutes=30)
        each.put_timer("b", "at(2026-11-23T10:00:00)", spread_minutes=30)
        each.advance(hours=2)
        each.advance(hours=3)
        travels.append(each.events)
    times = [(name, time[11:16]) for name, time, _ in travels[0]]
    assert sorted(times) == [*(("a", f"{hour}:00") for hour in range(10, 14)), ("b", "10:00")]
    delays = [sent_at - datetime.fromisoformat(time) for _, time, sent_at in travels[0]]
    assert all(timedelta() <= delay <= timedelta(minutes=30) for delay in delays)
    assert len(set(delays)) > 1
    assert travels[0] == travels[1]


@pytest.mark.parametrize(
    ("changes", "occurrences"),
    [
        pytest.param(
            {"dead_letter_arn": None, "modified_at": START}, ["a 10:00 success"], id="changed target"
        ),
        pytest.param({"spread_minutes": 0}, ["a 10:00 success"], id="no window any more"),
        pytest.param({"created_at": datetime.now(UTC)}, [], id="another timer"),
        pytest.param({"timezone": "Europe/Berlin"}, [], id="other times"),
    ],
)
def test_an_open_window_stays_as_long_as_the_timer_has_the_same_times(
    bench: SchedulerBench, changes: dict[str, Any], occurrences: list[str]
) -> None:
    bench.put_timer("a", "cron(0 10 * * ? *)", spread_minutes=59)
    assert bench.timers["a"].send_time(START + timedelta(hours=1)).minute > 1
    assert bench.advance(minutes=61) == []

    bench.timers["a"] = replace(bench.timers["a"], **changes)

    assert bench.advance(minutes=59) == occurrences


def test_timer_of_a_one_time_rule_fires_once_and_deletes_itself(bench: SchedulerBench) -> None:
    bench.put_timer("a", "at(2026-11-23T09:20:30)")
    bench.put_timer("b", "cron(0/20 * * * ? *)")
    assert bench.advance(hours=1) == [
        "b 09:20 success",
        "a 09:20 success",
        "b 09:40 success",
        "b 10:00 success",
    ]
    assert bench.events[1] == ("a", "2026-11-23T09:20:30Z", START + timedelta(minutes=20, seconds=30))
    assert list(bench.timers) == ["b"]


def test_occurrences_are_in_order_of_time_then_name(bench: SchedulerBench) -> None:
    for name in ("c", "a", "b"):
        bench.put_timer(name, "cron(0/30 * * * ? *)")
    bench.put_timer("d", "cron(15 * * * ? *)")
    occurrences = [line.rpartition(" ")[0] for line in bench.advance(hours=1)]
    assert occurrences == ["d 09:15", "a 09:30", "b 09:30", "c 09:30", "a 10:00", "b 10:00", "c 10:00"]


def test_disabled_timer_never_fires(bench: SchedulerBench) -> None:
    bench.put_timer("a", "cron(0/5 * * * ? *)", enabled=False)
    assert bench.advance(hours=1) == []


def test_timers_added_or_removed_while_advancing_are_respected(bench: SchedulerBench) -> None:
    bench.put_timer("a", "cron(30 * * * ? *)")

    def change(_: str) -> None:
        bench.timers.pop("a")
        bench.put_timer("b", "cron(0/15 * * * ? *)")
        bench.on_event = lambda _: None

    bench.on_event = change
    assert bench.advance(hours=2) == [
        "a 09:30 success",
        *(f"b {at} success" for at in ("09:45", "10:00", "10:15", "10:30", "10:45", "11:00")),
    ]


def test_timer_changed_by_its_own_fire_does_not_fire_twice_at_that_time(bench: SchedulerBench) -> None:
    bench.put_timer("a", "cron(0/30 * * * ? *)")

    def change(name: str) -> None:
        bench.put_timer(name, "cron(0/10 * * * ? *)")

    bench.on_event = change
    assert bench.advance(hours=1) == [f"a {at} success" for at in ("09:30", "09:40", "09:50", "10:00")]


def test_timer_does_not_fire_before_its_creation(bench: SchedulerBench) -> None:
    bench.advance(hours=3)
    bench.put_timer("a", "cron(0 * * * ? *)")
    assert bench.advance(minutes=59) == []
    assert bench.advance(minutes=1) == ["a 13:00 success"]


def test_failed_attempts_are_repeated_at_their_times(bench: SchedulerBench) -> None:
    bench.put_timer("a", "cron(0 10 * * ? *)")
    bench.put_timer("b", "cron(2 10 * * ? *)")
    bench.on_event = lambda name: "error" if name == "a" else None
    assert bench.advance(hours=2) == ["a 10:00 error", "b 10:02 success"]
    assert [(name, f"{now:%H:%M}") for name, _, now in bench.events] == [
        ("a", "10:00"),
        ("a", "10:01"),
        ("b", "10:02"),
        ("a", "10:03"),
    ]


def test_status_is_the_one_at_the_end_of_the_move(bench: SchedulerBench) -> None:
    statuses = iter(["error", "waiting", "success"])
    bench.put_timer("a", "cron(0 * * * ? *)")
    bench.on_event = lambda _: next(statuses)
    assert bench.advance(hours=1) == ["a 10:00 error"]
    assert bench.advance(minutes=1) == []
    (run,) = bench.runs.values()
    assert run == FakeRun("waiting", 2)


def test_retry_that_recovers_within_the_move_is_a_success(bench: SchedulerBench) -> None:
    statuses = iter(["error", "success"])
    bench.put_timer("a", "cron(0 10 * * ? *)")
    bench.on_event = lambda _: next(statuses)
    assert bench.advance(hours=2) == ["a 10:00 success"]


def test_crashing_function_is_invoked_again_after_the_visibility_timeout(bench: SchedulerBench) -> None:
    def crash(_: str) -> None:
        raise RuntimeError("no")

    bench.put_timer("a", "cron(0 10 * * ? *)")
    bench.on_event = crash
    assert bench.advance(hours=1) == ["a 10:00 error"]
    assert bench.advance(minutes=12) == []
    assert [f"{now:%H:%M}" for _, _, now in bench.events] == ["10:00", "10:04", "10:08", "10:12"]


@pytest.mark.parametrize(
    "target_input",
    [
        pytest.param("5", id="no object"),
        pytest.param("no JSON", id="no JSON"),
        pytest.param('{"MessageBody": 5}', id="refused by SQS"),
    ],
)
def test_timer_that_cannot_send_its_message_stops_nobody(bench: SchedulerBench, target_input: str) -> None:
    bench.put_timer("a", "cron(30 * * * ? *)", target_input=target_input)
    bench.put_timer("b", "cron(30 * * * ? *)")
    assert bench.advance(hours=2) == [
        "a 09:30 error",
        "b 09:30 success",
        "a 10:30 error",
        "b 10:30 success",
    ]
    dead_letters = bench.sqs.bodies("timer-dead-letters")
    assert dead_letters == [target_input] * 2
    attributes = bench.sqs.messages["timer-dead-letters"][0].attributes
    assert (attributes["SCHEDULE_ARN"], attributes["SCHEDULED_TIME"]) == (
        "arn:aws:scheduler:::a",
        "2026-11-23T09:30:00Z",
    )


def test_schedule_without_a_run_is_unknown(bench: SchedulerBench) -> None:
    bench.put_timer("a", "cron(0 * * * ? *)")
    bench.scheduler._read_run = lambda _: None
    assert bench.advance(hours=1) == ["a 10:00 unknown"]


def test_changes_are_delivered_before_and_after_the_clock_moves(bench: SchedulerBench) -> None:
    bench.advance(hours=1)
    bench.advance(minutes=5)
    ten = START + timedelta(hours=1)
    assert bench.deliveries == [START, ten, ten, ten + timedelta(minutes=5)]


def test_past_time_is_refused(bench: SchedulerBench) -> None:
    with pytest.raises(ValueError, match="2026-11-23T08:59:59Z has passed"):
        bench.scheduler.advance_to(START - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("minutes", "error"),
    [
        pytest.param(30, None, id="three of each"),
        pytest.param(
            40,
            "more than 6 occurrences are due by 2026-11-23T09:40:00Z; move to an earlier time first",
            id="four of each",
        ),
        pytest.param(
            60 * 24 * 365 * 10,
            "more than 6 occurrences are due by 2026-11-23T09:40:00Z; move to an earlier time first",
            id="ten years",
        ),
        pytest.param(
            60 * 24 * 365 * 200,
            "2226-10-06T09:00:00Z is after 2199, the last year of a cron expression",
            id="200 years",
        ),
    ],
)
def test_number_of_occurrences_per_advance_is_limited(
    bench: SchedulerBench, monkeypatch: pytest.MonkeyPatch, minutes: int, error: str | None
) -> None:
    monkeypatch.setattr("local.scheduler.firing.MAX_OCCURRENCES", 6)
    bench.put_timer("a", "cron(0/10 * * * ? *)")
    bench.put_timer("b", "cron(0/10 * * * ? *)")
    if error is None:
        assert len(bench.advance(minutes=minutes)) == 6
        return
    with pytest.raises(ValueError, match=f"^{re.escape(error)}$"):
        bench.advance(minutes=minutes)
    assert (bench.clock.now(), bench.events, bench.minutes) == (START, [], [])


def test_rare_timer_fires_within_one_advance(bench: SchedulerBench) -> None:
    bench.put_timer("a", "cron(0 0 29 2 ? *)")
    deliveries = bench.scheduler.advance_to(datetime(2033, 1, 1, tzinfo=UTC))
    assert [delivery.scheduled_time.year for delivery in deliveries] == [2028, 2032]


def test_minute_rules_run_once_after_advancing(bench: SchedulerBench) -> None:
    bench.put_timer("a", "cron(0/5 * * * ? *)")
    bench.advance(hours=1)
    assert bench.minutes == [START + timedelta(hours=1)]


def test_occurrence_can_be_redelivered(bench: SchedulerBench) -> None:
    bench.put_timer("a", "cron(0/5 * * * ? *)")
    bench.advance(minutes=5)
    scheduled_time = START + timedelta(minutes=5)
    assert bench.scheduler.deliver_occurrence("a", scheduled_time).as_json() == {
        "scheduleId": "a",
        "scheduledTime": "2026-11-23T09:05:00Z",
        "status": "duplicate",
    }
    bench.timers.clear()
    bench.runs.clear()
    assert bench.scheduler.deliver_occurrence("a", scheduled_time).status == "success"
    assert [event[1] for event in bench.events] == ["2026-11-23T09:05:00Z"] * 3
    with pytest.raises(LookupError):
        bench.scheduler.deliver_occurrence("never", scheduled_time)


def test_advance_starts_after_the_previous_one_ends(bench: SchedulerBench) -> None:
    threads: list[Thread] = []

    def advance_concurrently(_: str) -> None:
        bench.on_event = lambda _: None
        threads.append(Thread(target=bench.advance, kwargs={"minutes": 1}))
        threads[0].start()

    bench.put_timer("a", "cron(30 9 * * ? *)")
    bench.on_event = advance_concurrently
    bench.advance(hours=1)
    threads[0].join()
    assert bench.clock.now() == START + timedelta(minutes=61)


def test_running_clock_can_be_advanced_by_zero() -> None:
    assert SchedulerBench(frozen=False).advance(seconds=0) == []


def test_running_clock_fires_due_occurrences_once() -> None:
    bench = SchedulerBench(frozen=False)
    bench.put_timer("a", "cron(0/5 * * * ? *)")
    deliveries = bench.scheduler.advance_by(timedelta(minutes=4, seconds=59.9))  # more on a busy machine
    while not deliveries:
        deliveries = bench.scheduler.fire_due()
        assert bench.clock.now() < START + timedelta(minutes=5, seconds=5)
    assert [delivery.scheduled_time for delivery in deliveries] == [START + timedelta(minutes=5)]
    assert bench.scheduler.fire_due() == []
