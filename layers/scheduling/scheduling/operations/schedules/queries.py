"""What an extension may read: its install's schedules, their runs, and the endpoints of its version."""

from collections.abc import Sequence
from dataclasses import replace

from scheduling.domain.deliveries.firing import as_read
from scheduling.domain.endpoints import Endpoint
from scheduling.domain.errors import InstallNotFound, PreconditionFailed, ScheduleNotFound
from scheduling.domain.ids import HOST_API, InstallId, ScheduleId
from scheduling.domain.install import Install, require_manageable
from scheduling.domain.runs import format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.services import Services, is_tenant_allowed
from scheduling.store.snapshots import RunPage, SchedulePage


def require_manageable_install(services: Services, install: Install | None, actor: str = HOST_API) -> Install:
    """Return the install if the actor may manage its schedules; the log names it even if not.

    Raises:
        InstallNotFound: The install is absent, being deleted, not of the caller's tenant, or, for its extension,
            disabled.
        CapabilityDenied: The install may not have schedules.
    """
    if install and not is_tenant_allowed(install.tenant_id):
        raise InstallNotFound
    if install:
        services.bind_install(install)
    return require_manageable(install, actor)


def require_visible(services: Services, schedule: Schedule | None) -> Schedule:
    """Return the schedule if it exists for its owner, and has what a list shows of it.

    Raises:
        ScheduleNotFound: It does not.
    """
    if schedule is None or not schedule.exists_at(services.clock()) or schedule.incomplete:
        raise ScheduleNotFound
    return schedule


def require_revision(schedule: Schedule, if_match: frozenset[int] | None) -> None:
    """Check that the schedule has one of the revisions that its writer expects; None expects none.

    Raises:
        PreconditionFailed: It has another one.
    """
    if if_match is not None and schedule.revision not in if_match:
        raise PreconditionFailed


def read_endpoints(services: Services, install: Install) -> Sequence[Endpoint]:
    """Return the endpoints of the installed version, by path then method.

    Raises:
        InstallNotFound: The version is absent.
    """
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
    """Return the install's schedules, oldest first; without `limit` and `max_bytes`, all of them."""
    now = services.clock()
    page = services.schedules.read_schedule_page(
        install_id, now=now, after=after, limit=limit, max_bytes=max_bytes
    )
    install = require_manageable_install(services, page.install)
    for item in page.left_out:
        services.report_unreadable(item)
    return replace(page, schedules=[as_read(schedule, install, now) for schedule in page.schedules])


def get_schedule(services: Services, install_id: InstallId, schedule_id: ScheduleId) -> Schedule:
    """Return one schedule of the install.

    Raises:
        ScheduleNotFound: It is absent or another install's.
    """
    snapshot = services.schedules.read_snapshot_with_payload(install_id, schedule_id)
    install = require_manageable_install(services, snapshot.install)
    return as_read(require_visible(services, snapshot.schedule), install, services.clock())


def list_endpoints(services: Services, install_id: InstallId) -> Sequence[Endpoint]:
    """Return the endpoints of the installed version, by path then method."""
    return read_endpoints(
        services, require_manageable_install(services, services.installs.read_install(install_id))
    )


def list_runs(
    services: Services,
    install_id: InstallId,
    schedule_id: ScheduleId,
    *,
    before: str | None = None,
    limit: int,
) -> RunPage:
    """Return the schedule's history, newest first.

    Raises:
        ScheduleNotFound: The schedule is absent or another install's.
    """
    snapshot = services.schedules.read_snapshot(install_id, schedule_id)
    require_manageable_install(services, snapshot.install)
    require_visible(services, snapshot.schedule)
    since = format_time(services.clock() - services.limits.history)
    page = services.runs.read_run_page(install_id, schedule_id, since=since, before=before, limit=limit)
    for item in page.left_out:
        services.report_unreadable(item)
    return page
