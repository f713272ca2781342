"""Preview a schedule without creating it."""

from scheduling.domain.ids import InstallId
from scheduling.domain.preview import Preview, build_preview
from scheduling.domain.rules import ScheduleInput, ScheduleRules, requested_name
from scheduling.operations.schedules.queries import read_endpoints, require_manageable_install
from scheduling.operations.services import Services


def preview_schedule(services: Services, install_id: InstallId, schedule_input: ScheduleInput) -> Preview:
    """Return what a create with this input would result in; nothing is written, and no rate limit is used up.

    Raises:
        InstallNotFound: The install is absent, disabled or being deleted.
        CapabilityDenied: The install may not have schedules.
    """
    snapshot = services.schedules.read_snapshot(install_id, name=requested_name(schedule_input))
    install = require_manageable_install(services, snapshot.install)
    name_taken = snapshot.name_owner is not None
    rules = ScheduleRules(
        read_endpoints(services, install), services.limits, services.clock(), name_taken=name_taken
    )
    return build_preview(rules, install, schedule_input)
