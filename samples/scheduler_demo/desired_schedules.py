"""The schedules that the extension desires, and how it ensures that they exist."""

from dataclasses import dataclass
from typing import Literal

from extension_sdk import Schedule, host
from extension_sdk.schedules import Json

Outcome = Literal["created", "existing", "repaired"]


@dataclass(frozen=True, slots=True)
class DesiredSchedule:
    """A schedule as it should be, identified by its name."""

    name: str
    endpoint: str
    cron: str
    timezone: str = "UTC"
    payload: Json = None


DESIRED_SCHEDULES = (
    DesiredSchedule("heartbeat", "POST /api/heartbeat", "*/5 * * * *", payload={"source": "schedule"}),
    DesiredSchedule("daily-status", "GET /api/status", "0 9 * * *", timezone="America/New_York"),
)


def ensure_schedule(desired: DesiredSchedule, existing: Schedule | None) -> Outcome:
    """Create the schedule, or repair it if it differs.

    Raises:
        ScheduleRejected: The platform refuses the change.
    """
    if existing is None:
        return _create_schedule(desired)
    if (existing.cron, existing.timezone) == (desired.cron, desired.timezone):
        return "existing"
    host.scheduler.update(existing.id, cron=desired.cron, timezone=desired.timezone).raise_for_error()
    return "repaired"


def _create_schedule(desired: DesiredSchedule) -> Outcome:
    result = host.scheduler.create(
        desired.endpoint,
        desired.cron,
        timezone=desired.timezone,
        name=desired.name,
        payload=desired.payload,
    )
    if "name" in result.field_errors:
        return "existing"  # a concurrent setup created it first
    result.raise_for_error()
    return "created"
