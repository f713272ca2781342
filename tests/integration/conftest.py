from collections.abc import Iterator

import pytest
from hypothesis import settings
from scheduling.domain.ids import InstallId

from tests.support.oracles.audit import Audit, start_audit
from tests.support.oracles.mistakes import assert_consistent_reads, no_caught_mistakes
from tests.support.stacks.admin_cli import AdminCli, create_admin_cli
from tests.support.stacks.world import World, new_world


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect, by day, all but the first case on moto of each test with `once_on_moto`."""
    if settings.get_current_profile_name() == "nightly":
        return
    first_cases: dict[str, pytest.Item] = {}
    repeated = [
        item
        for item in items
        if item.get_closest_marker("once_on_moto")
        and item.callspec.params.get("world") == "moto"  # type: ignore[attr-defined]
        and first_cases.setdefault(item.nodeid.partition("[")[0], item) is not item
    ]
    config.hook.pytest_deselected(items=repeated)
    items[:] = [item for item in items if item not in repeated]


@pytest.fixture(autouse=True)
def find_mistakes() -> Iterator[None]:
    with no_caught_mistakes():
        yield


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world with the table and the timers in memory; with `on_moto_and_memory`, also one on moto alone."""
    with new_world(aws=getattr(request, "param", "mixed")) as world:
        yield world
        assert_consistent_reads(world.calls.recorded)


@pytest.fixture
def admin(world: World) -> Iterator[AdminCli]:
    """The operator's command line, working on the world."""
    with create_admin_cli(world) as admin:
        yield admin


@pytest.fixture
def install_id(world: World) -> InstallId:
    return world.register_install()


@pytest.fixture
def audit(world: World) -> Iterator[Audit]:
    with start_audit(world) as audit:
        yield audit
