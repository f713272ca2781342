"""Spreads over HTTP: a fire within the window, by its scheduled time (contract, sections 4 and 5)."""

from datetime import datetime, timedelta

import httpx
import pytest

from tests.support.stacks.local_stack import (
    HOURLY_SCHEDULE,
    ApiInstall,
    LocalStack,
    assert_problem,
    fire_statuses,
)

pytestmark = pytest.mark.local_only("functions in containers use the real time")

SMALL_GAP_ERROR = "spreadMinutes must be less than 10, the smallest gap between two fires in minutes"


def create(stack: LocalStack, path: str, **fields: object) -> httpx.Response:
    return stack.api.post(f"{path}/schedules", json={**HOURLY_SCHEDULE, **fields})


@pytest.mark.parametrize("prefix", ["/v1", "/admin/v1"], ids=["resource API", "admin API"])
def test_a_schedule_fires_within_its_window_by_its_scheduled_time(
    stack: LocalStack, install: ApiInstall, prefix: str
) -> None:
    path = f"{prefix}/installs/{install.id}"
    created = create(stack, path, spreadMinutes=45)
    assert (created.status_code, created.json()["spreadMinutes"]) == (201, 45)
    schedule_id = created.json()["id"]
    timer = install.read_timer(schedule_id)
    assert timer is not None
    assert timer["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 45}
    next_fire = created.json()["nextFireAt"]

    fired = [each for each in stack.advance_clock("PT75M") if each["scheduleId"] == schedule_id]

    assert fire_statuses(fired, schedule_id)[0] == "success"
    assert fired[0]["scheduledTime"] == next_fire
    run = install.list_runs(schedule_id)[-1]
    assert run["scheduledTime"] == next_fire
    delay = datetime.fromisoformat(run["startedAt"]) - datetime.fromisoformat(next_fire)
    assert timedelta() <= delay < timedelta(minutes=46)

    url = f"{path}/schedules/{schedule_id}"
    too_small = stack.api.patch(url, json={"cron": "*/10 * * * *"})
    assert assert_problem(too_small, 400, "VALIDATION_FAILED")["fieldErrors"] == {
        "spreadMinutes": SMALL_GAP_ERROR
    }
    cleared = stack.api.patch(url, json={"cron": "*/10 * * * *", "spreadMinutes": None})
    assert (cleared.status_code, "spreadMinutes" in cleared.json()) == (200, False)
    changed_timer = install.read_timer(schedule_id)
    assert changed_timer is not None
    assert changed_timer["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_the_callback_ignores_a_spread_but_keeps_that_of_others(
    stack: LocalStack, install: ApiInstall
) -> None:
    schedule_id = install.create_schedule(spreadMinutes="unknown here")
    assert "spreadMinutes" not in install.read_schedule(schedule_id)
    stack.api.patch(f"{install.path}/schedules/{schedule_id}", json={"spreadMinutes": 45}).raise_for_status()

    assert (
        install.call_callback("update", scheduleId=schedule_id, name="n", spreadMinutes=0).status_code == 200
    )
    refused = install.call_callback("update", scheduleId=schedule_id, cron="*/10 * * * *")

    assert install.read_schedule(schedule_id)["spreadMinutes"] == 45
    assert (refused.status_code, refused.json()) == (
        400,
        {
            "success": False,
            "error": SMALL_GAP_ERROR,
            "fieldErrors": {"spreadMinutes": SMALL_GAP_ERROR},
            "code": "VALIDATION_FAILED",
        },
    )
