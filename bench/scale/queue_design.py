"""EventBridge Scheduler, a fair queue and the executor, whose decisions are those of the service's own rules.

Assumed of Lambda's mapping: it starts with five messages at once, and takes 300 more a minute.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from math import ceil
from random import Random

from scheduling.domain.deliveries.decision import (
    Acknowledge,
    Decision,
    Execute,
    ExecuteNewest,
    GiveUp,
    OccurrenceState,
    Skip,
    Wait,
    decide_delivery,
)
from scheduling.domain.deliveries.delivery import Delivery
from scheduling.domain.deliveries.waiting import plan_follow_up
from scheduling.domain.fire_events import FireEvent
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import SCHEDULER_MANAGE, Install, Limits
from scheduling.domain.runs import Fire, Outcome, Run, RunStatus, build_next_attempt, format_time
from scheduling.domain.schedule import Definition, Schedule

from bench.scale.events import Events, Step
from bench.scale.fair_queue import FairQueue, Message
from bench.scale.ledger import Fate, Figures, Ledger
from bench.scale.loads import SEED, START, Load, Rule
from bench.scale.runner import Runner, RunnerSpec
from bench.scale.stacks import HANDLING_SECONDS, RUNNER_SETTINGS, Stack, moment_at, seconds_at

FIRST_CONCURRENCY, GROWTH_PER_SECOND, IDLE_SECONDS = 5, 5, 300
MAX_DELAY_SECONDS = 900
INSTALL = Install(
    id=InstallId("install"),
    tenant_id="tenant",
    registry_id="registry",
    version_id="version",
    content_hash="sha256:0",
    granted_capabilities=frozenset({SCHEDULER_MANAGE}),
    enabled=True,
)
_FINISHED = Run(scheduled_time="", status=RunStatus.SUCCESS, attempt=1, started_at=START)
_SKIPPED = Run(scheduled_time="", status=RunStatus.SKIPPED, attempt=0, started_at=START)
"""The rows of occurrences that are finished, of which only the status matters."""


class QueueDesign:
    """One stack with a queue of occurrences, under one load."""

    def __init__(self, load: Load, stack: Stack, spec: RunnerSpec) -> None:
        self._load, self._stack = load, stack
        self._limits = Limits(catch_up=stack.catch_up)
        patience = RUNNER_SETTINGS.patience.total_seconds()
        self._runner = Runner(spec, patience, Random(SEED))  # noqa: S311 - a simulation
        self._ledger, self._queue = Ledger(load), FairQueue()
        self._events = Events(load.list_arrivals(stack.timer_rate), self._arrive)
        self._runs: dict[int, Run] = {}
        self._leases: dict[int, Run] = {}
        self._delayed: Counter[int] = Counter()
        self._executing: Counter[int] = Counter()
        self._schedules: dict[Rule, Schedule] = {}
        self._time_texts: dict[int, str] = {}
        self._growing_since = self._last_busy = 0.0
        self._in_flight = self._peak = self._messages = 0
        self._growing = False

    def run(self, until: float) -> Figures:
        """Simulate so many seconds, or until all occurrences are finished."""
        end = self._events.run(until)
        waiting = [*self._queue.list_occurrences(), *self._delayed, *self._executing]
        return self._ledger.summarize(
            waiting=[*waiting, *self._events.list_arrivals()],
            executions=self._runner.executions,
            timeouts=self._runner.timeouts,
            refusals=self._runner.refusals,
            messages=self._messages,
            peak=self._peak,
            hours=round(end / 3_600, 1),
        )

    def _arrive(self, now: float, occurrence: int) -> None:
        if not self._in_flight and now > self._last_busy + IDLE_SECONDS:
            self._growing_since = now
        self._send((now, occurrence, None), now)

    def _send(self, message: Message, now: float) -> None:
        self._queue.send(self._find_group(message[1]), message)
        self._receive(now)

    def _find_group(self, occurrence: int) -> str:
        return (
            self._load.schedules[self._load.schedule_of[occurrence]].tenant if self._stack.groups else "all"
        )

    def _receive(self, now: float) -> None:
        """Receive messages while the mapping's concurrency lasts, which grows while messages wait."""
        grown = FIRST_CONCURRENCY + int((now - self._growing_since) * GROWTH_PER_SECOND)
        concurrency = min(self._stack.concurrency, grown)
        while self._queue.length and self._in_flight < concurrency:
            self._in_flight += 1
            self._messages += 1
            self._deliver(*self._queue.receive(now), now)
        self._peak = max(self._peak, self._in_flight)
        if self._queue.length and grown < self._stack.concurrency and not self._growing:
            self._growing = True
            self._events.at(now + 1, self._grow)

    def _grow(self, now: float) -> None:
        self._growing = False
        self._receive(now)

    def _deliver(self, group: str, message: Message, now: float) -> None:
        accepted, occurrence, event = message
        event = event or FireEvent(fire=self._build_fire(occurrence))
        delivery = Delivery(event=event, accepted_at=moment_at(accepted), group=group)
        decision = self._decide(delivery, occurrence, now)
        if isinstance(decision, ExecuteNewest):
            newer = delivery.with_occurrence(decision.scheduled_time)
            newest = self._find_occurrence(occurrence, decision.scheduled_time)
            end, finish = self._apply(newer, newest, self._decide(newer, newest, now), now)
            self._record_skip(occurrence)
        else:
            end, finish = self._apply(delivery, occurrence, decision, now)

        def end_flight(end: float) -> None:
            if finish:
                finish(end)
            self._in_flight -= 1
            self._last_busy = end
            self._queue.finish(group, end, end - now)
            self._receive(end)

        self._events.at(end, end_flight)

    def _decide(self, delivery: Delivery, occurrence: int, now: float) -> Decision:
        number = self._load.schedule_of[occurrence]
        schedule, lease = self._find_schedule(self._load.schedules[number].rule), self._leases.get(number)
        if lease:
            schedule = replace(
                schedule, running_occurrence=lease.scheduled_time, lease_expires_at=lease.lease_expires_at
            )
        state = OccurrenceState(install=INSTALL, schedule=schedule, run=self._runs.get(occurrence))
        return decide_delivery(delivery, state, self._limits, moment_at(now))

    def _apply(
        self, delivery: Delivery, occurrence: int, decision: Decision, now: float
    ) -> tuple[float, Step | None]:
        """Do what is decided; return when that ends, and what is to be done then."""
        match decision:
            case Execute():
                return self._execute(delivery, occurrence, now)
            case Skip():
                self._record_skip(occurrence)
            case Wait(until=until):
                run = self._runs.get(occurrence) or replace(_SKIPPED, status=RunStatus.WAITING)
                self._continue(delivery, occurrence, replace(run, not_before=until), now)
            case GiveUp():
                self._ledger.record_fate(occurrence, Fate.DEAD_LETTER)
            case ExecuteNewest():
                raise AssertionError("an occurrence has become due meanwhile")
            case Acknowledge():
                pass
        return now + HANDLING_SECONDS, None

    def _execute(self, delivery: Delivery, occurrence: int, now: float) -> tuple[float, Step]:
        earlier = self._runs.get(occurrence)
        run = build_next_attempt(delivery.fire, earlier, moment_at(now), RUNNER_SETTINGS.lease)
        self._runs[occurrence] = self._leases[self._load.schedule_of[occurrence]] = run
        self._executing[occurrence] += 1
        end, outcome = self._runner.call(occurrence, now + HANDLING_SECONDS)
        return end, lambda ended: self._finish(delivery, occurrence, run, outcome, ended)

    def _finish(self, delivery: Delivery, occurrence: int, claim: Run, outcome: Outcome, now: float) -> None:
        del self._leases[self._load.schedule_of[occurrence]], self._executing[occurrence]
        follow_up = plan_follow_up(
            _apply_outcome(claim, outcome),
            outcome,
            first_sent_at=delivery.first_sent_at,
            now=moment_at(now),
            max_wait=self._limits.max_wait,
            retry_delay=RUNNER_SETTINGS.retry_delay,
        )
        if follow_up.dead_letter:
            self._runs[occurrence] = follow_up.run
            self._ledger.record_fate(occurrence, Fate.DEAD_LETTER)
        elif follow_up.until:
            self._continue(delivery, occurrence, follow_up.run, now)
        else:
            self._runs[occurrence] = _FINISHED
            self._ledger.record_run(occurrence, seconds_at(claim.started_at))

    def _continue(self, delivery: Delivery, occurrence: int, run: Run, now: float) -> None:
        """Send the message that counts from now on, and name it in the run's row."""
        token = str(self._messages)
        event = delivery.next_event(moment_at(now), token)
        self._runs[occurrence] = replace(run, wait_token=token)
        self._delayed[occurrence] += 1
        delay = min(max(0, ceil(seconds_at(run.not_before or START) - now)), MAX_DELAY_SECONDS)

        def appear(later: float) -> None:
            self._delayed[occurrence] -= 1
            if not self._delayed[occurrence]:
                del self._delayed[occurrence]
            self._send((now, occurrence, event), later)

        self._events.at(now + delay, appear)

    def _record_skip(self, occurrence: int) -> None:
        run = self._runs.get(occurrence)
        if run is None or not run.was_attempted:
            self._runs[occurrence] = _SKIPPED
            self._ledger.record_fate(occurrence, Fate.PASSED_OVER)

    def _build_fire(self, occurrence: int) -> Fire:
        due = self._load.due[occurrence]
        if due not in self._time_texts:
            self._time_texts[due] = format_time(moment_at(due))
        return Fire(
            install_id=INSTALL.id,
            schedule_id=ScheduleId("schedule"),
            timer_revision=1,
            scheduled_time=self._time_texts[due],
        )

    def _find_occurrence(self, occurrence: int, scheduled_time: str) -> int:
        """Return the occurrence of the same schedule at that time."""
        schedule = self._load.schedules[self._load.schedule_of[occurrence]]
        due = round(seconds_at(datetime.fromisoformat(scheduled_time)))
        newest = schedule.offset + (due - schedule.rule.first) // schedule.rule.period
        if (
            self._load.due[newest] != due
            or self._load.schedule_of[newest] != self._load.schedule_of[occurrence]
        ):
            raise AssertionError(f"the load has no occurrence at {scheduled_time}")
        return newest

    def _find_schedule(self, rule: Rule) -> Schedule:
        if rule not in self._schedules:
            self._schedules[rule] = _create_schedule(rule.cron)
        return self._schedules[rule]


def _create_schedule(cron: str) -> Schedule:
    definition = Definition(
        endpoint_method="POST",
        endpoint_path="/api/sync",
        cron=cron,
        timezone="UTC",
        enabled=True,
        name=None,
        payload=None,
    )
    return Schedule(
        id=ScheduleId("schedule"),
        install_id=INSTALL.id,
        tenant_id=INSTALL.tenant_id,
        definition=definition,
        created_at=START,
    )


def _apply_outcome(claim: Run, outcome: Outcome) -> Run:
    return replace(
        claim,
        status=outcome.status,
        lease_expires_at=None,
        retryable=outcome.retryable,
        runner_error=outcome.runner_error,
        response_count=claim.response_count + outcome.has_response,
    )
