"""Writes of the platform's admins: the same rules, but for the extension's rate limit and a disabled install."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from scheduling.domain.errors import (
    CapabilityDenied,
    InstallNotFound,
    NameTaken,
    PreconditionFailed,
    QuotaExceeded,
    RateLimited,
    ScheduleNotFound,
    ValidationFailed,
)
from scheduling.domain.ids import InstallId
from scheduling.domain.install import ALWAYS_GRANTED, Limits
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, client_error
from tests.support.oracles.audit import Audit
from tests.support.stacks.world import (
    ADMIN,
    UNKNOWN_SCHEDULE_ID,
    World,
    create_input,
    on_moto_and_memory,
    once_on_moto,
    update_input,
)

pytestmark = on_moto_and_memory
Write = Callable[[World, Schedule, str], object]
WRITES: dict[str, Write] = {
    "create": lambda world, schedule, actor: create_schedule(
        world.services, schedule.install_id, create_input(name="new"), actor=actor
    ),
    "update": lambda world, schedule, actor: update_schedule(
        world.services, schedule.install_id, schedule.id, update_input(cron="5 * * * *"), actor=actor
    ),
    "disable": lambda world, schedule, actor: update_schedule(
        world.services, schedule.install_id, schedule.id, update_input(enabled=False), actor=actor
    ),
    "delete": lambda world, schedule, actor: delete_schedule(
        world.services, schedule.install_id, schedule.id, actor=actor
    ),
}
EVENTS = {
    "create": "ScheduleCreated by admin",
    "update": "ScheduleUpdated by admin",
    "disable": "ScheduleUpdated by admin",
    "delete": "ScheduleDeleted by admin",
}
each_write = pytest.mark.parametrize("name", WRITES)


@pytest.fixture
def schedule(world: World, audit: Audit, install_id: InstallId) -> Schedule:
    schedule = create_schedule(world.services, install_id, create_input(name="hourly"))
    audit.publish_new_events()
    return schedule


@each_write
def test_the_principal_is_the_actor(world: World, audit: Audit, schedule: Schedule, name: str) -> None:
    WRITES[name](world, schedule, ADMIN)

    (event,) = audit.publish_new_events()
    assert str(event) == EVENTS[name]
    assert event.detail["actor"] == {"kind": "admin", "principal": ADMIN.partition(":")[2]}


@pytest.mark.parametrize("enabled", [True, False], ids=["with timer", "without timer"])
def test_a_deletion_names_the_admin_with_and_without_timer(
    world: World, audit: Audit, install_id: InstallId, enabled: bool
) -> None:
    schedule = create_schedule(world.services, install_id, create_input(enabled=enabled))
    audit.publish_new_events()

    delete_schedule(world.services, install_id, schedule.id, actor=ADMIN)

    assert [str(event) for event in audit.publish_new_events()] == ["ScheduleDeleted by admin"]
    assert world.services.sweeps.read_partition(install_id).schedules == []


@once_on_moto
@each_write
def test_an_admin_changes_schedules_of_a_disabled_install(
    world: World, schedule: Schedule, name: str
) -> None:
    set_install_enabled(world.services, schedule.install_id, enabled=False, actor=ADMIN)
    with pytest.raises(InstallNotFound):
        WRITES[name](world, schedule, "host_api")

    WRITES[name](world, schedule, ADMIN)

    assert world.read_timers() == {}
    schedules = world.services.schedules.read_all_schedules(schedule.install_id)
    assert len(schedules) == {"create": 2, "delete": 0}.get(name, 1)
    assert not any(each.pending for each in schedules)


def test_admins_write_beyond_the_rate_limit_and_take_none_of_it(world: World, install_id: InstallId) -> None:
    services = replace(world.services, limits=Limits(writes_per_minute=1))
    for number in range(3):
        create_schedule(services, install_id, create_input(name=f"by admin {number}"), actor=ADMIN)

    schedule = create_schedule(services, install_id, create_input())
    with pytest.raises(RateLimited):
        delete_schedule(services, install_id, schedule.id)
    delete_schedule(services, install_id, schedule.id, actor=ADMIN)


def test_the_quota_holds_for_admins(world: World, install_id: InstallId) -> None:
    services = replace(world.services, limits=Limits(max_schedules_per_install=1))
    create_schedule(services, install_id, create_input(), actor=ADMIN)

    with pytest.raises(QuotaExceeded):
        create_schedule(services, install_id, create_input(), actor=ADMIN)


def test_the_rules_hold_for_admins(world: World, schedule: Schedule) -> None:
    services, install_id = world.services, schedule.install_id
    with pytest.raises(ValidationFailed) as refused:
        create_schedule(services, install_id, create_input(cron="* * * * *"), actor=ADMIN)
    assert refused.value.field_errors == {"cron": "Cron too frequent (minimum interval is 5 minutes)"}
    with pytest.raises(NameTaken):
        create_schedule(services, install_id, create_input(name="hourly"), actor=ADMIN)
    with pytest.raises(PreconditionFailed):
        update_schedule(
            services,
            install_id,
            schedule.id,
            update_input(enabled=False),
            if_match=frozenset({7}),
            actor=ADMIN,
        )
    with pytest.raises(ScheduleNotFound):
        delete_schedule(services, install_id, UNKNOWN_SCHEDULE_ID, actor=ADMIN)
    world.register_install(install_id, grantedCapabilities=sorted(ALWAYS_GRANTED))
    with pytest.raises(CapabilityDenied):
        update_schedule(services, install_id, schedule.id, update_input(enabled=False), actor=ADMIN)
    delete_install(services, install_id, actor=ADMIN)
    with pytest.raises(InstallNotFound):
        create_schedule(services, install_id, create_input(), actor=ADMIN)


def test_a_refused_change_of_an_admin_is_rolled_back(world: World, schedule: Schedule) -> None:
    def refuse(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            raise client_error("AccessDeniedException", call.operation)

    world.calls.before = refuse
    with pytest.raises(Exception, match="Schedule not updated"):
        WRITES["update"](world, schedule, ADMIN)
    world.calls.before = None

    current = get_schedule(world.services, schedule.install_id, schedule.id)
    assert current.definition == schedule.definition
    install = world.services.installs.read_install(schedule.install_id)
    assert install is not None
    assert len(install.writes) == 1
