"""An extension manages its own install's schedules and nothing else."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from tests.support.policies.isolation import (
    ADMIN_ROUTES,
    EXTENSION_ROUTES,
    RUN_ROUTE,
    IsolationScene,
    Route,
    bearer_headers,
    create_scene,
    issue_install_token,
)
from tests.support.stacks.local_stack import ApiInstall, LocalStack, assert_problem


@pytest.fixture(scope="module")
def scene(shared_stack: LocalStack) -> Iterator[IsolationScene]:
    with create_scene(shared_stack) as scene:
        yield scene


REAL_TIME = pytest.mark.local_only("functions in containers use the real time")
CALLERS = (
    "no token",
    "wrong token",
    "other install's token",
    "expired token",
    "disabled install",
    "capability revoked",
    "other tenant's schedule",
    "other tenant's schedule with a callback token",
)
CASES = [
    pytest.param(
        route, caller, id=f"{name}-{caller}", marks=REAL_TIME if caller.endswith("callback token") else ()
    )
    for name, route in EXTENSION_ROUTES.items()
    for caller in CALLERS
    if route.foreign or not caller.startswith("other tenant")
]


@pytest.mark.parametrize(("route", "caller"), CASES)
def test_unauthorized_caller_is_refused_and_changes_nothing(
    scene: IsolationScene, route: Route, caller: str
) -> None:
    sender = scene.callers[caller]
    before = scene.read_state()

    response = scene.send_request(route, sender)

    assert response.status_code == (sender.status or route.foreign), response.text
    assert "a secret" not in response.text
    if sender.code:
        assert response.json()["code"] == sender.code
    if not sender.status:
        assert response.json() == {"schedule": None} if route.foreign == 200 else _is_not_found(response)
    assert scene.read_state() == before


def _is_not_found(response: httpx.Response) -> bool:
    body = response.json()
    return (body["code"], body.get("detail") or body["error"]) == ("NOT_FOUND", "Schedule not found")


@pytest.mark.parametrize(
    ("caller", "status", "code"),
    [
        ("disabled install", 409, "NOT_RUNNABLE"),
        ("capability revoked", 403, "CAPABILITY_DENIED"),
    ],
)
def test_platform_cannot_run_a_schedule_that_may_not_fire(
    scene: IsolationScene, caller: str, status: int, code: str
) -> None:
    before = scene.read_state()

    response = scene.send_request(RUN_ROUTE, scene.callers[caller])

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert scene.read_state() == before


@pytest.mark.parametrize("name", ADMIN_ROUTES)
def test_platform_must_name_a_schedule_with_its_install(scene: IsolationScene, name: str) -> None:
    before = scene.read_state()

    response = scene.send_request(ADMIN_ROUTES[name], scene.callers["other tenant's schedule"])

    assert response.status_code == 404
    assert _is_not_found(response)
    assert scene.read_state() == before


@REAL_TIME
@pytest.mark.parametrize("name", EXTENSION_ROUTES)
def test_own_token_is_accepted_on_every_route(scene: IsolationScene, name: str) -> None:
    """The control of the test above: none of its refusals has another reason."""
    install = scene.stack.register_install()
    schedule_id = install.create_schedule(cron="15 * * * *")
    headers = bearer_headers(issue_install_token(scene.stack, install, scene.stack.read_clock()))
    caller = replace(scene.callers["no token"], headers=headers, install=install, schedule_id=schedule_id)

    assert scene.send_request(EXTENSION_ROUTES[name], caller).status_code in (200, 201, 204)


def test_lists_contain_only_own_schedules(stack: LocalStack, install: ApiInstall) -> None:
    own_schedule = install.create_schedule()
    other = stack.register_install(tenantId="tenant-2")
    other_schedule = other.create_schedule()

    assert [s["id"] for s in install.call_callback("list").json()["schedules"]] == [own_schedule]
    assert [s["id"] for s in stack.api.get(f"{other.path}/schedules").json()["schedules"]] == [other_schedule]


def test_cursor_of_another_install_is_refused(stack: LocalStack, install: ApiInstall) -> None:
    for _ in range(3):
        install.create_schedule(payload=["secret"])
    other = stack.register_install(tenantId="tenant-2")
    cursor = stack.api.get(f"{install.path}/schedules", params={"limit": 1}).json()["nextCursor"]

    response = stack.api.get(f"{other.path}/schedules", params={"cursor": cursor})

    assert_problem(response, 400, "VALIDATION_FAILED")
    assert response.json()["fieldErrors"] == {"cursor": "Invalid cursor"}


@pytest.mark.local_only("one test of the quota is enough in containers")
def test_names_and_quotas_are_per_install(stack: LocalStack, install: ApiInstall) -> None:
    for number in range(50):
        install.create_schedule(name=f"schedule {number}", enabled=False)
    neighbour = stack.register_install()

    for number in range(3):
        neighbour.create_schedule(name=f"schedule {number}")


def test_uninstall_does_not_affect_other_installs(stack: LocalStack, install: ApiInstall) -> None:
    neighbour = stack.register_install()
    neighbour_schedule, deleted_schedule = (
        neighbour.create_schedule(name="same"),
        install.create_schedule(name="same"),
    )

    assert stack.api.delete(f"/admin/v1/installs/{install.id}").status_code == 204

    assert install.read_timer(deleted_schedule) is None
    assert neighbour.read_timer(neighbour_schedule) is not None
    assert install.read_rows() == []
    assert install.call_callback("list").status_code == 404
    assert [s["id"] for s in neighbour.call_callback("list").json()["schedules"]] == [neighbour_schedule]
