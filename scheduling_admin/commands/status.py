"""The command `status`: the whole stack on one screen."""

from scheduling_admin.errors import ExitStatus
from scheduling_admin.health.query import read_stack_health
from scheduling_admin.health.rendering import health_fields, render_health
from scheduling_admin.output.report import CommandReport
from scheduling_admin.stack.session import AdminSession


def status(session: AdminSession) -> CommandReport:
    """Show what the whole stack is doing, what is wrong with it, and the command that helps.

    The exit status is 1 if anything is wrong. Metrics are those of the last 60 minutes.
    """
    health = read_stack_health(session)
    exit_status = ExitStatus.NEEDS_ATTENTION if health.problems else ExitStatus.OK
    return CommandReport(health_fields(health), render_health(health), exit_status)
