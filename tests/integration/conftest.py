from collections.abc import Iterator

import pytest
from scheduling.domain.ids import InstallId

from tests.support.world import World, new_world


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as world:
        yield world


@pytest.fixture
def install_id(world: World) -> InstallId:
    return world.register()
