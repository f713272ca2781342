"""What an extension may look at: its install's schedules, their runs, and the endpoints of its version."""

from collections.abc import Sequence
from dataclasses import replace

from scheduling.domain.endpoints import Endpoint
from scheduling.domain.errors import InstallNotFound, ScheduleNotFound
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install, managed
from scheduling.domain.schedule import Life, Schedule
from scheduling.operations.services import Services
from scheduling.store.snapshots import RunPage, SchedulePage


def visible(schedule: Schedule | None) -> Schedule:
    """The schedule, if it exists for its owner. Raises ScheduleNotFound."""
    if schedule is None or schedule.life is not Life.ACTIVE:
        raise ScheduleNotFound
    return schedule


def endpoints_of(services: Services, install: Install) -> Sequence[Endpoint]:
    """The endpoints of the installed version, by path then method. Raises InstallNotFound."""
    version = services.installs.version(install.registry_id, install.version_id)
    if version is None:
        raise InstallNotFound
    return version.endpoints


def list_schedules(
    services: Services,
    install_id: InstallId,
    *,
    after: ScheduleId | None = None,
    limit: int | None = None,
    max_bytes: int | None = None,
) -> SchedulePage:
    """The install's schedules, oldest first; without `limit` and `max_bytes`, all of them."""
    page = services.schedules.page(install_id, after=after, limit=limit, max_bytes=max_bytes)
    install = managed(page.install)
    return replace(page, schedules=[schedule.under(install) for schedule in page.schedules])


def get_schedule(services: Services, install_id: InstallId, schedule_id: ScheduleId) -> Schedule:
    """One schedule of the install. Raises ScheduleNotFound, for another install's as well."""
    snapshot = services.schedules.read(install_id, schedule_id)
    install = managed(snapshot.install)
    return visible(snapshot.schedule).under(install)


def list_endpoints(services: Services, install_id: InstallId) -> Sequence[Endpoint]:
    """The endpoints of the installed version, by path then method."""
    return endpoints_of(services, managed(services.schedules.read(install_id).install))


def list_runs(
    services: Services,
    install_id: InstallId,
    schedule_id: ScheduleId,
    *,
    before: str | None = None,
    limit: int,
) -> RunPage:
    """The schedule's history, newest first. Raises ScheduleNotFound, for another install's as well."""
    get_schedule(services, install_id, schedule_id)
    return services.runs.page(install_id, schedule_id, before=before, limit=limit)
