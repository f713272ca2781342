"""A page of a tenant's schedules: one query of the index of tenants, and one read of the rows that it names."""

import json

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import ScheduleState
from scheduling.operations.installs.tenants import list_tenant_schedules
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.store.pynamodb_internals import query_items

from tests.support.faults.broken_rows import set_attribute
from tests.support.stacks.world import (
    TABLE,
    TENANT,
    World,
    aws_client,
    create_input,
    on_moto_and_memory,
    once_on_moto,
)

pytestmark = on_moto_and_memory


def insert_schedules(world: World, counts: list[int], payload: str = "") -> list[str]:
    """Insert an install for each count, with as many schedules, and return the schedules' ids in order."""
    client = aws_client("dynamodb")
    schedule = create_schedule(
        world.services, world.register_install(InstallId("model")), create_input(payload=[payload])
    )
    items = {item["sk"]["S"]: item for item in client.scan(TableName=TABLE)["Items"]}
    install_item = items["INSTALL"]
    schedule_items = [item for key, item in items.items() if key.startswith("SCHEDULE#")]
    for item in schedule_items:
        client.delete_item(TableName=TABLE, Key={name: item[name] for name in ("pk", "sk")})
    ids: list[str] = []
    for number, count in enumerate(counts):
        pk = {"S": f"INSTALL#install-{number:03}"}
        client.put_item(TableName=TABLE, Item={**install_item, "pk": pk})
        for _ in range(count):
            ids.append(f"{schedule.id[:-4]}{len(ids):04}")
            for item in schedule_items:
                sk = {"S": item["sk"]["S"].replace(schedule.id, ids[-1])}
                client.put_item(TableName=TABLE, Item={**item, "pk": pk, "sk": sk})
    return ids


def read_all_pages(world: World, tenant: str, limit: int) -> tuple[list[str], list[int]]:
    """Return the ids of all pages, and the sizes of the pages."""
    ids: list[str] = []
    sizes: list[int] = []
    cursor = None
    while True:
        page = list_tenant_schedules(world.services, tenant, after=cursor, limit=limit, max_bytes=10**6)
        ids += [schedule.id for _, schedule in page.schedules]
        sizes.append(len(page.schedules))
        if (cursor := page.next_after) is None:
            return ids, sizes


def test_tenant_schedules_are_paged_across_installs(world: World) -> None:
    installs = sorted(world.register_install() for _ in range(4))
    created = [
        create_schedule(world.services, install_id, create_input()).id
        for install_id in installs
        for _ in range(3)
        if install_id != installs[1]
    ]

    assert read_all_pages(world, TENANT, 2) == (created, [2, 2, 2, 2, 1])


@once_on_moto
@pytest.mark.parametrize(
    ("schedules_per_install", "limit", "sizes"),
    [
        pytest.param([1] * 60, 50, [50, 10], id="as many installs as schedules"),
        pytest.param([1] * 60, 100, [50, 10], id="no more rows than one read returns"),
        pytest.param([30, 0, 0, 25], 50, [50, 5], id="few installs"),
    ],
)
def test_a_page_takes_two_requests(
    world: World, schedules_per_install: list[int], limit: int, sizes: list[int]
) -> None:
    created = insert_schedules(world, schedules_per_install)
    world.calls.recorded.clear()

    assert read_all_pages(world, TENANT, limit) == (created, sizes)
    assert world.calls.operation_names() == ["Query", "BatchGetItem"] * len(sizes)


def test_payloads_of_their_own_are_read_with_the_page(world: World) -> None:
    payloads = [["small"], ["x" * 1000], None, ["y" * 90_000]]
    for number, payload in enumerate(payloads):
        install_id = world.register_install(InstallId(f"install-{number}"))
        create_schedule(world.services, install_id, create_input(payload=payload))
    world.calls.recorded.clear()

    page = list_tenant_schedules(world.services, TENANT, limit=50, max_bytes=10**6)

    texts = [schedule.definition.payload for _, schedule in page.schedules]
    assert [json.loads(text) if text else None for text in texts] == payloads
    assert world.calls.operation_names() == ["Query", "BatchGetItem"]


def test_a_page_is_shorter_where_payloads_of_their_own_do_not_fit_into_the_read(world: World) -> None:
    created = insert_schedules(world, [1] * 40, payload="x" * 600)
    world.calls.recorded.clear()

    assert read_all_pages(world, TENANT, 50) == (created, [33, 7])
    assert world.calls.operation_names() == ["Query", "BatchGetItem"] * 2


def test_a_payload_that_the_index_does_not_know_yet_is_read_nonetheless(
    world: World, install_id: InstallId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index follows an update that makes a payload large a moment later."""
    schedule = create_schedule(world.services, install_id, create_input(payload=["x" * 1000]))
    monkeypatch.setattr(
        "scheduling.store.tenants.query_items",
        lambda *args, **options: (
            {name: value for name, value in item.items() if name != "payloadDigest"}
            for item in query_items(*args, **options)
        ),
    )

    ((_, listed),) = list_tenant_schedules(world.services, TENANT, limit=50, max_bytes=10**6).schedules

    assert listed.definition.payload == schedule.definition.payload


def test_an_unknown_tenant_takes_one_request(world: World) -> None:
    world.calls.recorded.clear()

    assert read_all_pages(world, "nobody", 50) == ([], [0])
    assert world.calls.operation_names() == ["Query"]


def test_a_cursor_of_a_deleted_schedule_continues(world: World) -> None:
    installs = sorted(world.register_install() for _ in range(2))
    first, second = (create_schedule(world.services, each, create_input()) for each in installs)
    cursor = list_tenant_schedules(world.services, TENANT, limit=1, max_bytes=10**6).next_after
    delete_schedule(world.services, first.install_id, first.id)

    page = list_tenant_schedules(world.services, TENANT, after=cursor, limit=1, max_bytes=10**6)

    assert [schedule.id for _, schedule in page.schedules] == [second.id]
    assert page.next_after is None


def test_schedules_that_are_being_deleted_are_not_listed(world: World, install_id: InstallId) -> None:
    leaving, staying = (create_schedule(world.services, install_id, create_input()) for _ in range(2))
    set_attribute(f"INSTALL#{install_id}", f"SCHEDULE#{leaving.id}", "state", {"S": ScheduleState.DELETING})

    assert read_all_pages(world, TENANT, 1) == ([staying.id], [0, 1])


@pytest.mark.parametrize("lost", ["its install", "its tenant", "another tenant's install"])
def test_what_the_index_alone_still_has_is_not_listed(world: World, install_id: InstallId, lost: str) -> None:
    """The index follows the table a moment later, and a row may name a tenant that its install has left."""
    stale = create_schedule(world.services, install_id, create_input())
    key = f"INSTALL#{install_id}"
    if lost == "its install":
        aws_client("dynamodb").delete_item(TableName=TABLE, Key={"pk": {"S": key}, "sk": {"S": "INSTALL"}})
    elif lost == "its tenant":
        set_attribute(key, f"SCHEDULE#{stale.id}", "tenantId", None)
    else:
        set_attribute(key, "INSTALL", "tenantId", {"S": "tenant-2"})

    assert read_all_pages(world, TENANT, 50)[0] == []
    assert read_all_pages(world, "tenant-2", 50)[0] == []


def test_page_ends_before_the_size_limit(world: World, install_id: InstallId) -> None:
    created = [
        create_schedule(world.services, install_id, create_input(payload=["x" * 1000])).id for _ in range(3)
    ]

    page = list_tenant_schedules(world.services, TENANT, limit=50, max_bytes=1500)

    assert [schedule.id for _, schedule in page.schedules] == created[:2]
    assert page.next_after is not None
    assert (page.next_after.install_id, page.next_after.schedule_id) == (install_id, created[1])
