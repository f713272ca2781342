"""A large payload is in an item of its own: what shows it, what writes it, and what deletes it."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from scheduling.domain.errors import Unavailable
from scheduling.domain.ids import MAX_INLINE_PAYLOAD_BYTES, InstallId, ScheduleId
from scheduling.domain.requests.idempotency import IdempotencyKey
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.tenants import list_tenant_schedules
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_schedules
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import fail_timer_calls
from tests.support.faults.broken_rows import set_attribute
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

pytestmark = on_moto_and_memory
LARGE = ["x" * MAX_INLINE_PAYLOAD_BYTES]
LARGER = ["y" * 99_000]
SMALL = {"a": 1}


def dump(payload: object) -> str | None:
    return None if payload is None else json.dumps(payload, separators=(",", ":"))


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, create_input(name="large", payload=LARGE))


def read_row(world: World, schedule: Schedule) -> Mapping[str, Any]:
    (row,) = [
        each
        for each in world.scan_rows_of_type(schedule.install_id, "schedule")
        if each["sk"].endswith(schedule.id)
    ]
    return row


def read_payload_rows(world: World, install_id: InstallId) -> list[Mapping[str, Any]]:
    return list(world.scan_rows_of_type(install_id, "payload"))


def list_written_rows(world: World) -> list[str]:
    """Return the sort keys of all rows that the recorded calls write, by the first words."""
    keys = []
    for call in world.calls.recorded:
        steps = call.arguments.get("TransactItems") or [{"": call.arguments}]
        if call.operation not in ("BatchGetItem", "Query") and call.service == "dynamodb":
            written = [next(iter(step.values())) for step in steps]
            keys += [(each.get("Key") or each["Item"])["sk"]["S"] for each in written]
    return keys


@pytest.mark.parametrize(
    ("size", "is_moved"), [(MAX_INLINE_PAYLOAD_BYTES, False), (MAX_INLINE_PAYLOAD_BYTES + 1, True)]
)
def test_payload_has_an_item_of_its_own_from_a_size_on(
    world: World, install_id: InstallId, size: int, is_moved: bool
) -> None:
    payload = ["x" * (size - 4)]

    created = create_schedule(world.services, install_id, create_input(payload=payload))

    row = read_row(world, created)
    assert ("payloadDigest" in row, "payload" in row) == (is_moved, not is_moved)
    assert [each["payload"] for each in read_payload_rows(world, install_id)] == [dump(payload)] * is_moved
    assert_consistent(world)


def test_size_is_counted_in_bytes(world: World, install_id: InstallId) -> None:
    created = create_schedule(world.services, install_id, create_input(payload=["é" * 300]))

    assert "payloadDigest" in read_row(world, created)
    payload = show_by_get(world, created).definition.payload
    assert payload is not None
    assert json.loads(payload) == ["é" * 300]


def show_by_get(world: World, schedule: Schedule) -> Schedule:
    return get_schedule(world.services, schedule.install_id, schedule.id)


def show_by_list(world: World, schedule: Schedule) -> Schedule:
    (shown,) = list_schedules(world.services, schedule.install_id, limit=1).schedules
    return shown


def show_by_whole_list(world: World, schedule: Schedule) -> Schedule:
    (shown,) = list_schedules(world.services, schedule.install_id).schedules
    return shown


def show_by_tenant(world: World, _schedule: Schedule) -> Schedule:
    ((_, shown),) = list_tenant_schedules(world.services, TENANT, limit=5, max_bytes=10**9).schedules
    return shown


def show_by_update(world: World, schedule: Schedule) -> Schedule:
    return update_schedule(
        world.services, schedule.install_id, schedule.id, update_input(cron="7 * * * *", name="other")
    )


def show_to_runner(world: World, schedule: Schedule) -> Schedule:
    execute_fire(world.services, world.runner, next_hourly_fire(world, schedule))
    return world.runner.executions[-1].schedule


VIEWS: dict[str, Callable[[World, Schedule], Schedule]] = {
    "get": show_by_get,
    "list": show_by_list,
    "whole list": show_by_whole_list,
    "tenant's list": show_by_tenant,
    "update": show_by_update,
    "fire": show_to_runner,
}


@once_on_moto
@pytest.mark.parametrize("view", VIEWS)
def test_each_view_shows_the_payload(world: World, schedule: Schedule, view: str) -> None:
    assert VIEWS[view](world, schedule).definition.payload == dump(LARGE)


def test_repeated_create_returns_the_payload(world: World, install_id: InstallId) -> None:
    key = IdempotencyKey("key", "hash")
    results = [
        create_schedule(world.services, install_id, create_input(payload=LARGE), key).definition.payload
        for _ in range(2)
    ]

    assert results == [dump(LARGE)] * 2
    assert len(read_payload_rows(world, install_id)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"cron": "5 * * * *", "name": "other"}, id="rule and name"),
        pytest.param({"enabled": False}, id="disable"),
        pytest.param({"payload": LARGE}, id="same payload"),
    ],
)
def test_update_of_other_fields_does_not_write_the_payload(
    world: World, schedule: Schedule, fields: dict[str, object]
) -> None:
    world.calls.recorded.clear()

    update_schedule(world.services, schedule.install_id, schedule.id, update_input(**fields))

    assert not any(key.endswith("#PAYLOAD") for key in list_written_rows(world))
    assert show_by_get(world, schedule).definition.payload == dump(LARGE)
    assert_consistent(world)


def test_fire_does_not_write_the_payload(world: World, schedule: Schedule) -> None:
    world.calls.recorded.clear()

    show_to_runner(world, schedule)

    assert {key.partition("#")[0] for key in list_written_rows(world)} == {"RUN", "SCHEDULE"}
    assert not any(key.endswith("#PAYLOAD") for key in list_written_rows(world))


@pytest.mark.parametrize("after", [None, SMALL, LARGE, LARGER], ids=["none", "small", "large", "larger"])
@pytest.mark.parametrize("before", [None, SMALL, LARGE, LARGER], ids=["none", "small", "large", "larger"])
def test_update_replaces_the_payload(
    world: World, install_id: InstallId, before: object, after: object
) -> None:
    schedule = create_schedule(world.services, install_id, create_input(payload=before))

    updated = update_schedule(world.services, install_id, schedule.id, update_input(payload=after))

    assert updated.definition.payload == dump(after)
    assert show_by_get(world, schedule).definition.payload == dump(after)
    assert_consistent(world)


@pytest.mark.parametrize("after", [None, SMALL, LARGER], ids=["none", "small", "larger"])
@pytest.mark.parametrize("before", [None, SMALL, LARGE], ids=["none", "small", "large"])
def test_refused_update_restores_the_payload(
    world: World, install_id: InstallId, before: object, after: object
) -> None:
    schedule = create_schedule(world.services, install_id, create_input(payload=before))
    world.calls.before = fail_timer_calls

    with pytest.raises(Unavailable):
        update_schedule(
            world.services, install_id, schedule.id, update_input(cron="5 * * * *", payload=after)
        )

    world.calls.before = None
    world.advance(seconds=61)
    assert show_by_get(world, schedule).definition.payload == dump(before)
    update_schedule(world.services, install_id, schedule.id, update_input(enabled=False))
    assert show_by_get(world, schedule).definition.payload == dump(before)
    assert_consistent(world)


@pytest.mark.parametrize("enabled", [True, False], ids=["with timer", "without timer"])
def test_delete_deletes_the_payload(world: World, install_id: InstallId, enabled: bool) -> None:
    schedule = create_schedule(world.services, install_id, create_input(payload=LARGE, enabled=enabled))

    delete_schedule(world.services, install_id, schedule.id)

    assert read_payload_rows(world, install_id) == []
    assert_consistent(world)


def test_uninstall_deletes_the_payloads(world: World, schedule: Schedule) -> None:
    orphan = ScheduleId("01a20745-4897-4f81-a91e-a0d09962b8d6")
    put_payload(schedule.install_id, orphan)

    delete_install(world.services, schedule.install_id, actor=ADMIN)

    assert world.scan_rows(schedule.install_id) == []


def put_payload(install_id: InstallId, schedule_id: ScheduleId) -> None:
    """Store a payload that no schedule names."""
    for name, text in {"type": "payload", "payload": "[1]", "digest": "d"}.items():
        set_attribute(f"INSTALL#{install_id}", f"SCHEDULE#{schedule_id}#PAYLOAD", name, {"S": text})


def test_pages_of_large_and_small_payloads_have_each_schedule_once(
    world: World, install_id: InstallId
) -> None:
    payloads: list[object] = [LARGE, SMALL, None, LARGER, LARGE, SMALL, LARGE]
    created = []
    for payload in payloads:
        created.append(create_schedule(world.services, install_id, create_input(payload=payload)))
        world.advance(seconds=1)

    for limit in range(1, len(payloads) + 1):
        world.calls.recorded.clear()
        pages = list(read_pages(world, install_id, limit))
        shown = [schedule for page in pages for schedule in page]
        assert [each.id for each in shown] == [each.id for each in created]
        assert [each.definition.payload for each in shown] == list(map(dump, payloads))
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        assert world.calls.operation_names().count("Query") == len(pages)


def test_page_of_a_tenant_takes_two_requests(world: World, install_id: InstallId) -> None:
    other_id = world.register_install()
    for number in range(24):
        payload = SMALL if number % 3 else LARGE
        create_schedule(
            world.services,
            (install_id, other_id)[number % 2],
            create_input(name=f"{number}", payload=payload),
        )
    world.calls.recorded.clear()

    page = list_tenant_schedules(world.services, TENANT, limit=50, max_bytes=10**9)

    assert world.calls.operation_names() == ["Query", "BatchGetItem"]
    assert sorted(str(each.definition.payload) for _, each in page.schedules) == sorted(
        str(dump(SMALL if number % 3 else LARGE)) for number in range(24)
    )


def test_page_of_a_tenant_has_as_many_schedules_as_one_read_takes(
    world: World, install_id: InstallId
) -> None:
    for number in range(50):
        create_schedule(world.services, install_id, create_input(name=f"{number}", payload=LARGE))

    first = list_tenant_schedules(world.services, TENANT, limit=50, max_bytes=10**9)
    second = list_tenant_schedules(world.services, TENANT, after=first.next_after, limit=50, max_bytes=10**9)

    assert (len(first.schedules), len(second.schedules), second.next_after) == (49, 1, None)


def test_page_ends_at_its_bytes_of_payload(world: World, install_id: InstallId) -> None:
    for _ in range(3):
        create_schedule(world.services, install_id, create_input(payload=LARGER))

    page = list_schedules(world.services, install_id, limit=50, max_bytes=150_000)

    assert (len(page.schedules), page.next_after) == (2, page.schedules[1].id)
    assert page.payload_bytes > 150_000


def read_pages(world: World, install_id: InstallId, limit: int) -> Iterator[list[Schedule]]:
    after = None
    while True:
        page = list_schedules(world.services, install_id, after=after, limit=limit)
        yield list(page.schedules)
        after = page.next_after
        if after is None:
            return
