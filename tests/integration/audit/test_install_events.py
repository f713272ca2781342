"""The events that operations on installs cause by the rows that they write."""

from collections.abc import Callable

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.schedules.create import create_schedule

from tests.support.oracles.audit import MOVER_ROLE_ARN, Audit, move_install
from tests.support.stacks.world import ADMIN, TENANT, World, create_input, on_moto_and_memory, once_on_moto

pytestmark = [on_moto_and_memory, once_on_moto]
ROLE = ADMIN.removeprefix("admin:")


@pytest.fixture
def schedule(world: World, audit: Audit, install_id: InstallId) -> Schedule:
    schedule = create_schedule(world.services, install_id, create_input(name="hourly", payload=[1]))
    audit.publish_new_events()
    return schedule


def test_registration_causes_one_event(world: World, audit: Audit) -> None:
    install_id = world.register_install()
    world.register_install(install_id)

    (event,) = audit.publish_new_events()
    assert str(event) == "InstallRegistered by admin"
    assert event.detail["actor"] == {"kind": "admin", "principal": ROLE}
    assert (event.detail["installId"], event.detail["tenantId"]) == (install_id, TENANT)


def test_move_to_a_version_without_an_endpoint_names_it_and_the_disabled_schedule(
    world: World, audit: Audit, schedule: Schedule
) -> None:
    move_install(world, schedule.install_id)

    moved, disabled = audit.publish_new_events()
    assert str(moved) == "InstallMoved by admin"
    assert moved.detail["actor"]["principal"] == MOVER_ROLE_ARN
    assert moved.changes == {
        "versionId": ("version-1", "version-2"),
        "extensionVersion": ("1.0.0", "2.0.0"),
    }
    assert moved.detail["dropped"] == ["POST /api/sync"]
    assert str(disabled) == "ScheduleUpdated by admin"
    assert disabled.changes == {
        "enabled": (True, False),
        "disabledReason": (None, "Version version-2 has no endpoint POST /api/sync"),
        "revision": (1, 2),
    }


@pytest.mark.parametrize(
    ("act", "changes"),
    [
        pytest.param(
            lambda world, install_id: set_install_enabled(
                world.services, install_id, enabled=False, actor=ADMIN
            ),
            {"enabled": (True, False)},
            id="disabled",
        ),
        pytest.param(
            lambda world, _: set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN),
            {"paused": (False, True)},
            id="paused",
        ),
        pytest.param(
            lambda world, install_id: world.register_install(install_id, config={"other": 1}),
            {},
            id="configuration",
        ),
    ],
)
def test_install_change_causes_one_event_and_none_of_its_schedules(
    world: World,
    audit: Audit,
    schedule: Schedule,
    act: Callable[[World, InstallId], object],
    changes: dict[str, object],
) -> None:
    act(world, schedule.install_id)

    (event,) = audit.publish_new_events()
    assert str(event) == "InstallChanged by admin"
    assert event.changes == changes


def test_deletion_causes_an_event_for_the_install_and_each_schedule(
    world: World, audit: Audit, schedule: Schedule
) -> None:
    create_schedule(world.services, schedule.install_id, create_input(enabled=False))
    audit.publish_new_events()

    delete_install(world.services, schedule.install_id, actor=ADMIN)

    events = audit.publish_new_events()
    assert [str(event) for event in events] == [
        "InstallDeleted by admin",
        "ScheduleDeleted by admin",
        "ScheduleDeleted by admin",
    ]
    assert {(event.detail["tenantId"], event.detail["actor"]["principal"]) for event in events} == {
        (TENANT, ROLE)
    }
