"""The platform's side over HTTP (contract, section 3)."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.support.local_stack import ApiInstall, LocalStack
from tests.support.scripted_runner import extension_answer
from tests.support.world import registration_body


def version_2(*endpoints: tuple[str, str], **fields: object) -> dict[str, Any]:
    """A body that moves to a version with these endpoints alone."""
    body = registration_body(versionId=f"version-{uuid4()}", **fields)
    declared = [{"method": method, "path": path, "handler": "h"} for method, path in endpoints]
    body["manifest"] = {**body["manifest"], "version": "2.0.0", "api": {"endpoints": declared}}
    return body


def eventually(look: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """What is seen once it is as wanted: a run that nobody waits for takes its time."""
    deadline = time.monotonic() + 20
    while not wanted(seen := look()):
        assert time.monotonic() < deadline, seen
    return seen


def test_a_move_without_a_used_endpoint_names_each_schedule_and_changes_nothing(
    stack: LocalStack, install: ApiInstall
) -> None:
    first, second = install.created(), install.created(endpoint="GET /api/both", enabled=False)
    before = install.rows()

    answer = stack.api.put(f"/admin{install.path}", json=version_2(("POST", "/api/both")))

    assert answer.status_code == 409
    assert answer.json()["code"] == "SCHEDULE_REMAP_FAILED"
    assert answer.json()["missing"] == [
        {"scheduleId": first, "endpoint": "POST /api/sync"},
        {"scheduleId": second, "endpoint": "GET /api/both"},
    ]
    assert install.rows() == before


def test_a_move_may_disable_what_lacks_its_endpoint(stack: LocalStack, install: ApiInstall) -> None:
    gone, kept = install.created(), install.created(endpoint="GET /api/both")
    off = install.created(endpoint="GET /api/both", enabled=False)

    answer = stack.api.put(
        f"/admin{install.path}", params={"onMissingEndpoint": "disable"}, json=version_2(("GET", "/api/both"))
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["disabled"] == [{"scheduleId": gone, "endpoint": "POST /api/sync"}]
    shown = install.schedule(gone)
    assert shown["enabled"] is False
    assert shown["disabledReason"].endswith("has no endpoint POST /api/sync")
    assert [install.schedule(each)["enabled"] for each in (kept, off)] == [True, False]
    assert [bool(install.timer(each)) for each in (gone, kept, off)] == [False, True, False]


def test_a_dry_run_tells_and_writes_nothing(stack: LocalStack, install: ApiInstall) -> None:
    schedule = install.created()
    before, timer = install.rows(), install.timer(schedule)
    body = version_2(("GET", "/api/both"))

    refused = stack.api.put(f"/admin{install.path}", params={"dryRun": "true"}, json=body)
    disabled = stack.api.put(
        f"/admin{install.path}", params={"dryRun": "true", "onMissingEndpoint": "disable"}, json=body
    )
    new = stack.api.put(f"/admin/v1/installs/{uuid4()}", params={"dryRun": "true"}, json=body)

    assert (refused.status_code, refused.json()["code"]) == (409, "SCHEDULE_REMAP_FAILED")
    assert disabled.json()["disabled"] == [{"scheduleId": schedule, "endpoint": "POST /api/sync"}]
    assert (disabled.json()["dryRun"], disabled.json()["versionId"]) == (True, body["versionId"])
    assert (new.status_code, new.json()["dryRun"]) == (201, True)
    assert stack.api.get(new.request.url.path).status_code == 404
    assert install.rows() == before
    assert (install.timer(schedule) or {})["ScheduleExpression"] == (timer or {})["ScheduleExpression"]


@pytest.mark.parametrize(
    ("query", "field", "text"),
    [
        ({"onMissingEndpoint": "drop"}, "onMissingEndpoint", "onMissingEndpoint must be reject or disable"),
        ({"dryRun": "yes"}, "dryRun", "dryRun must be false or true"),
    ],
)
def test_an_unknown_choice_is_refused(
    stack: LocalStack, install: ApiInstall, query: dict[str, str], field: str, text: str
) -> None:
    answer = stack.api.put(f"/admin{install.path}", params=query, json=registration_body())

    assert answer.status_code == 400
    assert answer.json()["fieldErrors"] == {field: text}


def test_a_disabled_install_keeps_its_schedules_and_fires_none(
    stack: LocalStack, install: ApiInstall
) -> None:
    schedule = install.created()

    disabled = stack.api.post(f"/admin{install.path}/disable")
    assert (disabled.status_code, disabled.json()["enabled"]) == (200, False)
    assert stack.travel("PT2H") == []
    assert install.call("list").status_code == 404

    enabled = stack.api.post(f"/admin{install.path}/enable")
    assert (enabled.status_code, enabled.json()["enabled"]) == (200, True)
    assert [each["scheduleId"] for each in stack.travel("PT1H")] == [schedule]


def test_a_paused_tenant_fires_nothing_and_what_comes_meanwhile_neither(stack: LocalStack) -> None:
    tenant = f"tenant {uuid4()}".replace(" ", "-")
    installs = [stack.register(tenantId=tenant) for _ in range(3)]
    schedules = [each.created() for each in installs]
    stack.register().created()

    paused = stack.api.post(f"/admin/v1/tenants/{tenant}/pause")
    later = stack.register(tenantId=tenant)
    schedules.append(later.created())
    schedules.append(installs[0].created(name="made while paused"))

    assert (paused.status_code, paused.json()) == (
        200,
        {"tenantId": tenant, "paused": True, "installs": 3, "complete": True},
    )
    assert {each["scheduleId"] for each in stack.travel("PT1H")}.isdisjoint(schedules)

    resumed = stack.api.post(f"/admin/v1/tenants/{tenant}/resume")
    assert (resumed.status_code, resumed.json()["paused"]) == (200, False)
    assert {each["scheduleId"] for each in stack.travel("PT1H")} >= set(schedules)


def test_a_tenants_schedules_are_listed_page_by_page(stack: LocalStack) -> None:
    tenant = f"tenant-{uuid4()}"
    installs = [stack.register(tenantId=tenant) for _ in range(3)]
    wanted = {each.created(name=f"{number}"): each.id for each in installs for number in range(3)}
    stack.api.post(f"/admin{installs[0].path}/disable")

    found: dict[str, str] = {}
    cursor, sizes = None, []
    while True:
        query = {"limit": "4", **({"cursor": cursor} if cursor else {})}
        page = stack.api.get(f"/admin/v1/tenants/{tenant}/schedules", params=query).json()
        found |= {each["id"]: each["installId"] for each in page["schedules"]}
        sizes.append(len(page["schedules"]))
        if (cursor := page["nextCursor"]) is None:
            break

    assert found == wanted
    assert sizes == [4, 4, 1]
    assert stack.api.get("/admin/v1/tenants/nobody/schedules").json() == {"schedules": [], "nextCursor": None}


def test_a_schedule_is_run_now_and_shown_as_manual(stack: LocalStack, install: ApiInstall) -> None:
    schedule = install.created(payload={"n": 1})
    path = f"/admin{install.path}/schedules/{schedule}/run"

    first = stack.api.post(path, headers={"idempotency-key": "once"})
    eventually(lambda: install.runs(schedule), lambda runs: bool(runs) and runs[0]["status"] == "success")
    again = stack.api.post(path, headers={"idempotency-key": "once"})

    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    (run,) = install.runs(schedule)
    assert (run["trigger"], run["scheduledTime"]) == ("manual", first.json()["scheduledTime"])
    assert install.schedule(schedule)["lastRunStatus"] == "success"


@pytest.mark.local_only("functions in containers keep the real time")
def test_a_manual_run_beside_another_is_skipped(stack: LocalStack, install: ApiInstall) -> None:
    schedule = install.created()
    path = f"/admin{install.path}/schedules/{schedule}/run"

    def run_another(_asked: Any) -> Any:
        stack.runner.answer = lambda _: extension_answer()
        stack.api.post(path)
        eventually(lambda: install.runs(schedule), lambda runs: len(runs) == 2)
        return extension_answer()

    stack.runner.answer = run_another
    stack.travel("PT1H")

    manual, scheduled = sorted(install.runs(schedule), key=lambda run: str(run["trigger"]))
    assert (manual["status"], scheduled["status"]) == ("skipped", "success")
    assert manual["error"] == "The previous run was still under way"


@pytest.mark.parametrize(
    ("before", "status", "code", "text"),
    [
        pytest.param("install", 409, "NOT_RUNNABLE", "The install is disabled", id="install disabled"),
        pytest.param("schedule", 409, "NOT_RUNNABLE", "The schedule is disabled", id="schedule disabled"),
        pytest.param(
            "capability",
            403,
            "CAPABILITY_DENIED",
            "Capability not granted: cap:scheduler.manage",
            id="capability revoked",
        ),
        pytest.param("deleted", 404, "NOT_FOUND", "Schedule not found", id="no such schedule"),
    ],
)
def test_what_would_not_be_run_is_not_accepted(
    stack: LocalStack, install: ApiInstall, before: str, status: int, code: str, text: str
) -> None:
    schedule = install.created(enabled=before != "schedule")
    if before == "install":
        stack.api.post(f"/admin{install.path}/disable")
    if before == "capability":
        stack.register(install.id, grantedCapabilities=[])
    if before == "deleted":
        install.call("delete", scheduleId=schedule)

    answer = stack.api.post(f"/admin{install.path}/schedules/{schedule}/run")

    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (status, code, text)


def test_deleting_an_install_frees_its_id_and_leaves_its_tenant(stack: LocalStack) -> None:
    tenant = f"tenant-{uuid4()}"
    install = stack.register(tenantId=tenant)
    schedule = install.created()

    assert stack.api.delete(f"/admin{install.path}").status_code == 204
    assert stack.api.delete(f"/admin{install.path}").status_code == 404
    assert install.rows() == []
    assert install.timer(schedule) is None
    assert stack.api.get(f"/admin/v1/tenants/{tenant}/schedules").json()["schedules"] == []
    assert stack.register(install.id, tenantId="another").created()
