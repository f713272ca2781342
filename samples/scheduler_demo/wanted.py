"""The schedules that the extension wants, and how it gets them."""

from dataclasses import dataclass
from typing import Literal

from extension_sdk import Schedule, host
from extension_sdk.schedules import Json

Outcome = Literal["created", "existing", "repaired"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A schedule as it should be; its name tells it from the others."""

    name: str
    endpoint: str
    cron: str
    timezone: str = "UTC"
    payload: Json = None


WANTED = (
    Wanted("heartbeat", "POST /api/heartbeat", "*/5 * * * *", payload={"source": "schedule"}),
    Wanted("daily-status", "GET /api/status", "0 9 * * *", timezone="America/New_York"),
)


def ensure(wanted: Wanted, existing: Schedule | None) -> Outcome:
    """Make the schedule be there as wanted. Raises ScheduleRejected where the platform refuses."""
    if existing is None:
        return _create(wanted)
    if (existing.cron, existing.timezone) == (wanted.cron, wanted.timezone):
        return "existing"
    host.scheduler.update(existing.id, cron=wanted.cron, timezone=wanted.timezone).raise_for_error()
    return "repaired"


def _create(wanted: Wanted) -> Outcome:
    result = host.scheduler.create(
        wanted.endpoint,
        wanted.cron,
        timezone=wanted.timezone,
        name=wanted.name,
        payload=wanted.payload,
    )
    if "name" in result.field_errors:
        return "existing"  # another setup was quicker
    result.raise_for_error()
    return "created"
