"""The list of installs over HTTP (contract, section 3)."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scheduling.domain.ids import InstallId
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.schedules.create import create_schedule

from tests.support.faults.broken_rows import set_attribute
from tests.support.stacks.functions import Context, deploy_functions, http_event, load_function
from tests.support.stacks.world import ADMIN, TENANT, World, create_input, on_moto_and_memory, once_on_moto

pytestmark = [on_moto_and_memory, once_on_moto]
ListInstalls = Callable[..., dict[str, Any]]
IDS = [InstallId(f"install-{number}") for number in range(3)]


@pytest.fixture
def list_installs(world: World) -> Iterator[ListInstalls]:
    for install_id in IDS:
        world.register_install(install_id)
    world.register_install(InstallId("of-another"), tenantId="tenant-2")
    with deploy_functions(world):
        handler = load_function("installs").handler

        def call(status: int = 200, **query: str) -> dict[str, Any]:
            response = handler(http_event(query=query), Context())
            assert response["statusCode"] == status
            return dict(json.loads(response["body"]))

        yield call


def ids_of(body: dict[str, Any]) -> list[str]:
    return [install["installId"] for install in body["installs"]]


def test_an_install_is_listed_with_its_extension_state_and_count(
    world: World, list_installs: ListInstalls
) -> None:
    create_schedule(world.services, IDS[0], create_input())
    set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)

    first = list_installs(tenant=TENANT)["installs"][0]

    assert (first["installId"], first["tenantId"]) == (IDS[0], TENANT)
    assert (first["extensionName"], first["extensionVersion"]) == ("sample", "1.0.0")
    assert (first["enabled"], first["paused"], first["scheduleCount"]) == (True, True, 1)
    assert not first.keys() & {"config", "secretEnvelope"}


@pytest.mark.parametrize("query", [{"tenant": TENANT}, {}], ids=["one tenant", "all tenants"])
def test_pages_list_each_install_once(list_installs: ListInstalls, query: dict[str, str]) -> None:
    listed: list[str] = []
    body = list_installs(limit="2", **query)
    listed += ids_of(body)
    while body["nextCursor"]:
        body = list_installs(limit="2", cursor=body["nextCursor"], **query)
        listed += ids_of(body)

    assert sorted(listed) == [*IDS, *([] if query else ["of-another"])]


def test_a_page_of_a_tenant_is_two_requests(world: World, list_installs: ListInstalls) -> None:
    world.calls.recorded.clear()

    list_installs(tenant=TENANT)

    assert world.calls.operation_names() == ["Query", "BatchGetItem"]


def test_an_unreadable_install_is_listed_with_its_reason(list_installs: ListInstalls) -> None:
    set_attribute(f"INSTALL#{IDS[1]}", "INSTALL", "registryId", {"N": "5"})

    installs = list_installs(tenant=TENANT)["installs"]

    assert [install.get("unreadable") for install in installs] == [None, "registryId is not of type S", None]


def test_an_install_that_is_another_tenants_by_now_is_not_listed(list_installs: ListInstalls) -> None:
    set_attribute(f"INSTALL#{IDS[1]}", "INSTALL", "tenantId", {"S": "tenant-2"})

    assert ids_of(list_installs(tenant=TENANT)) == [IDS[0], IDS[2]]


def test_an_install_of_an_earlier_release_has_no_name_until_it_is_registered_again(
    world: World, list_installs: ListInstalls
) -> None:
    for name in ("extensionName", "extensionVersion"):
        set_attribute(f"INSTALL#{IDS[0]}", "INSTALL", name, None)
    assert list_installs(tenant=TENANT)["installs"][0]["extensionName"] is None

    world.register_install(IDS[0])

    assert list_installs(tenant=TENANT)["installs"][0]["extensionName"] == "sample"


def test_a_cursor_of_another_list_and_a_malformed_tenant_are_refused(list_installs: ListInstalls) -> None:
    cursor = list_installs(tenant=TENANT, limit="1")["nextCursor"]

    assert list_installs(400, tenant="tenant-2", cursor=cursor)["fieldErrors"] == {"cursor": "Invalid cursor"}
    assert list_installs(400, cursor=cursor)["fieldErrors"] == {"cursor": "Invalid cursor"}
    assert list_installs(400, tenant="é")["fieldErrors"] == {
        "tenant": "tenant must be 1 to 128 visible ASCII characters"
    }
    assert list_installs(tenant="unknown") == {"installs": [], "nextCursor": None}
