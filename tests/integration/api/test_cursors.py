"""Every cursor is bound to the list that returned it."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.schedule import Schedule
from scheduling.domain.tenant import TenantCursor
from scheduling.domain.views import cursor_scope, encode_cursor
from scheduling.operations.schedules.create import create_schedule

from tests.support.stacks.fires import execute_fire, next_hourly_fire
from tests.support.stacks.functions import Context, deploy_functions, http_event, load_function
from tests.support.stacks.world import TENANT, World, create_input

pytestmark = pytest.mark.parametrize("world", ["memory"], indirect=True)
OTHER_TENANT = "tenant-2"
INVALID_CURSOR = {"cursor": "Invalid cursor"}
FIRST_ID = ScheduleId("0" * 8 + "-0000-4000-8000-" + "0" * 12)


@dataclass(frozen=True)
class Scene:
    """Two schedules of an install, one of another install of its tenant, and one of another tenant's."""

    own: Schedule
    second: Schedule
    neighbour: Schedule
    foreign: Schedule

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """All of them."""
        return self.own, self.second, self.neighbour, self.foreign


@pytest.fixture
def scene(world: World) -> Iterator[Scene]:
    installs = [world.register_install(InstallId(f"install-{number}")) for number in (1, 2)]
    installs.append(world.register_install(InstallId("install-3"), tenantId=OTHER_TENANT))
    own, second, neighbour, foreign, *_ = (
        create_schedule(world.services, install_id, create_input(payload=["secret"]))
        for install_id in (installs[0], installs[0], *installs[1:], *installs[1:])
    )
    for _ in range(2):
        for schedule in (own, second, neighbour, foreign):
            execute_fire(world.services, world.runner, next_hourly_fire(world, schedule))
    with deploy_functions(world):
        yield Scene(own, second, neighbour, foreign)


@dataclass(frozen=True)
class PagedRoute:
    """A function that lists, and the path of its list of which a schedule is a part."""

    operation: str
    path: Callable[[Schedule], Mapping[str, str]]

    def list_page(self, schedule: Schedule, **query: str) -> tuple[int, dict[str, Any]]:
        """Return status and body of a page."""
        event = http_event(query=query) | {"pathParameters": self.path(schedule)}
        response = load_function(self.operation).handler(event, Context())
        return response["statusCode"], json.loads(response["body"])

    def read_cursor(self, schedule: Schedule) -> str:
        """Return the cursor after the first item."""
        return str(self.list_page(schedule, limit="1")[1]["nextCursor"])


ROUTES = {
    "list": PagedRoute("list", lambda schedule: {"installId": schedule.install_id}),
    "runs": PagedRoute(
        "runs", lambda schedule: {"installId": schedule.install_id, "scheduleId": schedule.id}
    ),
    "tenant_schedules": PagedRoute("tenant_schedules", lambda schedule: {"tenantId": schedule.tenant_id}),
}
all_routes = pytest.mark.parametrize("name", ROUTES)


@all_routes
def test_own_cursor_continues_with_any_limit(scene: Scene, name: str) -> None:
    route = ROUTES[name]
    cursor = route.read_cursor(scene.own)

    for limit in ("1", "2", "50"):
        status, page = route.list_page(scene.own, cursor=cursor, limit=limit)
        assert status == 200
        assert page["runs" if name == "runs" else "schedules"]


@all_routes
def test_cursor_of_any_other_list_is_refused(scene: Scene, name: str) -> None:
    route = ROUTES[name]
    own_path = route.path(scene.own)
    refused = 0
    for other in ROUTES.values():
        for schedule in scene.schedules:
            if other is route and other.path(schedule) == own_path:
                continue
            status, problem = route.list_page(scene.own, cursor=other.read_cursor(schedule))
            assert (status, problem.get("fieldErrors")) == (400, INVALID_CURSOR), (other, schedule)
            refused += 1
    assert refused >= len(ROUTES) * len(scene.schedules) - 3


def change_character(cursor: str, index: int) -> str:
    return f"{cursor[:index]}{'A' if cursor[index] != 'A' else 'B'}{cursor[index + 1 :]}"


@all_routes
def test_no_tampered_cursor_reveals_another_list(scene: Scene, name: str) -> None:
    """One whose position alone was changed is still bound to its own list, and may start anywhere in it."""
    route = ROUTES[name]
    cursor = route.read_cursor(scene.own)

    for index in range(len(cursor)):
        status, page = route.list_page(scene.own, cursor=change_character(cursor, index))
        assert status in (200, 400)
        if status == 400:
            assert page["fieldErrors"] == INVALID_CURSOR
        elif name == "tenant_schedules":
            assert {each["installId"] for each in page["schedules"]} <= {"install-1", "install-2"}
        elif name == "list":
            assert {each["id"] for each in page["schedules"]} <= {scene.own.id, scene.second.id}


@all_routes
@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param("", id="empty"),
        pytest.param("!", id="no base64"),
        pytest.param("é\ud800", id="lone surrogate"),
        pytest.param(base64.b64encode(b"\xff\xfe").decode(), id="not UTF-8"),
        pytest.param("A" * 5_000_000, id="huge"),
    ],
)
def test_garbage_is_refused(scene: Scene, name: str, cursor: str) -> None:
    status, problem = ROUTES[name].list_page(scene.own, cursor=cursor)

    assert (status, problem["fieldErrors"]) == (400, INVALID_CURSOR)


def test_forged_cursor_into_another_tenants_install_reveals_nothing(scene: Scene) -> None:
    """Anyone can write a cursor, whose scope protects from mistakes only; the list is the tenant's from anywhere."""
    position = TenantCursor(scene.foreign.install_id, FIRST_ID, "0").position
    cursor = str(encode_cursor(cursor_scope("tenant-schedules", TENANT), position))

    status, page = ROUTES["tenant_schedules"].list_page(scene.own, cursor=cursor)

    assert (status, page) == (200, {"schedules": [], "nextCursor": None})
