"""An install is deleted and registered again under its id, while an operation on the earlier one still runs."""

from collections.abc import Callable

import pytest
from scheduling.domain.errors import InstallNotFound
from scheduling.domain.ids import InstallId
from scheduling.domain.requests.idempotency import IdempotencyKey
from scheduling.operations.installs.register import get_install, set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import list_schedules

from tests.support.aws.calls import Call
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.world import ADMIN, TENANT, World, create_input, on_moto_and_memory, once_on_moto

pytestmark = [on_moto_and_memory, once_on_moto]
KEY = IdempotencyKey("key", "hash")


def run_before_call(world: World, operation: str, action: Callable[[], object], *, number: int = 1) -> None:
    """Act before the `number`th call of the operation from now on."""
    count = 0

    def hook(call: Call) -> None:
        nonlocal count
        count += call.operation == operation
        if count == number:
            world.calls.before = None
            action()

    world.calls.before = hook


def delete_test_install(world: World, install_id: InstallId) -> None:
    delete_install(world.services, install_id, actor=ADMIN)


def test_create_for_previous_install_fails_in_a_disabled_new_install(
    world: World, install_id: InstallId
) -> None:
    def reinstall() -> None:
        delete_test_install(world, install_id)
        world.register_install(install_id, enabled=False)

    run_before_call(world, "TransactWriteItems", reinstall)

    with pytest.raises(InstallNotFound):
        create_schedule(world.services, install_id, create_input())
    assert world.read_timers() == {}
    assert_consistent(world)


def test_last_step_of_previous_uninstall_keeps_the_new_install(world: World, install_id: InstallId) -> None:
    """Both installs have been changed once."""

    def reinstall() -> None:
        delete_test_install(world, install_id)
        world.register_install(install_id)
        set_install_enabled(world.services, install_id, enabled=False, actor=ADMIN)

    run_before_call(world, "TransactWriteItems", reinstall)
    delete_test_install(world, install_id)

    assert not get_install(world.services, install_id)[0].enabled
    assert_consistent(world)


@pytest.mark.parametrize("suspended_at", ["Query", "BatchGetItem"])
def test_previous_uninstall_keeps_schedules_of_the_new_install(
    world: World, install_id: InstallId, suspended_at: str
) -> None:
    create_schedule(world.services, install_id, create_input())

    def reinstall() -> None:
        delete_test_install(world, install_id)
        world.register_install(install_id)
        create_schedule(world.services, install_id, create_input(name="new"))

    run_before_call(world, suspended_at, reinstall, number=2 if suspended_at == "BatchGetItem" else 1)
    delete_test_install(world, install_id)

    (schedule,) = list_schedules(world.services, install_id).schedules
    assert schedule.definition.name == "new"
    assert_consistent(world)


def test_previous_uninstall_keeps_idempotency_keys_of_the_new_install(
    world: World, install_id: InstallId
) -> None:
    create_schedule(world.services, install_id, create_input(enabled=False), KEY)
    created = []

    def reinstall() -> None:
        delete_test_install(world, install_id)
        world.register_install(install_id)
        created.append(create_schedule(world.services, install_id, create_input(), KEY))

    run_before_call(world, "Query", reinstall, number=2)
    delete_test_install(world, install_id)

    assert create_schedule(world.services, install_id, create_input(), KEY).id == created[0].id
    assert len(list_schedules(world.services, install_id).schedules) == 1


@pytest.mark.parametrize("paused", [True, False])
def test_pause_or_resume_leaves_unfinished_uninstall_resumable(
    world: World, install_id: InstallId, paused: bool
) -> None:
    """A function dies during the deletion; the tenant is paused, or resumed, before the reconciler runs."""
    create_schedule(world.services, install_id, create_input())
    if not paused:
        set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)

    def kill() -> None:
        raise KeyboardInterrupt

    run_before_call(world, "Query", kill)
    with pytest.raises(KeyboardInterrupt):
        delete_test_install(world, install_id)
    assert set_tenant_paused(world.services, TENANT, paused=paused, actor=ADMIN).complete

    world.advance(seconds=61)
    assert reconcile(world.services).failed == 0
    assert world.scan_rows(install_id) == []
    assert world.read_timers() == {}
