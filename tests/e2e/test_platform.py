"""The platform's side over HTTP (contract, section 3)."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.support.stacks.local_stack import ApiInstall, LocalStack, wait_for
from tests.support.stacks.scripted_runner import extension_response
from tests.support.stacks.world import registration_body


def registration_with_endpoints(*endpoints: tuple[str, str], **fields: object) -> dict[str, Any]:
    """Build the body that moves an install to a version with only these endpoints."""
    body = registration_body(versionId=f"version-{uuid4()}", **fields)
    declared = [{"method": method, "path": path, "handler": "h"} for method, path in endpoints]
    body["manifest"] = {**body["manifest"], "version": "2.0.0", "api": {"endpoints": declared}}
    return body


def test_move_without_a_used_endpoint_names_each_schedule_and_changes_nothing(
    stack: LocalStack, install: ApiInstall
) -> None:
    first, second = (
        install.create_schedule(),
        install.create_schedule(endpoint="GET /api/both", enabled=False),
    )
    before = install.read_rows()

    response = stack.api.put(f"/admin{install.path}", json=registration_with_endpoints(("POST", "/api/both")))

    assert response.status_code == 409
    assert response.json()["code"] == "SCHEDULE_REMAP_FAILED"
    assert response.json()["missing"] == [
        {"scheduleId": first, "endpoint": "POST /api/sync"},
        {"scheduleId": second, "endpoint": "GET /api/both"},
    ]
    assert install.read_rows() == before


def test_move_can_disable_schedules_without_endpoint(stack: LocalStack, install: ApiInstall) -> None:
    lacking, unaffected = install.create_schedule(), install.create_schedule(endpoint="GET /api/both")
    disabled_schedule = install.create_schedule(endpoint="GET /api/both", enabled=False)

    response = stack.api.put(
        f"/admin{install.path}",
        params={"onMissingEndpoint": "disable"},
        json=registration_with_endpoints(("GET", "/api/both")),
    )

    assert response.status_code == 200, response.text
    assert response.json()["disabled"] == [{"scheduleId": lacking, "endpoint": "POST /api/sync"}]
    schedule = install.read_schedule(lacking)
    assert schedule["enabled"] is False
    assert schedule["disabledReason"].endswith("has no endpoint POST /api/sync")
    assert [install.read_schedule(each)["enabled"] for each in (unaffected, disabled_schedule)] == [
        True,
        False,
    ]
    assert [bool(install.read_timer(each)) for each in (lacking, unaffected, disabled_schedule)] == [
        False,
        True,
        False,
    ]


def test_dry_run_reports_and_writes_nothing(stack: LocalStack, install: ApiInstall) -> None:
    schedule = install.create_schedule()
    before, timer = install.read_rows(), install.read_timer(schedule)
    body = registration_with_endpoints(("GET", "/api/both"))

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
    assert install.read_rows() == before
    assert (install.read_timer(schedule) or {})["ScheduleExpression"] == (timer or {})["ScheduleExpression"]


@pytest.mark.parametrize(
    ("query", "field", "text"),
    [
        ({"onMissingEndpoint": "drop"}, "onMissingEndpoint", "onMissingEndpoint must be reject or disable"),
        ({"dryRun": "yes"}, "dryRun", "dryRun must be false or true"),
    ],
)
def test_unknown_query_parameter_is_refused(
    stack: LocalStack, install: ApiInstall, query: dict[str, str], field: str, text: str
) -> None:
    response = stack.api.put(f"/admin{install.path}", params=query, json=registration_body())

    assert response.status_code == 400
    assert response.json()["fieldErrors"] == {field: text}


def test_disabled_install_keeps_its_schedules_and_fires_none(stack: LocalStack, install: ApiInstall) -> None:
    schedule = install.create_schedule()

    disabled = stack.api.post(f"/admin{install.path}/disable")
    assert (disabled.status_code, disabled.json()["enabled"]) == (200, False)
    assert stack.advance_clock("PT2H") == []
    assert install.call_callback("list").status_code == 404

    enabled = stack.api.post(f"/admin{install.path}/enable")
    assert (enabled.status_code, enabled.json()["enabled"]) == (200, True)
    assert [each["scheduleId"] for each in stack.advance_clock("PT1H")] == [schedule]


def test_paused_tenant_fires_nothing_and_is_not_caught_up_after_resume(stack: LocalStack) -> None:
    tenant = f"tenant {uuid4()}".replace(" ", "-")
    installs = [stack.register_install(tenantId=tenant) for _ in range(3)]
    schedules = [each.create_schedule() for each in installs]
    stack.register_install().create_schedule()

    paused = stack.api.post(f"/admin/v1/tenants/{tenant}/pause")
    late_install = stack.register_install(tenantId=tenant)
    schedules.append(late_install.create_schedule())
    schedules.append(installs[0].create_schedule(name="created while paused"))

    assert (paused.status_code, paused.json()) == (
        200,
        {"tenantId": tenant, "paused": True, "installs": 3, "complete": True},
    )
    assert {each["scheduleId"] for each in stack.advance_clock("PT1H")}.isdisjoint(schedules)

    resumed = stack.api.post(f"/admin/v1/tenants/{tenant}/resume")
    assert (resumed.status_code, resumed.json()["paused"]) == (200, False)
    assert {each["scheduleId"] for each in stack.advance_clock("PT1H")} >= set(schedules)


def test_schedules_of_a_tenant_are_listed_in_pages(stack: LocalStack) -> None:
    tenant = f"tenant-{uuid4()}"
    installs = [stack.register_install(tenantId=tenant) for _ in range(3)]
    expected = {each.create_schedule(name=f"{number}"): each.id for each in installs for number in range(3)}
    stack.api.post(f"/admin{installs[0].path}/disable")

    listed: dict[str, str] = {}
    cursor, sizes = None, []
    while True:
        query = {"limit": "4", **({"cursor": cursor} if cursor else {})}
        page = stack.api.get(f"/admin/v1/tenants/{tenant}/schedules", params=query).json()
        listed |= {each["id"]: each["installId"] for each in page["schedules"]}
        sizes.append(len(page["schedules"]))
        if (cursor := page["nextCursor"]) is None:
            break

    assert listed == expected
    assert sizes == [4, 4, 1]
    assert stack.api.get("/admin/v1/tenants/nobody/schedules").json() == {"schedules": [], "nextCursor": None}


def test_triggered_run_is_listed_as_manual(stack: LocalStack, install: ApiInstall) -> None:
    schedule = install.create_schedule(payload={"n": 1})
    path = f"/admin{install.path}/schedules/{schedule}/run"

    first = stack.api.post(path, headers={"idempotency-key": "once"})
    wait_for(lambda: install.list_runs(schedule), lambda runs: bool(runs) and runs[0]["status"] == "success")
    second = stack.api.post(path, headers={"idempotency-key": "once"})

    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    (run,) = install.list_runs(schedule)
    assert (run["trigger"], run["scheduledTime"]) == ("manual", first.json()["scheduledTime"])
    assert install.read_schedule(schedule)["lastRunStatus"] == "success"


@pytest.mark.local_only("functions in containers use the real time")
def test_manual_run_during_another_run_is_skipped(stack: LocalStack, install: ApiInstall) -> None:
    schedule = install.create_schedule()
    path = f"/admin{install.path}/schedules/{schedule}/run"

    def run_another(_request: Any) -> Any:
        stack.runner.respond = lambda _: extension_response()
        stack.api.post(path)
        wait_for(lambda: install.list_runs(schedule), lambda runs: len(runs) == 2)
        return extension_response()

    stack.runner.respond = run_another
    stack.advance_clock("PT1H")

    manual, scheduled = sorted(install.list_runs(schedule), key=lambda run: str(run["trigger"]))
    assert (manual["status"], scheduled["status"]) == ("skipped", "success")
    assert manual["error"] == "The previous run was still under way"


@pytest.mark.local_only("functions in containers use the real time")
def test_a_backfill_runs_past_occurrences_once(stack: LocalStack, install: ApiInstall) -> None:
    schedule = install.create_schedule(payload={"n": 1})
    path = f"/admin{install.path}/schedules/{schedule}/backfill"
    now = stack.read_clock().replace(minute=0, second=0, microsecond=0)
    body = {"from": (now - timedelta(hours=2)).isoformat(), "to": now.isoformat(), "which": "all"}
    times = [f"{now - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in (2, 1, 0)]

    too_long = {**body, "from": (now - timedelta(hours=100)).isoformat()}
    refusal = stack.api.post(path, json=too_long)
    assert (refusal.status_code, refusal.json()["detail"]) == (
        400,
        "The period has 101 occurrences (max 100)",
    )
    dry_run = stack.api.post(path, json={**body, "dryRun": True})
    assert (dry_run.status_code, dry_run.json()["scheduledTimes"]) == (200, times)
    assert install.list_runs(schedule) == []
    response = stack.api.post(path, json=body)
    assert (response.status_code, response.json()["scheduledTimes"]) == (202, times)
    assert stack.api.post(path, json=body).json()["code"] == "BACKFILL_IN_PROGRESS"
    stack.advance_clock("PT1M")

    runs = {run["scheduledTime"]: run for run in install.list_runs(schedule) if run["trigger"] == "backfill"}
    assert [runs[time]["status"] for time in times] == ["success"] * 3
    bodies = [each.body for each in stack.runner.requests if each.body["context"]["schedule_id"] == schedule]
    headers = [body["http"]["headers"] for body in bodies if body["context"]["scheduled_for"] in times]
    assert {body["context"]["trigger"] for body in bodies} == {"schedule"}
    assert [each["x-alga-trigger"] for each in headers] == ["backfill"] * 3
    again = stack.api.post(path, json=body).json()
    assert (again["scheduledTimes"], [each["status"] for each in again["leftOut"]]) == ([], ["success"] * 3)


@pytest.mark.parametrize(
    ("reason", "status", "code", "text"),
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
        pytest.param("deleted", 404, "NOT_FOUND", "Schedule not found", id="schedule deleted"),
    ],
)
def test_run_of_unrunnable_schedule_is_refused(
    stack: LocalStack, install: ApiInstall, reason: str, status: int, code: str, text: str
) -> None:
    schedule = install.create_schedule(enabled=reason != "schedule")
    if reason == "install":
        stack.api.post(f"/admin{install.path}/disable")
    if reason == "capability":
        stack.register_install(install.id, grantedCapabilities=[])
    if reason == "deleted":
        install.call_callback("delete", scheduleId=schedule)

    response = stack.api.post(f"/admin{install.path}/schedules/{schedule}/run")

    assert (response.status_code, response.json()["code"], response.json()["detail"]) == (status, code, text)


def test_deleting_an_install_frees_its_id_and_keeps_its_tenant(stack: LocalStack) -> None:
    tenant = f"tenant-{uuid4()}"
    install = stack.register_install(tenantId=tenant)
    schedule = install.create_schedule()

    assert stack.api.delete(f"/admin{install.path}").status_code == 204
    assert stack.api.delete(f"/admin{install.path}").status_code == 404
    assert install.read_rows() == []
    assert install.read_timer(schedule) is None
    assert stack.api.get(f"/admin/v1/tenants/{tenant}/schedules").json()["schedules"] == []
    assert stack.register_install(install.id, tenantId="another").create_schedule()
