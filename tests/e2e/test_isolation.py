"""An extension manages its own install's schedules and nothing else."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from tests.support.isolation import EXTENSIONS, RUN, Route, Scene, bearer, scene_on
from tests.support.local_stack import ApiInstall, LocalStack


@pytest.fixture(scope="module")
def scene(shared_stack: LocalStack) -> Iterator[Scene]:
    with scene_on(shared_stack) as scene:
        yield scene


REAL_TIME = pytest.mark.local_only("functions in containers keep the real time")
CALLERS = (
    "no token",
    "wrong token",
    "other install's token",
    "expired token",
    "disabled install",
    "capability revoked",
    "other tenant's schedule",
    "other tenant's schedule with a token of one's own",
)
TABLE = [
    pytest.param(route, caller, id=f"{name}-{caller}", marks=REAL_TIME if caller.endswith("own") else ())
    for name, route in EXTENSIONS.items()
    for caller in CALLERS
    if route.foreign or not caller.startswith("other tenant")
]


@pytest.mark.parametrize(("route", "caller"), TABLE)
def test_whoever_may_not_is_told_so_and_changes_nothing(scene: Scene, route: Route, caller: str) -> None:
    asking = scene.callers[caller]
    before = scene.state()

    answer = scene.ask(route, asking)

    assert answer.status_code == (asking.status or route.foreign), answer.text
    assert "a secret" not in answer.text
    if asking.code:
        assert answer.json()["code"] == asking.code
    if not asking.status:
        assert answer.json() == {"schedule": None} if route.foreign == 200 else _not_found(answer)
    assert scene.state() == before


def _not_found(answer: httpx.Response) -> bool:
    body = answer.json()
    return (body["code"], body.get("detail") or body["error"]) == ("NOT_FOUND", "Schedule not found")


@pytest.mark.parametrize(
    ("caller", "status", "code"),
    [
        ("disabled install", 409, "NOT_RUNNABLE"),
        ("capability revoked", 403, "CAPABILITY_DENIED"),
        ("other tenant's schedule", 404, "NOT_FOUND"),
    ],
)
def test_the_platform_runs_nothing_of_them_either(scene: Scene, caller: str, status: int, code: str) -> None:
    before = scene.state()

    answer = scene.ask(RUN, scene.callers[caller])

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert scene.state() == before


@REAL_TIME
@pytest.mark.parametrize("name", EXTENSIONS)
def test_a_token_of_ones_own_opens_every_route(scene: Scene, name: str) -> None:
    """So that none of the refusals above is for another reason."""
    install = scene.stack.register()
    schedule_id = install.created(cron="15 * * * *")
    headers = bearer(scene.stack, install, scene.stack.now())
    caller = replace(scene.callers["no token"], headers=headers, install=install, schedule_id=schedule_id)

    assert scene.ask(EXTENSIONS[name], caller).status_code in (200, 201, 204)


def test_lists_hold_ones_own(stack: LocalStack, install: ApiInstall) -> None:
    mine = install.created()
    stranger = stack.register(tenantId="tenant-2")
    theirs = stranger.created()

    assert [s["id"] for s in install.call("list").json()["schedules"]] == [mine]
    assert [s["id"] for s in stack.api.get(f"{stranger.path}/schedules").json()["schedules"]] == [theirs]


def test_a_cursor_of_another_install_shows_nothing_of_it(stack: LocalStack, install: ApiInstall) -> None:
    for _ in range(3):
        install.created(payload=["secret"])
    stranger = stack.register(tenantId="tenant-2")
    cursor = stack.api.get(f"{install.path}/schedules", params={"limit": 1}).json()["nextCursor"]

    answer = stack.api.get(f"{stranger.path}/schedules", params={"cursor": cursor})

    assert answer.json() == {"schedules": [], "nextCursor": None}


@pytest.mark.local_only("one test of the quota is enough there")
def test_names_and_quotas_are_the_installs_own(stack: LocalStack, install: ApiInstall) -> None:
    for number in range(50):
        install.created(name=f"schedule {number}", enabled=False)
    neighbour = stack.register()

    for number in range(3):
        neighbour.created(name=f"schedule {number}")


def test_an_uninstall_leaves_the_neighbours_alone(stack: LocalStack, install: ApiInstall) -> None:
    neighbour = stack.register()
    kept, gone = neighbour.created(name="same"), install.created(name="same")

    assert stack.api.delete(f"/admin/v1/installs/{install.id}").status_code == 204

    assert install.timer(gone) is None
    assert neighbour.timer(kept) is not None
    assert install.rows() == []
    assert install.call("list").status_code == 404
    assert [s["id"] for s in neighbour.call("list").json()["schedules"]] == [kept]
