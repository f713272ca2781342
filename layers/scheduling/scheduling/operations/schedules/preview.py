"""Tell what a create would come to."""

from scheduling.domain.ids import InstallId
from scheduling.domain.install import require_manageable
from scheduling.domain.preview import Preview, build_preview
from scheduling.domain.rules import Rules, ScheduleInput, requested_name
from scheduling.operations.schedules.queries import read_endpoints
from scheduling.operations.services import Services


def preview_schedule(services: Services, install_id: InstallId, schedule_input: ScheduleInput) -> Preview:
    """What a create of the same would come to; nothing is written, and no write of the window is taken.

    Raises InstallNotFound and CapabilityDenied.
    """
    snapshot = services.schedules.read_schedule(install_id, name=requested_name(schedule_input))
    install = require_manageable(snapshot.install)
    name_taken = snapshot.name_owner is not None
    rules = Rules(read_endpoints(services, install), services.limits, services.clock(), name_taken=name_taken)
    return build_preview(rules, install, schedule_input)
