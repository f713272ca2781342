"""What an extension may look at: its install's schedules, their runs, and the endpoints of its version."""

from collections.abc import Sequence
from dataclasses import replace

from scheduling.domain.endpoints import Endpoint
from scheduling.domain.errors import InstallNotFound, ScheduleNotFound
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Install, require_manageable
from scheduling.domain.schedule import Schedule, ScheduleState
from scheduling.operations.services import Services
from scheduling.store.snapshots import RunPage, SchedulePage


def require_visible(schedule: Schedule | None) -> Schedule:
    """The schedule, if it exists for its owner. Raises ScheduleNotFound."""
    if schedule is None or schedule.state is not ScheduleState.ACTIVE:
        raise ScheduleNotFound
    return schedule


def read_endpoints(services: Services, install: Install) -> Sequence[Endpoint]:
    """The endpoints of the installed version, by path then method. Raises InstallNotFound."""
    version = services.installs.read_version(install.registry_id, install.version_id)
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
    page = services.schedules.read_schedule_page(install_id, after=after, limit=limit, max_bytes=max_bytes)
    install = require_manageable(page.install)
    return replace(page, schedules=[schedule.with_install_applied(install) for schedule in page.schedules])


def get_schedule(services: Services, install_id: InstallId, schedule_id: ScheduleId) -> Schedule:
    """One schedule of the install. Raises ScheduleNotFound, for another install's as well."""
    snapshot = services.schedules.read_schedule(install_id, schedule_id)
    install = require_manageable(snapshot.install)
    return require_visible(snapshot.schedule).with_install_applied(install)


def list_endpoints(services: Services, install_id: InstallId) -> Sequence[Endpoint]:
    """The endpoints of the installed version, by path then method."""
    return read_endpoints(services, require_manageable(services.schedules.read_schedule(install_id).install))


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
    return services.runs.read_run_page(install_id, schedule_id, before=before, limit=limit)
