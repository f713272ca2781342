"""Tell what a create would come to."""

from scheduling.domain.ids import InstallId
from scheduling.domain.install import managed
from scheduling.domain.preview import Preview, preview_of
from scheduling.domain.rules import Rules, ScheduleInput, wanted_name
from scheduling.operations.schedules.queries import endpoints_of
from scheduling.operations.services import Services


def preview(services: Services, install_id: InstallId, given: ScheduleInput) -> Preview:
    """What a create of the same would come to; nothing is written, and no write of the window is taken.

    Raises InstallNotFound and CapabilityDenied.
    """
    snapshot = services.schedules.read(install_id, name=wanted_name(given))
    install = managed(snapshot.install)
    taken = snapshot.name_owner is not None
    rules = Rules(endpoints_of(services, install), services.limits, services.clock(), name_taken=taken)
    return preview_of(rules, install, given)
