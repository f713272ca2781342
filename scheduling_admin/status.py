"""Whether a schedule fires, and whether its timer in EventBridge is in sync."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduling.domain.deliveries.completion import has_passed
from scheduling.domain.install import SCHEDULER_MANAGE, Install, Limits
from scheduling.domain.runs import NO_RESPONSE, Run
from scheduling.domain.schedule import PAUSED_AFTER_FAILURES, Schedule, ScheduleState
from scheduling.domain.sweeps import TimerDifference, TimerSnapshot, find_timer_differences

OVERLOAD_ADVICE = (
    "If runs of other schedules time out too (the alarm runner-overload), the runner has more of them than it can "
    "finish: lower MaximumConcurrency to at most its processor cores x RunnerOverheadSeconds / 20."
)

_TIMER_CLAUSES = {
    "timer": "EventBridge has no timer for it",
    "expression": "its timer has {0.actual} instead of {0.expected}",
    "timezone": "its timer is in {0.actual} instead of {0.expected}",
    "install": "its timer names another install",
    "stack": "its timer's target, role, dead-letter queue or state is not this stack's",
}
"""What a difference of a timer means, if the schedule then does not fire as it should."""

_TIME_PASSED = "its only time has passed"
_NOT_GRANTED = f"the install is not granted {SCHEDULER_MANAGE}"


@dataclass(frozen=True)
class FiringStatus:
    """Whether a schedule fires; each of the `blockers` that keep it from firing is a clause in lower case."""

    blockers: tuple[str, ...]

    @property
    def fires(self) -> bool:
        """Return whether nothing keeps the schedule from firing."""
        return not self.blockers


def evaluate_firing_status(install: Install, schedule: Schedule) -> FiringStatus:
    """Return the schedule's status, with the latest change of its install applied."""
    effective_schedule = schedule.with_install_applied(install)
    checks = (
        (schedule.state is not ScheduleState.ACTIVE, "the schedule is deleted"),
        (schedule.unreadable is not None, f"the schedule cannot be read: {schedule.unreadable}"),
        *_check_install(install),
        (_is_ungranted(install), _NOT_GRANTED),
        (not effective_schedule.definition.enabled, _describe_disabled(effective_schedule)),
        (
            install.active and schedule.suspended,
            "the schedule is still suspended, although its install is active again",
        ),
    )
    return FiringStatus(_select_clauses(checks))


def include_timer(
    status: FiringStatus, timer: TimerSnapshot | None, schedule: Schedule, now: datetime
) -> FiringStatus:
    """Return the status by the schedule's timer, too: what fires needs one that fires as the schedule says.

    A timer of an earlier revision, or of another group of messages, still delivers the schedule's occurrences.
    """
    if not status.fires:
        return status
    if has_passed(schedule, now):
        return FiringStatus((_TIME_PASSED,))
    differences = _find_blocking_differences(timer, schedule, now)
    return FiringStatus(tuple(_describe_blocker(each, schedule) for each in differences))


def _find_blocking_differences(
    timer: TimerSnapshot | None, schedule: Schedule, now: datetime
) -> list[TimerDifference]:
    any_limits = Limits()  # another spread keeps nothing from firing
    differences = find_timer_differences(timer, schedule, any_limits, now)
    return [each for each in differences if each.prevents_fires]


def _describe_blocker(difference: TimerDifference, schedule: Schedule) -> str:
    if difference.name == "timer" and schedule.pending_since:
        return "its timer does not exist yet: EventBridge has not confirmed the latest change"
    return _TIMER_CLAUSES[difference.name].format(difference)


def list_install_blockers(install: Install) -> tuple[str, ...]:
    """Return what keeps every schedule of the install from firing, each as a clause in lower case."""
    lacks_right = install.schedule_count > 0 and _is_ungranted(install)
    return _select_clauses((*_check_install(install), (lacks_right, _NOT_GRANTED)))


def _check_install(install: Install) -> tuple[tuple[bool, str], ...]:
    if install.unreadable is not None:  # which has defaults in place of what cannot be read
        return ((True, f"the install cannot be read: {install.unreadable}"),)
    return (
        (install.deleting, "the install is being deleted"),
        (not install.enabled, "the install is disabled"),
        (install.paused, "the tenant is paused"),
    )


def _is_ungranted(install: Install) -> bool:
    return install.unreadable is None and SCHEDULER_MANAGE not in install.granted_capabilities


def _select_clauses(checks: Iterable[tuple[bool, str]]) -> tuple[str, ...]:
    return tuple(clause for applies, clause in checks if applies)


def _describe_disabled(schedule: Schedule) -> str:
    if schedule.completed:
        return _TIME_PASSED
    if schedule.disabled_reason == PAUSED_AFTER_FAILURES:
        return "the service has paused the schedule after failures"
    if schedule.disabled_reason:
        return f"the platform has disabled the schedule: {schedule.disabled_reason}"
    return "the schedule is disabled"


def list_blocking_differences(timer: TimerSnapshot | None, schedule: Schedule, now: datetime) -> list[str]:
    """Return those differences, a sentence for each, with which the schedule does not fire as it should."""
    return [_describe_difference(each) for each in _find_blocking_differences(timer, schedule, now)]


def describe_timer_differences(
    timer: TimerSnapshot | None, schedule: Schedule, limits: Limits, now: datetime
) -> list[str]:
    """Return how the timer differs from the schedule, a sentence for each difference; empty when in sync."""
    return list(map(_describe_difference, find_timer_differences(timer, schedule, limits, now)))


def _describe_difference(difference: TimerDifference) -> str:
    match difference.name:
        case "timer" if difference.expected:
            return "EventBridge has no timer, but the schedule should have one."
        case "timer":
            return "EventBridge has a timer, but the schedule should not have one."
        case "deletion" if difference.expected:
            return "The timer does not delete itself after its fire, as that of a one-time schedule has to."
        case "deletion":
            return "The timer deletes itself, as only that of a one-time schedule has to."
        case "spread":
            return f"The timer's window is {difference.actual} minutes instead of {difference.expected}."
        case "stack":
            return "The timer's target, role, dead-letter queue or state is not this stack's."
    return f"The timer's {difference.name} is {difference.actual} instead of {difference.expected}."


def timed_out(run: Run) -> bool:
    """Return whether the runner has accepted the run, but not answered in time."""
    return run.runner_error == NO_RESPONSE


def describe_timeouts(runs: Sequence[Run]) -> str | None:
    """Return how many of the runs the runner has not answered in time, and what to do about it; None if it was none."""
    count = sum(map(timed_out, runs))
    if not count:
        return None
    return f"{count} of these {len(runs)} runs timed out at the runner. {OVERLOAD_ADVICE}"
