"""The kill switch: every install of a tenant, those to come included."""

from itertools import count

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import SkipReason
from scheduling.operations.installs import tenants
from scheduling.operations.installs.register import get_install, set_install_enabled
from scheduling.operations.installs.tenants import TenantCursor, list_tenant_schedules, set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws_calls import Call, lost
from tests.support.consistency import assert_consistent
from tests.support.world import ADMIN, TENANT, World, changed, next_fire_of, on_both, wanted

pytestmark = on_both


def pause(world: World) -> tenants.PauseResult:
    return set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)


def resume(world: World) -> tenants.PauseResult:
    return set_tenant_paused(world.services, TENANT, paused=False, actor=ADMIN)


def outage_of_timers(call: Call) -> None:
    if call.service == "scheduler":
        raise lost()


def test_a_pause_stops_all_and_a_resume_starts_what_is_enabled(world: World) -> None:
    installs = [world.register() for _ in range(3)]
    schedules = [create_schedule(world.services, each, wanted()) for each in installs]
    off = create_schedule(world.services, installs[0], wanted(enabled=False))
    other = create_schedule(world.services, world.register(tenantId="tenant-2"), wanted())

    assert (pause(world).install_count, set(world.timers())) == (3, {other.id})
    assert_consistent(world)
    assert (resume(world).install_count, set(world.timers())) == (3, {other.id, *(s.id for s in schedules)})
    assert off.id not in world.timers()
    assert_consistent(world)


def test_the_same_again_does_nothing(world: World, install_id: InstallId) -> None:
    pause(world)
    before = world.rows(install_id)

    again = pause(world)

    assert (again.install_count, again.complete) == (0, True)
    assert world.rows(install_id) == before


def test_a_fire_on_its_way_is_not_run(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    fire = next_fire_of(world, schedule)
    pause(world)

    assert execute_fire(world.services, world.runner, fire) is SkipReason.DISABLED


def test_a_paused_install_is_still_managed_and_nothing_of_it_fires(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, wanted(enabled=False))
    pause(world)

    made = create_schedule(world.services, install_id, wanted())
    update_schedule(world.services, install_id, schedule.id, changed(enabled=True))
    later = world.register()
    create_schedule(world.services, later, wanted())

    assert get_install(world.services, later)[0].paused
    assert world.timers() == {}
    resume(world)
    assert set(world.timers()) >= {made.id, schedule.id}
    assert_consistent(world)


def test_an_install_is_paused_and_disabled_apart(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    pause(world)
    set_install_enabled(world.services, install_id, enabled=False, actor=ADMIN)
    resume(world)
    assert world.timers() == {}

    set_install_enabled(world.services, install_id, enabled=True, actor=ADMIN)

    assert set(world.timers()) == {schedule.id}


def test_an_install_registered_in_the_middle_of_a_pause_is_paused(
    world: World, install_id: InstallId
) -> None:
    registered: list[InstallId] = []

    def register(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.calls.before = None
            pause(world)

    world.calls.before = register
    registered.append(world.register())

    assert get_install(world.services, registered[0])[0].paused
    assert get_install(world.services, install_id)[0].paused


def test_what_a_resume_overtakes_does_not_pause_again(world: World) -> None:
    installs = [world.register() for _ in range(3)]
    for each in installs:
        create_schedule(world.services, each, wanted())
    seen = count(1)

    def resume_in_the_middle(call: Call) -> None:
        if call.operation == "UpdateItem" and next(seen) == 2:
            world.calls.before = None
            resume(world)

    world.calls.before = resume_in_the_middle
    told = pause(world)

    assert not told.complete
    assert not any(get_install(world.services, each)[0].paused for each in installs)
    assert len(world.timers()) == 3
    assert_consistent(world)


@pytest.mark.parametrize("finish", ["call again", "reconciler"])
def test_a_pause_goes_on_where_it_stopped(world: World, finish: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenants, "PAGE_SIZE", 2)
    installs = sorted(world.register() for _ in range(7))
    for each in installs:
        create_schedule(world.services, each, wanted())
    writes = count(1)

    def fail(call: Call) -> None:
        if call.operation == "UpdateItem" and next(writes) > 4:
            raise lost()

    world.calls.before = fail
    assert not pause(world).complete
    world.calls.before = None
    assert [get_install(world.services, each)[0].paused for each in installs] == [True] * 4 + [False] * 3
    world.calls.made.clear()

    if finish == "call again":
        assert pause(world).install_count == 3
    world.advance(seconds=61)
    reconcile(world.services)

    assert all(get_install(world.services, each)[0].paused for each in installs)
    assert world.timers() == {}
    assert_consistent(world)


def test_a_call_ends_in_time_and_leaves_the_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenants, "PAGE_SIZE", 2)
    monkeypatch.setattr(tenants, "TIME_BUDGET", -1.0)
    world.register()

    assert (pause(world).install_count, pause(world).complete) == (0, False)


def test_timers_that_cannot_be_removed_now_are_removed_by_the_reconciler(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    world.calls.before = outage_of_timers
    assert pause(world).complete
    assert execute_fire(world.services, world.runner, next_fire_of(world, schedule)) is SkipReason.DISABLED
    world.calls.before = None
    world.advance(seconds=61)
    reconcile(world.services)

    assert world.timers() == {}


def test_what_was_not_fired_in_a_pause_is_not_missed(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    pause(world)
    world.advance(days=2)
    resume(world)

    assert get_schedule(world.services, install_id, schedule.id).timer_since == world.clock[0]


def test_a_removed_install_is_none_of_its_tenants(world: World, install_id: InstallId) -> None:
    delete_install(world.services, install_id, actor=ADMIN)

    assert world.services.tenants.read_install_ids(TENANT, None, 10) == []
    assert pause(world).install_count == 0


def test_a_tenants_schedules_come_in_pages_over_installs(world: World) -> None:
    installs = sorted(world.register() for _ in range(4))
    made = [
        create_schedule(world.services, each, wanted()).id
        for each in installs
        for _ in range(3)
        if each != installs[1]
    ]

    found, place, sizes = [], None, []
    while True:
        page = list_tenant_schedules(world.services, TENANT, after=place, limit=2, max_bytes=10**6)
        found += [schedule.id for _, schedule in page.schedules]
        sizes.append(len(page.schedules))
        if (place := page.next_after) is None:
            break

    assert found == made
    assert sizes == [2, 2, 2, 2, 1]


def test_a_page_ends_before_it_is_too_large(world: World, install_id: InstallId) -> None:
    made = [create_schedule(world.services, install_id, wanted(payload=["x" * 1000])).id for _ in range(3)]

    page = list_tenant_schedules(world.services, TENANT, limit=50, max_bytes=1500)

    assert [schedule.id for _, schedule in page.schedules] == made[:2]
    assert page.next_after == TenantCursor(install_id, made[1])


def test_a_list_ends_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenants, "TIME_BUDGET", -1.0)
    world.register()

    page = list_tenant_schedules(world.services, TENANT, limit=50, max_bytes=10**6)

    assert page.schedules == []
    assert page.next_after is not None
