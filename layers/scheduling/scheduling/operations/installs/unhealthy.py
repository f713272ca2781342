"""The schedules that fail or wait, over all installs, for the platform's operators."""

from dataclasses import replace

from scheduling.domain.deliveries.firing import as_read
from scheduling.operations.services import Services
from scheduling.store.schedule_items.unhealthy import UnhealthySchedules, read_unhealthy_schedules


def list_unhealthy_schedules(services: Services, *, limit: int) -> UnhealthySchedules:
    """Return up to `limit` schedules whose newest run did not succeed, those first that are so the longest."""
    now = services.clock()
    found = read_unhealthy_schedules(limit)
    existing = [
        (install, each) for install, each in found.schedules if each.exists_at(now) and not each.incomplete
    ]
    return replace(found, schedules=[(install, as_read(each, install, now)) for install, each in existing])
