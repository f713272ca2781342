from collections.abc import Iterator

import pytest
from moto.dynamodb.models import DynamoDBBackend
from scheduling.domain.ids import InstallId

from local.moto_transactions import transact
from tests.support.admin import Admin, admin_of
from tests.support.audit import Audit, audited
from tests.support.world import World, new_world


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """On moto, or where a module is marked with `on_both`, on each of the two."""
    with new_world(aws=getattr(request, "param", "moto")) as world:
        yield world


@pytest.fixture
def admin(world: World) -> Iterator[Admin]:
    """The operator's command line on the world."""
    with admin_of(world) as admin:
        yield admin


@pytest.fixture
def install_id(world: World) -> InstallId:
    return world.register()


@pytest.fixture
def audit(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Audit]:
    monkeypatch.setattr(DynamoDBBackend, "transact_write_items", transact)
    with audited(world) as audit:
        yield audit
