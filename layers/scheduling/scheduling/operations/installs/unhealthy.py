"""The schedules that fail or wait, the paused tenants and the disabled installs, for the platform's operators."""

from collections.abc import Sequence
from dataclasses import replace

from scheduling.domain.deliveries.firing import as_read
from scheduling.domain.tenant import Stopped
from scheduling.operations.services import Services
from scheduling.store.schedule_items.unhealthy import UnhealthySchedules, read_unhealthy_schedules
from scheduling.store.tenants import read_disabled_installs, read_paused_tenants


def list_unhealthy_schedules(services: Services, *, limit: int) -> UnhealthySchedules:
    """Return up to `limit` schedules whose newest run did not succeed, those first that are so the longest."""
    now = services.clock()
    found = read_unhealthy_schedules(limit)
    existing = [
        (install, each) for install, each in found.schedules if each.exists_at(now) and not each.incomplete
    ]
    return replace(found, schedules=[(install, as_read(each, install, now)) for install, each in existing])


def list_paused_tenants(*, limit: int) -> Sequence[Stopped]:
    """Return up to `limit` paused tenants, those first that are so the longest."""
    return read_paused_tenants(limit)


def list_disabled_installs(*, limit: int) -> Sequence[Stopped]:
    """Return up to `limit` disabled installs, likewise."""
    return read_disabled_installs(limit)
