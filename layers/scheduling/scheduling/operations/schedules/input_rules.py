"""The rules for what an actor asks of a schedule."""

from datetime import datetime

from scheduling.domain.ids import is_admin
from scheduling.domain.install import Install
from scheduling.domain.rules import ScheduleRules
from scheduling.operations.schedules.queries import read_endpoints
from scheduling.operations.services import Services


def read_rules(
    services: Services, install: Install, now: datetime, actor: str, *, name_taken: bool
) -> ScheduleRules:
    """Return the rules by which the actor may write a schedule of the install.

    Raises:
        InstallNotFound: The installed version is absent.
    """
    endpoints = read_endpoints(services, install)
    return ScheduleRules(endpoints, services.limits, now, name_taken=name_taken, by_admin=is_admin(actor))
