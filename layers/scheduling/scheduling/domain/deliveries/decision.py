"""What becomes of a delivery: one rule, whichever message it is and whatever has happened before (contract, section 6).

A delivery is acknowledged only once its occurrence is finished for good, can never run, or waits in a newer message.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduling.domain.cron.occurrences import fires_at, latest_fire_time
from scheduling.domain.cron.rule import Rule, parse_rule
from scheduling.domain.deliveries.completion import may_run
from scheduling.domain.deliveries.delivery import Delivery
from scheduling.domain.deliveries.spread import find_nominal_time, find_spread
from scheduling.domain.deliveries.waiting import MIN_CAPACITY_WAIT, next_capacity_check
from scheduling.domain.errors import InvalidCron
from scheduling.domain.install import SCHEDULER_MANAGE, CatchUp, Install, Limits
from scheduling.domain.runs import (
    MAX_ATTEMPTS,
    Fire,
    Run,
    RunStatus,
    SkipReason,
    Trigger,
    describe_unreadable,
    format_time,
)
from scheduling.domain.schedule import Schedule, ScheduleState

DIED_TEXT = "The function that ran it died"
OVERLAP_TEXT = "The previous run was still under way"
_EARLY = timedelta(seconds=1)
"""How much earlier than its time a message may be delivered, since SQS counts whole seconds."""
_NEVER_LATE = timedelta(minutes=1)
"""No two occurrences of a schedule are closer than a minute, so that none is superseded within one."""


@dataclass(frozen=True, slots=True)
class Execute:
    """Make the next attempt."""


@dataclass(frozen=True, slots=True)
class ExecuteNewest:
    """Deliver the newest due occurrence in place of this one, which is then recorded as skipped."""

    scheduled_time: str


@dataclass(frozen=True, slots=True)
class ExecuteNominal:
    """Deliver the occurrence by its scheduled time, since the delivery names a time in its window."""

    scheduled_time: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Record why the occurrence is not run, and acknowledge the message."""

    reason: SkipReason
    text: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Acknowledge the message; nothing is to be done."""

    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Wait:
    """Send a newer message for that time, and acknowledge this one."""

    until: datetime
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Finish the occurrence as an error, and dead-letter it."""

    text: str


Decision = Execute | ExecuteNominal | ExecuteNewest | Skip | Acknowledge | Wait | GiveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrenceState:
    """What a delivery depends on, as it was read for it; None is absent."""

    install: Install | None
    schedule: Schedule | None
    run: Run | None


def decide_delivery(delivery: Delivery, state: OccurrenceState, limits: Limits, now: datetime) -> Decision:
    """Return what becomes of the delivery."""
    install, schedule, run = state.install, state.schedule, state.run
    if install is None or schedule is None or schedule.state is not ScheduleState.ACTIVE:
        return Acknowledge(SkipReason.UNKNOWN_SCHEDULE)
    if text := describe_unreadable(install, schedule):
        return Skip(SkipReason.UNREADABLE, text)
    case = _Case(delivery, install, schedule, run, limits, now)
    return (
        (case.decide_by_run(run) if run else case.find_nominal_time())
        or case.find_obstacle()
        or case.decide_by_overlap()
        or case.find_newer_occurrence()
        or Execute()
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """A delivery of an existing schedule. Each method returns a decision, or None where it has no reason for one."""

    delivery: Delivery
    install: Install
    schedule: Schedule
    run: Run | None
    limits: Limits
    now: datetime

    @property
    def fire(self) -> Fire:
        return self.delivery.fire

    @property
    def is_replay(self) -> bool:
        """Whether attempts beyond the third are allowed. What SQS has moved counts if its run is dead or failed."""
        if self.fire.replay:
            return True
        ended = self.run is not None and (self.run.is_lease_expired(self.now) or self.run.failed_permanently)
        return ended and self.delivery.is_redriven(find_spread(self.schedule, self.limits))

    @property
    def may_be_passed_over(self) -> bool:
        """Whether it can be skipped in favor of another occurrence of its schedule."""
        attempted = self.run is not None and self.run.was_attempted
        requested = self.is_replay or self.fire.trigger is Trigger.BACKFILL
        return self.limits.catch_up is CatchUp.LATEST and not (attempted or requested)

    def decide_by_run(self, run: Run) -> Decision | None:
        """Decide by the occurrence's row in the history."""
        if run.unreadable:
            return Acknowledge(SkipReason.DUPLICATE)
        early = run.not_before is not None and run.not_before > self.now + _EARLY
        token = self.delivery.event.wait_token
        if run.wait_token not in (None, token) and (token or early or not self.is_replay):
            # A copy of the message that counts. A replay that names no message counts once that one is overdue.
            return Acknowledge(SkipReason.DUPLICATE)
        if run.is_final and not (self.is_replay and run.failed_permanently and not self._is_copy(run)):
            return Acknowledge(SkipReason.DUPLICATE)
        if run.holds_lease(self.now):
            return Wait(run.lease_expires_at or self.now + MIN_CAPACITY_WAIT, SkipReason.RUNNING)
        if run.not_before and early:
            return Wait(run.not_before, SkipReason.RUNNING)
        if run.is_lease_expired(self.now) and run.attempt >= MAX_ATTEMPTS and not self.is_replay:
            return GiveUp(run.error or DIED_TEXT)
        return None

    def _is_copy(self, run: Run) -> bool:
        """Return whether the message of a backfill has been delivered before; a replay of it names another token."""
        token = self.delivery.event.wait_token
        return self.fire.trigger is Trigger.BACKFILL and token is not None and run.wait_token != token

    def find_nominal_time(self) -> Decision | None:
        """Decide by the scheduled time of an occurrence that the delivery names by another time in its window."""
        if (
            self.fire.trigger is Trigger.MANUAL
            or self.fire.timer_revision
            != self.schedule.timer_revision  # the time may be one of an earlier rule
        ):
            return None
        moment = datetime.fromisoformat(self.fire.scheduled_time)
        nominal = find_nominal_time(self.schedule, self.limits, moment)
        return ExecuteNominal(format_time(nominal)) if nominal else None

    def find_obstacle(self) -> Decision | None:
        """Decide by what keeps the occurrence from ever running."""
        install = self.install
        if not install.active or not may_run(self.schedule.with_install_applied(install)):
            return Skip(SkipReason.DISABLED, "The schedule was disabled, its install, or its tenant paused")
        if SCHEDULER_MANAGE not in install.granted_capabilities:
            return Skip(SkipReason.CAPABILITY_REVOKED, f"The install no longer has {SCHEDULER_MANAGE}")
        if not self._fires_by_present_rule():
            return Skip(SkipReason.STALE_REVISION, "The schedule no longer fires at this time")
        return None

    def _fires_by_present_rule(self) -> bool:
        """Return whether the schedule has the occurrence, whichever timer has delivered it."""
        if self.fire.trigger is Trigger.MANUAL or self.fire.timer_revision == self.schedule.timer_revision:
            return True
        rule = _parse_rule(self.schedule)
        moment = datetime.fromisoformat(self.fire.scheduled_time)
        return rule is not None and fires_at(rule, self.schedule.definition.timezone, moment)

    def decide_by_overlap(self) -> Decision | None:
        """Decide by another occurrence of the schedule that is running."""
        other = find_running_occurrence(self.schedule, self.fire.scheduled_time, self.now)
        if other is None:
            return None
        if self.may_be_passed_over:
            newer = self.fire.trigger is not Trigger.MANUAL and _is_newer_fire(other, self.fire)
            return supersede(other) if newer else Skip(SkipReason.OVERLAP, OVERLAP_TEXT)
        check_time = next_capacity_check(self.delivery.first_sent_at, self.now, self.limits.max_wait)
        if check_time is None:
            hours = self.limits.max_wait_hours
            return GiveUp(f"It waited for other runs of its schedule for {hours} hours")
        lease_end = self.schedule.lease_expires_at or self.now
        return Wait(max(min(check_time, lease_end), self.now + _EARLY), SkipReason.OVERLAP)

    def find_newer_occurrence(self) -> Decision | None:
        """Decide by the newest due occurrence of the present rule, if this one is late."""
        scheduled_at = datetime.fromisoformat(self.fire.scheduled_time)
        spread = find_spread(self.schedule, self.limits)
        on_time = self.now < scheduled_at + spread + _NEVER_LATE
        if on_time or self.fire.trigger is Trigger.MANUAL or not self.may_be_passed_over:
            return None
        rule = _parse_rule(self.schedule)
        rule_since = (self.schedule.timer_since or scheduled_at) - timedelta(microseconds=1)
        newest = rule and latest_fire_time(
            rule, self.schedule.definition.timezone, max(scheduled_at, rule_since), self.now - spread
        )
        return ExecuteNewest(format_time(newest)) if newest else None


def find_running_occurrence(schedule: Schedule, scheduled_time: str, now: datetime) -> str | None:
    """Return another occurrence of the schedule that is running, or that holds it between its attempts, if any."""
    if schedule.lease_expires_at is None or schedule.lease_expires_at <= now:
        return None
    return None if schedule.running_occurrence == scheduled_time else schedule.running_occurrence


def supersede(newer_time: str) -> Skip:
    """Return the decision for an occurrence that another one runs in place of."""
    return Skip(SkipReason.SUPERSEDED, f"Superseded by {newer_time}")


def close_unrun(run: Run, skip: Skip) -> Run:
    """Return the run as ended without a further attempt; one that has had an attempt is an error."""
    closed = replace(run, lease_expires_at=None, wait_token=None, not_before=None, retryable=False)
    match run.status:
        case RunStatus.ERROR:
            return closed
        case RunStatus.RUNNING:
            return replace(closed, status=RunStatus.ERROR, error=run.error or DIED_TEXT)
    if run.was_attempted:
        return replace(closed, status=RunStatus.ERROR, error=skip.text)
    return replace(closed, status=RunStatus.SKIPPED, error=skip.text, skip_reason=skip.reason)


def _is_newer_fire(other_time: str, fire: Fire) -> bool:
    """Return whether the other occurrence is a scheduled one, and later; a manual one has milliseconds."""
    return len(other_time) == len(fire.scheduled_time) and other_time > fire.scheduled_time


def _parse_rule(schedule: Schedule) -> Rule | None:
    """Return the rule, or None if this release cannot read it."""
    try:
        return parse_rule(schedule.definition.cron)
    except InvalidCron:
        return None
