"""Lists over all tenants: what they have, what they cost, and whether they say that something is left out."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Limits
from scheduling.domain.runs import RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.faults.broken_rows import set_attribute
from tests.support.stacks.admin_cli import AdminCli, execute_at
from tests.support.stacks.world import ADMIN, World, create_input, update_input

FAILURE = {"status": RunStatus.ERROR, "http_status": 404, "error": "no"}


def create(world: World, tenant_id: str, name: str = "hourly", **fields: object) -> Schedule:
    """Create a schedule of the tenant's one install."""
    install_id = world.register_install(InstallId(f"install-of-{tenant_id}"), tenantId=tenant_id)
    return create_schedule(world.services, install_id, create_input(name=name, **fields))


def pause(world: World, *tenant_ids: str) -> None:
    """Pause the tenants, a minute after each other."""
    for tenant_id in tenant_ids:
        set_tenant_paused(world.services, tenant_id, paused=True, actor=ADMIN)
        world.advance(minutes=1)


def list_ids(admin: AdminCli, *words: str) -> Sequence[str]:
    return [each["id"] for each in admin("schedules", *words, "--json").document["schedules"]]


def test_the_paused_are_listed_by_how_long_they_are(world: World, admin: AdminCli) -> None:
    expected = [create(world, tenant_id).id for tenant_id in ("c", "a")]
    create(world, "b")
    pause(world, "empty", "c", "a")

    assert list_ids(admin, "--paused") == expected


def test_the_cost_is_of_what_is_paused(world: World, admin: AdminCli) -> None:
    for number in range(5):
        create(world, f"tenant-{number}")
    pause(world, "tenant-3")
    world.calls.recorded.clear()

    admin("schedules", "--paused")

    operations = world.calls.operation_names()
    # Two parts of the index with schedules in the tests, paused tenants, and the schedules of one tenant.
    assert (operations.count("Query"), operations.count("BatchGetItem")) == (4, 1)


@pytest.mark.parametrize(
    ("limit", "count", "has_more"), [(1, 1, True), (3, 3, True), (4, 4, False), (5, 4, False)]
)
def test_the_limit_says_whether_it_leaves_some_out(
    world: World, admin: AdminCli, limit: int, count: int, has_more: bool
) -> None:
    for tenant_id in ("a", "b"):
        for name in ("one", "two"):
            create(world, tenant_id, name)
    pause(world, "a", "empty", "b")

    document = admin("schedules", "--paused", "--limit", str(limit), "--json").document
    lines = admin("schedules", "--paused", "--limit", str(limit)).lines

    assert (len(document["schedules"]), document["hasMore"]) == (count, has_more)
    assert (lines[-1] == f"Not all are read: raise --limit, which is {limit}.") is has_more


def test_none_are_said_to_be_none_of_those_read(world: World, admin: AdminCli) -> None:
    for tenant_id in ("a", "b"):
        execute_at(world, create(world, tenant_id), 10, **FAILURE)

    assert admin("schedules", "--paused", "--limit", "1").lines == [
        "There are no such schedules among those read.",
        "",
        "Not all are read: raise --limit, which is 1.",
    ]
    assert admin("schedules", "--paused").lines == ["There are no such schedules."]


def test_what_cannot_be_read_is_named(world: World, admin: AdminCli) -> None:
    broken, other = create(world, "a", "broken"), create(world, "a", "other")
    pause(world, "a")
    set_attribute(f"INSTALL#{broken.install_id}", f"SCHEDULE#{broken.id}", "cron", {"N": "1"})

    result = admin("schedules", "--paused", "--json")

    assert [each["id"] for each in result.document["schedules"]] == [other.id]
    (left_out,) = result.document["leftOut"]
    assert broken.id in left_out["id"]
    assert result.exit_status == 1


def test_what_does_not_fire_although_it_should_is_not_what_somebody_has_stopped(
    world: World, admin: AdminCli
) -> None:
    """Each has failed, and so is in the index of what fails."""
    names = ("fires", "paused after failures", "tenant paused", "install disabled", "not granted", "disabled")
    schedules = {name: create(world, name.replace(" ", "-")) for name in names}
    never, failed = world.services, schedules["paused after failures"]
    for each in schedules.values():
        limit = 1 if each is failed else 0
        world.services = replace(never, limits=Limits(pause_after_failures=limit))
        execute_at(world, each, 10, **FAILURE)
    world.services = never
    pause(world, "tenant-paused")
    set_install_enabled(world.services, schedules["install disabled"].install_id, enabled=False, actor=ADMIN)
    world.register_install(
        schedules["not granted"].install_id, tenantId="not-granted", grantedCapabilities=[]
    )
    update_schedule(
        world.services,
        schedules["disabled"].install_id,
        schedules["disabled"].id,
        update_input(enabled=False),
    )

    assert list_ids(admin, "--not-firing") == [failed.id]
