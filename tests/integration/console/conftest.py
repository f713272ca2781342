from collections.abc import Iterator

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule

from tests.support.stacks.admin_cli import AdminCli
from tests.support.stacks.console import ConsoleClient, open_console
from tests.support.stacks.world import World, create_input


@pytest.fixture
def schedule(world: World) -> Schedule:
    """An hourly schedule of install-1."""
    install_id = world.register_install(InstallId("install-1"))
    return create_schedule(world.services, install_id, create_input(name="hourly", payload={"n": 1}))


@pytest.fixture
def console(admin: AdminCli) -> Iterator[ConsoleClient]:  # noqa: ARG001 - the stack
    """A signed-in client of the console."""
    with open_console() as client:
        yield client
