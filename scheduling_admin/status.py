"""Whether a schedule fires, and what keeps it from that."""

from dataclasses import dataclass

from scheduling.domain.cron.eventbridge import eventbridge_expression
from scheduling.domain.cron.grammar import parse_cron
from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.schedule import Life, Schedule
from scheduling.domain.sweeps import Timer


@dataclass(frozen=True)
class Standing:
    """`against` has everything that keeps it from firing; each is a clause in lower case."""

    against: tuple[str, ...]

    @property
    def fires(self) -> bool:
        """Whether nothing does."""
        return not self.against


def standing_of(install: Install, schedule: Schedule) -> Standing:
    """How the schedule stands since the newest change of its install."""
    shown = schedule.under(install)
    checks = (
        (schedule.life is not Life.ACTIVE, "the schedule is deleted"),
        (install.deleting, "the install is being deleted"),
        (not install.enabled, "the install is disabled"),
        (install.paused, "the tenant is paused"),
        (SCHEDULER_MANAGE not in install.granted, f"the install is not granted {SCHEDULER_MANAGE}"),
        (not shown.definition.enabled, _disabled(shown)),
        (install.active and schedule.suspended, "it has not followed yet that its install is active again"),
    )
    return Standing(tuple(text for applies, text in checks if applies))


def _disabled(schedule: Schedule) -> str:
    if schedule.disabled_reason:
        return f"the platform has disabled the schedule: {schedule.disabled_reason}"
    return "the schedule is disabled"


def differences(timer: Timer | None, schedule: Schedule) -> list[str]:
    """How EventBridge differs from the row, each a sentence; none where it is as the row says."""
    if not schedule.due:
        return ["A timer stands, though the row wants none."] if timer else []
    if timer is None:
        return ["No timer stands, though the row wants one."]
    wanted = eventbridge_expression(parse_cron(schedule.definition.cron))
    compared = (
        ("expression", timer.expression, wanted),
        ("zone", timer.timezone, schedule.definition.timezone),
        ("number", timer.revision, schedule.timer_revision),
        ("install", timer.install_id, schedule.install_id),
    )
    found = [
        f"Its {name} is {stands}, the row wants {wants}."
        for name, stands, wants in compared
        if stands != wants
    ]
    if not timer.as_deployed:
        found.append("Its target, role, dead-letter queue or state is not this stack's.")
    return found
