"""An install removed and registered anew under its id, while somebody is still at work on the earlier one."""

from collections.abc import Callable

import pytest
from scheduling.domain.errors import InstallNotFound
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import IdempotencyKey
from scheduling.operations.installs.register import get_install, set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import list_schedules

from tests.support.aws_calls import Call
from tests.support.consistency import assert_consistent
from tests.support.world import ADMIN, TENANT, World, on_both, wanted

pytestmark = on_both
KEY = IdempotencyKey("key", "hash")


def before(world: World, operation: str, act: Callable[[], object], *, number: int = 1) -> None:
    """Act before the call of that name, the `number`th from now on."""
    seen = 0

    def hook(call: Call) -> None:
        nonlocal seen
        seen += call.operation == operation
        if seen == number:
            world.calls.before = None
            act()

    world.calls.before = hook


def uninstall(world: World, install_id: InstallId) -> None:
    delete_install(world.services, install_id, actor=ADMIN)


def test_a_create_for_the_earlier_install_is_not_made_in_a_disabled_new_one(
    world: World, install_id: InstallId
) -> None:
    def anew() -> None:
        uninstall(world, install_id)
        world.register(install_id, enabled=False)

    before(world, "TransactWriteItems", anew)

    with pytest.raises(InstallNotFound):
        create_schedule(world.services, install_id, wanted())
    assert world.timers() == {}
    assert_consistent(world)


def test_the_last_step_of_an_earlier_removal_does_not_remove_the_new_install(
    world: World, install_id: InstallId
) -> None:
    """Both have been changed once."""

    def anew() -> None:
        uninstall(world, install_id)
        world.register(install_id)
        set_install_enabled(world.services, install_id, enabled=False, actor=ADMIN)

    before(world, "TransactWriteItems", anew)
    uninstall(world, install_id)

    assert not get_install(world.services, install_id)[0].enabled
    assert_consistent(world)


@pytest.mark.parametrize("held_at", ["Query", "BatchGetItem"])
def test_an_earlier_removal_takes_no_schedule_of_the_new_install(
    world: World, install_id: InstallId, held_at: str
) -> None:
    create_schedule(world.services, install_id, wanted())

    def anew() -> None:
        uninstall(world, install_id)
        world.register(install_id)
        create_schedule(world.services, install_id, wanted(name="new"))

    before(world, held_at, anew, number=2 if held_at == "BatchGetItem" else 1)
    uninstall(world, install_id)

    (kept,) = list_schedules(world.services, install_id).schedules
    assert kept.definition.name == "new"
    assert_consistent(world)


def test_an_earlier_removal_forgets_no_key_of_the_new_install(world: World, install_id: InstallId) -> None:
    create_schedule(world.services, install_id, wanted(enabled=False), KEY)
    made = []

    def anew() -> None:
        uninstall(world, install_id)
        world.register(install_id)
        made.append(create_schedule(world.services, install_id, wanted(), KEY))

    before(world, "Query", anew, number=2)
    uninstall(world, install_id)

    assert create_schedule(world.services, install_id, wanted(), KEY).id == made[0].id
    assert len(list_schedules(world.services, install_id).schedules) == 1


@pytest.mark.parametrize("paused", [True, False])
def test_a_pause_or_resume_that_meets_an_unfinished_removal_lets_it_be_finished(
    world: World, install_id: InstallId, paused: bool
) -> None:
    """A function died in the middle of the removal; the tenant is paused, or resumed, before the reconciler comes."""
    create_schedule(world.services, install_id, wanted())
    if not paused:
        set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)

    def die() -> None:
        raise KeyboardInterrupt

    before(world, "Query", die)
    with pytest.raises(KeyboardInterrupt):
        uninstall(world, install_id)
    assert set_tenant_paused(world.services, TENANT, paused=paused, actor=ADMIN).complete

    world.advance(seconds=61)
    assert reconcile(world.services).failed == 0
    assert world.rows(install_id) == []
    assert world.timers() == {}
