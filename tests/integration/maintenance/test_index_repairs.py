"""The sweep repairs the index of what is unhealthy, for rows of earlier releases and rows that somebody has edited."""

from collections import Counter
from collections.abc import Mapping

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.install import SCHEDULER_MANAGE
from scheduling.domain.runs import RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.unhealthy import (
    list_disabled_installs,
    list_paused_tenants,
    list_ungranted_installs,
    list_unhealthy_schedules,
)
from scheduling.operations.maintenance.parts import sweep_install
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call
from tests.support.faults.broken_rows import set_attribute
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.admin_cli import execute_at
from tests.support.stacks.world import (
    ADMIN,
    TENANT,
    World,
    create_input,
    on_moto_and_memory,
    update_input,
)

ONE = InstallId("install-1")
FAILURE = {"http_status": 404, "error": "no"}
INDEX_ATTRIBUTES = ("unhealthyShard", "unhealthySince")


@pytest.fixture
def schedule(world: World) -> Schedule:
    return create_schedule(world.services, world.register_install(ONE), create_input(name="hourly"))


def remove(pk: str, sk: str, *names: str) -> None:
    """Leave the row as an earlier release has, without attributes of the index."""
    for name in names or INDEX_ATTRIBUTES:
        set_attribute(pk, sk, name, None)


def schedule_key(schedule: Schedule) -> tuple[str, str]:
    return f"INSTALL#{schedule.install_id}", f"SCHEDULE#{schedule.id}"


def check(world: World) -> Counter[str]:
    repairs: Counter[str] = Counter()
    sweep_install(world.services, ONE, repairs)
    return repairs


def list_unhealthy(world: World) -> Mapping[str, str]:
    pairs = list_unhealthy_schedules(world.services, limit=10).schedules
    return {each.id: str(each.unhealthy_since) for _, each in pairs}


def fail(world: World, schedule: Schedule) -> None:
    execute_at(world, schedule, 11, status=RunStatus.ERROR, **FAILURE)


@on_moto_and_memory
@pytest.mark.parametrize("names", [INDEX_ATTRIBUTES, INDEX_ATTRIBUTES[:1], INDEX_ATTRIBUTES[1:]], ids=str)
def test_a_failing_schedule_is_put_into_the_index(
    world: World, schedule: Schedule, names: tuple[str, ...]
) -> None:
    fail(world, schedule)
    remove(*schedule_key(schedule), *names)
    assert list_unhealthy(world) == {}
    assert check(world) == {"index": 1}
    assert list_unhealthy(world) == {schedule.id: "2026-11-23 11:00:00+00:00"}
    assert not check(world)
    assert_consistent(world)


def test_a_waiting_schedule_is_put_into_the_index_since_the_check(world: World, schedule: Schedule) -> None:
    set_attribute(*schedule_key(schedule), "waiting", {"BOOL": True})
    assert check(world) == {"index": 1}
    assert list_unhealthy(world) == {schedule.id: str(world.clock[0])}


@pytest.mark.parametrize("shard", ["0", "no-part"])
def test_a_healthy_schedule_is_removed(world: World, schedule: Schedule, shard: str) -> None:
    execute_at(world, schedule, 11)
    set_attribute(*schedule_key(schedule), "unhealthySince", {"S": "2026-11-23T10:00:00.000000+0000"})
    set_attribute(*schedule_key(schedule), "unhealthyShard", {"S": shard})
    assert check(world) == {"index": 1}
    assert list_unhealthy(world) == {}
    assert not check(world)


def test_a_time_that_cannot_be_read_is_replaced(world: World, schedule: Schedule) -> None:
    fail(world, schedule)
    set_attribute(*schedule_key(schedule), "unhealthySince", {"S": "some day"})
    assert check(world)["index"] == 1
    assert list_unhealthy(world) == {schedule.id: "2026-11-23 11:00:00+00:00"}


def test_a_schedule_that_its_owner_has_disabled_stays_as_it_is(world: World, schedule: Schedule) -> None:
    fail(world, schedule)
    update_schedule(world.services, ONE, schedule.id, update_input(enabled=False))
    assert not check(world)
    remove(*schedule_key(schedule))
    assert not check(world)


def test_a_run_that_ends_meanwhile_decides(world: World, schedule: Schedule) -> None:
    fail(world, schedule)
    remove(*schedule_key(schedule))
    runs = 0

    def succeed(call: Call) -> None:
        nonlocal runs
        if call.operation == "UpdateItem" and not runs:
            runs = 1
            execute_at(world, schedule, 12)

    world.calls.before = succeed
    assert not check(world)
    world.calls.before = None
    assert list_unhealthy(world) == {}


def test_a_disabled_install_is_put_into_the_index(world: World, schedule: Schedule) -> None:
    del schedule
    set_install_enabled(world.services, ONE, enabled=False, actor=ADMIN)
    remove("INSTALL#install-1", "INSTALL")
    world.advance(hours=1)
    assert check(world) == {"index": 1}
    assert [(each.id, each.since) for each in list_disabled_installs(limit=9)] == [(ONE, world.clock[0])]
    set_install_enabled(world.services, ONE, enabled=True, actor=ADMIN)
    assert list_disabled_installs(limit=9) == []
    assert not check(world)


def test_an_install_that_fires_is_removed(world: World, schedule: Schedule) -> None:
    del schedule
    set_attribute("INSTALL#install-1", "INSTALL", "unhealthySince", {"S": "2026-11-23T10:00:00.000000+0000"})
    set_attribute("INSTALL#install-1", "INSTALL", "unhealthyShard", {"S": "disabled"})
    assert check(world) == {"index": 1}
    assert list_disabled_installs(limit=9) == []


def test_an_install_without_the_capability_is_put_into_the_index(world: World, schedule: Schedule) -> None:
    del schedule
    world.register_install(ONE, grantedCapabilities=[])
    (before,) = list_ungranted_installs(limit=9)
    remove("INSTALL#install-1", "INSTALL")
    assert check(world) == {"index": 1}
    assert list_ungranted_installs(limit=9) == [before]
    remove("INSTALL#install-1", "INSTALL", *INDEX_ATTRIBUTES, "ungrantedSince")
    world.advance(hours=1)
    assert check(world) == {"index": 1}
    (after,) = list_ungranted_installs(limit=9)
    assert (after.id, after.since) == (ONE, world.clock[0])
    world.register_install(ONE, grantedCapabilities=[SCHEDULER_MANAGE])
    assert list_ungranted_installs(limit=9) == []


def test_a_paused_tenant_is_put_into_the_index(world: World, schedule: Schedule) -> None:
    del schedule
    set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)
    assert not check(world)
    remove(f"TENANT#{TENANT}", "TENANT")
    assert check(world) == {"index": 1}
    assert [each.id for each in list_paused_tenants(limit=9)] == [TENANT]
    assert not check(world)


def test_nothing_is_read_or_written_where_nothing_is_to_repair(world: World, schedule: Schedule) -> None:
    execute_at(world, schedule, 11)
    world.calls.recorded.clear()
    assert not check(world)
    assert world.calls.operation_names().count("BatchGetItem") == 0
    assert "UpdateItem" not in world.calls.operation_names()
