import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule

from tests.support.stacks.world import World, create_input


@pytest.fixture
def schedule(world: World) -> Schedule:
    """An hourly schedule of install-1."""
    install_id = world.register_install(InstallId("install-1"))
    return create_schedule(world.services, install_id, create_input(name="hourly", payload={"n": 1}))
