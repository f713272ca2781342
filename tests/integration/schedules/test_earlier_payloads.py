"""A large payload that an earlier release has stored in the schedule's row is moved when the row is next written."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from scheduling.domain.exact_json import dumps
from scheduling.domain.ids import MAX_INLINE_PAYLOAD_BYTES, InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule, list_schedules
from scheduling.operations.schedules.update import update_schedule

from tests.support.faults.broken_rows import set_attribute
from tests.support.oracles.audit import Audit
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.fires import execute_fire, next_hourly_fire
from tests.support.stacks.world import (
    ADMIN,
    World,
    create_input,
    on_moto_and_memory,
    once_on_moto,
    update_input,
)

pytestmark = [on_moto_and_memory, once_on_moto]
TEXT = f'["{"x" * MAX_INLINE_PAYLOAD_BYTES}"]'


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    schedule = create_schedule(world.services, install_id, create_input(name="earlier"))
    set_attribute(f"INSTALL#{install_id}", f"SCHEDULE#{schedule.id}", "payload", {"S": TEXT})
    return schedule


def is_moved(world: World, schedule: Schedule) -> bool:
    """Return whether the payload has an item of its own; fail unless it is stored once."""
    (row,) = world.scan_rows_of_type(schedule.install_id, "schedule")
    items = world.scan_rows_of_type(schedule.install_id, "payload")
    assert ("payload" in row, "payloadDigest" in row) in ((True, False), (False, True))
    assert [row["payload"]] if "payload" in row else [each["payload"] for each in items] == [TEXT]
    return bool(items)


def update_name(world: World, schedule: Schedule) -> None:
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(name="other"))


def fire(world: World, schedule: Schedule) -> None:
    execute_fire(world.services, world.runner, next_hourly_fire(world, schedule))
    assert world.runner.executions[-1].schedule.definition.payload == TEXT


@pytest.mark.parametrize("write", [update_name, fire], ids=["update", "fire"])
def test_owner_s_update_or_a_fire_moves_the_payload(
    world: World, audit: Audit, schedule: Schedule, write: Callable[[World, Schedule], None]
) -> None:
    audit.publish_new_events()

    write(world, schedule)

    assert is_moved(world, schedule)
    assert get_schedule(world.services, schedule.install_id, schedule.id).definition.payload == TEXT
    events = audit.publish_new_events()
    assert [event.detail["payloadChanged"] for event in events] == [False] * (write is update_name)
    assert_consistent(world)


def test_reads_and_propagation_leave_the_payload_where_it_is(world: World, schedule: Schedule) -> None:
    assert get_schedule(world.services, schedule.install_id, schedule.id).definition.payload == TEXT
    (shown,) = list_schedules(world.services, schedule.install_id, limit=5).schedules
    assert shown.definition.payload == TEXT
    for enabled in (False, True):
        set_install_enabled(world.services, schedule.install_id, enabled=enabled, actor=ADMIN)

    assert not is_moved(world, schedule)
    assert_consistent(world)


@pytest.mark.parametrize("payload", [None, {"a": 1}], ids=["none", "small"])
def test_update_of_what_a_fire_has_moved_meanwhile_leaves_no_item(
    world: World, schedule: Schedule, payload: object
) -> None:
    """The update has read the payload in the row."""
    services, ids = world.services, (schedule.install_id, schedule.id)
    before = services.schedules.read_snapshot_with_payload(*ids).schedule
    assert before is not None
    text = None if payload is None else dumps(payload)
    definition = replace(before.definition, payload=text)
    fire(world, schedule)

    services.schedules.replace_schedule(before, before.with_definition(definition, world.clock[0]))

    assert world.scan_rows_of_type(schedule.install_id, "payload") == []
    assert_consistent(world)


def test_delete_of_what_a_fire_has_moved_meanwhile_leaves_no_item(world: World, schedule: Schedule) -> None:
    before = world.services.schedules.read_snapshot(schedule.install_id, schedule.id).schedule
    assert before is not None
    fire(world, schedule)

    world.services.schedules.replace_schedule(before, None)

    assert world.scan_rows_of_type(schedule.install_id, "payload") == []


def test_payload_that_an_earlier_release_has_changed_is_the_newer_one(
    world: World, install_id: InstallId
) -> None:
    """While a deployment is under way, or after one is rolled back, an update may leave the item as it is."""
    payload = ["y" * MAX_INLINE_PAYLOAD_BYTES]
    schedule = create_schedule(world.services, install_id, create_input(name="mixed", payload=payload))
    set_attribute(f"INSTALL#{install_id}", f"SCHEDULE#{schedule.id}", "payload", {"S": TEXT})

    assert get_schedule(world.services, install_id, schedule.id).definition.payload == TEXT
    update_name(world, schedule)

    assert get_schedule(world.services, install_id, schedule.id).definition.payload == TEXT
    assert is_moved(world, schedule)
    assert_consistent(world)
