"""The kill switch: it stops every install of a tenant, future ones included."""

from itertools import count

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import SkipReason
from scheduling.operations.installs import tenants
from scheduling.operations.installs.register import get_install, set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, fail_timer_calls, lost_response_error
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.fires import execute_fire, next_hourly_fire
from tests.support.stacks.world import (
    ADMIN,
    TENANT,
    World,
    create_input,
    on_moto_and_memory,
    once_on_moto,
    update_input,
)

pytestmark = [on_moto_and_memory, once_on_moto]


def pause_tenant(world: World) -> tenants.PauseResult:
    return set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)


def resume_tenant(world: World) -> tenants.PauseResult:
    return set_tenant_paused(world.services, TENANT, paused=False, actor=ADMIN)


def test_pause_stops_all_and_resume_starts_enabled_schedules(world: World) -> None:
    installs = [world.register_install() for _ in range(3)]
    schedules = [create_schedule(world.services, install_id, create_input()) for install_id in installs]
    disabled_schedule = create_schedule(world.services, installs[0], create_input(enabled=False))
    other = create_schedule(world.services, world.register_install(tenantId="tenant-2"), create_input())

    assert (pause_tenant(world).install_count, set(world.read_timers())) == (3, {other.id})
    assert_consistent(world)
    assert (resume_tenant(world).install_count, set(world.read_timers())) == (
        3,
        {other.id, *(s.id for s in schedules)},
    )
    assert disabled_schedule.id not in world.read_timers()
    assert_consistent(world)


def test_repeated_pause_changes_nothing(world: World, install_id: InstallId) -> None:
    pause_tenant(world)
    before = world.scan_rows(install_id)

    second = pause_tenant(world)

    assert (second.install_count, second.complete) == (0, True)
    assert world.scan_rows(install_id) == before


def test_a_fire_in_delivery_is_not_run(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    fire = next_hourly_fire(world, schedule)
    pause_tenant(world)

    assert execute_fire(world.services, world.runner, fire) is SkipReason.DISABLED


def test_paused_install_is_manageable_and_fires_nothing(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(enabled=False))
    pause_tenant(world)

    created = create_schedule(world.services, install_id, create_input())
    update_schedule(world.services, install_id, schedule.id, update_input(enabled=True))
    later = world.register_install()
    create_schedule(world.services, later, create_input())

    assert get_install(world.services, later)[0].paused
    assert world.read_timers() == {}
    resume_tenant(world)
    assert set(world.read_timers()) >= {created.id, schedule.id}
    assert_consistent(world)


def test_install_pause_and_disable_are_independent(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    pause_tenant(world)
    set_install_enabled(world.services, install_id, enabled=False, actor=ADMIN)
    resume_tenant(world)
    assert world.read_timers() == {}

    set_install_enabled(world.services, install_id, enabled=True, actor=ADMIN)

    assert set(world.read_timers()) == {schedule.id}


def test_an_install_registered_during_a_pause_is_paused(world: World, install_id: InstallId) -> None:
    registered: list[InstallId] = []

    def register(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.calls.before = None
            pause_tenant(world)

    world.calls.before = register
    registered.append(world.register_install())

    assert get_install(world.services, registered[0])[0].paused
    assert get_install(world.services, install_id)[0].paused


def test_pause_overtaken_by_resume_does_not_pause_again(world: World) -> None:
    installs = [world.register_install() for _ in range(3)]
    for install_id in installs:
        create_schedule(world.services, install_id, create_input())
    call_number = count(1)

    def resume_in_the_middle(call: Call) -> None:
        if call.operation == "UpdateItem" and next(call_number) == 2:
            world.calls.before = None
            resume_tenant(world)

    world.calls.before = resume_in_the_middle
    result = pause_tenant(world)

    assert not result.complete
    assert not any(get_install(world.services, install_id)[0].paused for install_id in installs)
    assert len(world.read_timers()) == 3
    assert_consistent(world)


@pytest.mark.parametrize("finish", ["call again", "reconciler"])
def test_interrupted_pause_is_resumed(world: World, finish: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenants, "PAGE_SIZE", 2)
    installs = sorted(world.register_install() for _ in range(7))
    for install_id in installs:
        create_schedule(world.services, install_id, create_input())
    writes = count(1)

    def fail(call: Call) -> None:
        if call.operation == "UpdateItem" and next(writes) > 4:
            raise lost_response_error()

    world.calls.before = fail
    assert not pause_tenant(world).complete
    world.calls.before = None
    assert [get_install(world.services, install_id)[0].paused for install_id in installs] == [True] * 4 + [
        False
    ] * 3
    world.calls.recorded.clear()

    if finish == "call again":
        assert pause_tenant(world).install_count == 3
    world.advance(seconds=61)
    reconcile(world.services)

    assert all(get_install(world.services, install_id)[0].paused for install_id in installs)
    assert world.read_timers() == {}
    assert_consistent(world)


def test_pause_stops_at_its_time_budget_and_reports_incomplete(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenants, "PAGE_SIZE", 2)
    monkeypatch.setattr(tenants, "TIME_BUDGET", -1.0)
    world.register_install()

    assert (pause_tenant(world).install_count, pause_tenant(world).complete) == (0, False)


def test_undeletable_timers_are_deleted_by_the_reconciler(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    world.calls.before = fail_timer_calls
    assert pause_tenant(world).complete
    assert (
        execute_fire(world.services, world.runner, next_hourly_fire(world, schedule)) is SkipReason.DISABLED
    )
    world.calls.before = None
    world.advance(seconds=61)
    reconcile(world.services)

    assert world.read_timers() == {}


def test_occurrences_during_a_pause_are_not_missed(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    pause_tenant(world)
    world.advance(days=2)
    resume_tenant(world)

    assert get_schedule(world.services, install_id, schedule.id).timer_since == world.clock[0]


def test_deleted_install_leaves_its_tenant(world: World, install_id: InstallId) -> None:
    delete_install(world.services, install_id, actor=ADMIN)

    assert world.services.tenants.read_install_ids(TENANT, None, 10) == []
    assert pause_tenant(world).install_count == 0


def test_a_page_of_installs_is_read_by_one_request(world: World) -> None:
    for _ in range(3):
        world.register_install()
    world.calls.recorded.clear()

    assert pause_tenant(world).install_count == 3
    names = world.calls.operation_names()
    assert (names.count("Query"), names.count("BatchGetItem"), names.count("UpdateItem")) == (4, 2, 6)


def test_an_install_that_has_changed_meanwhile_is_read_again(world: World, install_id: InstallId) -> None:
    def disable_install(call: Call) -> None:
        if call.operation == "UpdateItem":
            world.calls.before = None
            set_install_enabled(world.services, install_id, enabled=False, actor=ADMIN)

    world.calls.before = disable_install
    result = pause_tenant(world)

    install = get_install(world.services, install_id)[0]
    assert (result.complete, install.paused, install.enabled) == (True, True, False)
