"""An extension manages its own install's schedules and nothing else."""

import pytest

from tests.support.local_stack import ApiInstall, LocalStack

CASES = [
    pytest.param(
        "POST", "/api/internal/ext-scheduler/install/{i}", {"operation": "get"}, 200, id="callback get"
    ),
    pytest.param(
        "POST",
        "/api/internal/ext-scheduler/install/{i}",
        {"operation": "update", "enabled": False},
        400,
        id="callback update",
    ),
    pytest.param(
        "POST", "/api/internal/ext-scheduler/install/{i}", {"operation": "delete"}, 400, id="callback delete"
    ),
    pytest.param("GET", "/v1/installs/{i}/schedules/{s}", None, 404, id="get"),
    pytest.param("PATCH", "/v1/installs/{i}/schedules/{s}", {"enabled": False}, 404, id="update"),
    pytest.param("DELETE", "/v1/installs/{i}/schedules/{s}", None, 404, id="delete"),
    pytest.param("GET", "/v1/installs/{i}/schedules/{s}/runs", None, 404, id="runs"),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), CASES)
@pytest.mark.parametrize("tenant", ["tenant-1", "tenant-2"])
def test_another_installs_schedule_is_not_found_and_not_changed(
    stack: LocalStack,
    install: ApiInstall,
    tenant: str,
    method: str,
    path: str,
    body: dict[str, object],
    status: int,
) -> None:
    schedule_id = install.created(name="mine", payload=["secret"])
    stack.travel("PT1H")
    stranger = stack.register(tenantId=tenant)
    rows, timer = install.rows(), install.timer(schedule_id)

    if body and "operation" in body:
        body = {**body, "scheduleId": schedule_id}
    answer = stack.api.request(method, path.format(i=stranger.id, s=schedule_id), json=body)

    assert answer.status_code == status
    assert "secret" not in answer.text
    if status == 200:
        assert answer.json() == {"schedule": None}
    else:
        assert (answer.json()["code"], "Schedule not found") == (
            "NOT_FOUND",
            answer.json().get("detail") or answer.json()["error"],
        )
    assert install.rows() == rows
    assert {**(install.timer(schedule_id) or {}), "ResponseMetadata": None} == {
        **(timer or {}),
        "ResponseMetadata": None,
    }


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
