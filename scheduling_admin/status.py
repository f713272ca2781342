"""Whether a schedule fires, and what keeps it from that."""

from dataclasses import dataclass

from scheduling.domain.cron.eventbridge import eventbridge_expression
from scheduling.domain.cron.grammar import parse_cron
from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.schedule import Schedule, ScheduleState
from scheduling.domain.sweeps import TimerSnapshot


@dataclass(frozen=True)
class FiringStatus:
    """`against` has everything that keeps it from firing; each is a clause in lower case."""

    blockers: tuple[str, ...]

    @property
    def fires(self) -> bool:
        """Whether nothing does."""
        return not self.blockers


def evaluate_firing_status(install: Install, schedule: Schedule) -> FiringStatus:
    """How the schedule stands since the newest change of its install."""
    effective_schedule = schedule.with_install_applied(install)
    checks = (
        (schedule.state is not ScheduleState.ACTIVE, "the schedule is deleted"),
        (install.deleting, "the install is being deleted"),
        (not install.enabled, "the install is disabled"),
        (install.paused, "the tenant is paused"),
        (
            SCHEDULER_MANAGE not in install.granted_capabilities,
            f"the install is not granted {SCHEDULER_MANAGE}",
        ),
        (not effective_schedule.definition.enabled, _describe_disabled(effective_schedule)),
        (install.active and schedule.suspended, "it has not followed yet that its install is active again"),
    )
    return FiringStatus(tuple(text for applies, text in checks if applies))


def _describe_disabled(schedule: Schedule) -> str:
    if schedule.disabled_reason:
        return f"the platform has disabled the schedule: {schedule.disabled_reason}"
    return "the schedule is disabled"


def find_timer_differences(timer: TimerSnapshot | None, schedule: Schedule) -> list[str]:
    """How EventBridge differs from the row, each a sentence; none where it is as the row says."""
    if not schedule.should_have_timer:
        return ["A timer stands, though the row wants none."] if timer else []
    if timer is None:
        return ["No timer stands, though the row wants one."]
    expected_expression = eventbridge_expression(parse_cron(schedule.definition.cron))
    comparisons = (
        ("expression", timer.expression, expected_expression),
        ("timezone", timer.timezone, schedule.definition.timezone),
        ("revision", timer.revision, schedule.timer_revision),
        ("install", timer.install_id, schedule.install_id),
    )
    sentences = [
        f"Its {name} is {actual}, the row wants {expected}."
        for name, actual, expected in comparisons
        if actual != expected
    ]
    if not timer.matches_stack:
        sentences.append("Its target, role, dead-letter queue or state is not this stack's.")
    return sentences
