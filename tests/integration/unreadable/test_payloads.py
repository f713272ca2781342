"""A payload's item is missing, damaged or another's: the schedule says so, never runs, and can be corrected."""

from collections.abc import Callable
from typing import Any

import pytest
from scheduling.domain.errors import Unavailable
from scheduling.domain.ids import MAX_INLINE_PAYLOAD_BYTES, InstallId
from scheduling.domain.runs import RunStatus, SkipReason
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.tenants import list_tenant_schedules
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_schedules
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, fail_timer_calls
from tests.support.faults.broken_rows import set_attribute
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.fires import execute_fire, list_history, next_hourly_fire
from tests.support.stacks.world import TABLE, TENANT, World, aws_client, create_input, update_input

LARGE = ["x" * MAX_INLINE_PAYLOAD_BYTES]
LARGER = ["y" * 2 * MAX_INLINE_PAYLOAD_BYTES]
LARGE_TEXT = f'["{LARGE[0]}"]'


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    create_schedule(world.services, install_id, create_input(name="before", payload=LARGE))
    schedule = create_schedule(world.services, install_id, create_input(name="damaged", payload=LARGE))
    create_schedule(world.services, install_id, create_input(name="after", payload=LARGE))
    return schedule


def delete_item(schedule: Schedule) -> None:
    key = {
        "pk": {"S": f"INSTALL#{schedule.install_id}"},
        "sk": {"S": f"SCHEDULE#{schedule.id}#PAYLOAD"},
    }
    aws_client("dynamodb").delete_item(TableName=TABLE, Key=key)


def set_item(name: str, value: dict[str, Any] | None) -> Callable[[Schedule], None]:
    return lambda schedule: set_attribute(
        f"INSTALL#{schedule.install_id}", f"SCHEDULE#{schedule.id}#PAYLOAD", name, value
    )


def set_digest_as_number(schedule: Schedule) -> None:
    key = f"INSTALL#{schedule.install_id}", f"SCHEDULE#{schedule.id}"
    set_attribute(*key, "payloadDigest", {"N": "1"})


DAMAGES: dict[str, tuple[Callable[[Schedule], None], str]] = {
    "missing": (delete_item, "payload is missing"),
    "another's": (set_item("digest", {"S": "other"}), "payload is not the schedule's"),
    "no digest": (set_item("digest", None), "payload is not the schedule's"),
    "as number": (set_item("payload", {"N": "1"}), "payload is not of type S"),
    "no text": (set_item("payload", None), "payload is missing"),
    "digest as number": (set_digest_as_number, "payloadDigest is not of type S"),
}
damages = pytest.mark.parametrize("damage", DAMAGES)


@damages
def test_reads_say_what_is_wrong_and_show_the_other_schedules(
    world: World, schedule: Schedule, damage: str
) -> None:
    damage_schedule, reason = DAMAGES[damage]
    damage_schedule(schedule)

    shown = get_schedule(world.services, schedule.install_id, schedule.id)
    listed = list_schedules(world.services, schedule.install_id, limit=50).schedules

    assert (shown.unreadable, shown.definition.payload) == (reason, None)
    assert [each.unreadable for each in listed] == [None, reason, None]
    assert [each.definition.payload for each in listed] == [LARGE_TEXT, None, LARGE_TEXT]


@damages
def test_fire_is_skipped_with_the_reason(world: World, schedule: Schedule, damage: str) -> None:
    damage_schedule, reason = DAMAGES[damage]
    damage_schedule(schedule)

    result = execute_fire(world.services, world.runner, next_hourly_fire(world, schedule))

    assert result is SkipReason.UNREADABLE
    assert world.runner.executions == []
    (run,) = list_history(world, schedule)
    assert run.status is RunStatus.SKIPPED
    assert run.error is not None
    assert reason in run.error


@damages
@pytest.mark.parametrize("payload", [LARGE, [1], None], ids=["the same", "small", "none"])
def test_owner_stores_the_payload_anew(
    world: World, schedule: Schedule, damage: str, payload: list[object] | None
) -> None:
    DAMAGES[damage][0](schedule)

    update_schedule(world.services, schedule.install_id, schedule.id, update_input(payload=payload))

    shown = get_schedule(world.services, schedule.install_id, schedule.id)
    expected = {str(LARGE): LARGE_TEXT, "[1]": "[1]", "None": None}[str(payload)]
    assert (shown.unreadable, shown.definition.payload) == (None, expected)
    assert_consistent(world)


@damages
def test_owner_deletes_the_schedule_with_its_payload(world: World, schedule: Schedule, damage: str) -> None:
    DAMAGES[damage][0](schedule)

    delete_schedule(world.services, schedule.install_id, schedule.id)

    assert schedule.id not in {
        each.id for each in list_schedules(world.services, schedule.install_id).schedules
    }
    assert_consistent(world)


@damages
def test_rolled_back_correction_leaves_neither_its_payload_nor_an_orphan(
    world: World, schedule: Schedule, damage: str
) -> None:
    DAMAGES[damage][0](schedule)
    world.calls.before = fail_timer_calls

    with pytest.raises(Unavailable):
        update_schedule(
            world.services, schedule.install_id, schedule.id, update_input(cron="5 * * * *", payload=LARGER)
        )

    world.calls.before = None
    world.advance(seconds=61)
    assert reconcile(world.services).failed == 0
    shown = get_schedule(world.services, schedule.install_id, schedule.id)
    assert (shown.definition.cron, shown.definition.payload) == ("0 * * * *", None)
    rows = world.scan_rows_of_type(schedule.install_id, "payload")
    assert not any(schedule.id in row["sk"] for row in rows)


def tear_reads(world: World, schedule: Schedule, count: int) -> None:
    """Let the next reads find an item that the row does not name yet."""
    left = [count]
    newer, own = set_item("digest", {"S": "newer"}), set_item("digest", {"S": str(schedule.payload_digest)})

    def tear(call: Call) -> None:
        if call.operation in ("BatchGetItem", "Query"):
            world.calls.before = None
            (newer if left[0] > 0 else own)(schedule)
            left[0] -= 1
            world.calls.before = tear

    world.calls.before = tear


def read_by_get(world: World, schedule: Schedule) -> str | None:
    return get_schedule(world.services, schedule.install_id, schedule.id).definition.payload


def read_by_list(world: World, schedule: Schedule) -> str | None:
    return list_schedules(world.services, schedule.install_id, limit=50).schedules[1].definition.payload


def read_by_tenant(world: World, _schedule: Schedule) -> str | None:
    page = list_tenant_schedules(world.services, TENANT, limit=50, max_bytes=10**9)
    return page.schedules[1][1].definition.payload


def read_by_fire(world: World, schedule: Schedule) -> str | None:
    execute_fire(world.services, world.runner, next_hourly_fire(world, schedule))
    return world.runner.executions[-1].schedule.definition.payload


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    "read",
    [read_by_get, read_by_list, read_by_tenant, read_by_fire],
    ids=["get", "list", "tenant's list", "fire"],
)
def test_read_that_a_write_has_torn_is_repeated(
    world: World, schedule: Schedule, read: Callable[[World, Schedule], str | None], count: int
) -> None:
    tear_reads(world, schedule, count)

    assert read(world, schedule) == LARGE_TEXT
