from collections.abc import Iterator

import pytest
from scheduling.domain.ids import InstallId

from tests.support.admin import AdminCli, create_admin_cli
from tests.support.audit import Audit, audited
from tests.support.world import World, new_world


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """On moto, or where a module is marked with `on_both`, on each of the two."""
    with new_world(aws=getattr(request, "param", "moto")) as world:
        yield world


@pytest.fixture
def admin(world: World) -> Iterator[AdminCli]:
    """The operator's command line on the world."""
    with create_admin_cli(world) as admin:
        yield admin


@pytest.fixture
def install_id(world: World) -> InstallId:
    return world.register()


@pytest.fixture
def audit(world: World) -> Iterator[Audit]:
    with audited(world) as audit:
        yield audit
