"""One-time schedules over HTTP (contract, section 4)."""

from datetime import timedelta

import pytest

from tests.support.stacks.local_stack import ApiInstall, LocalStack, fire_statuses
from tests.support.stacks.scripted_runner import extension_response

pytestmark = pytest.mark.local_only("functions in containers use the real time")


def in_minutes(stack: LocalStack, minutes: int) -> str:
    return f"at({stack.read_clock() + timedelta(minutes=minutes):%Y-%m-%dT%H:%M})"


def test_a_one_time_schedule_fires_once_and_is_gone_later(stack: LocalStack, install: ApiInstall) -> None:
    cron = in_minutes(stack, 10)
    schedule_id = install.create_schedule(cron=cron, name="reminder")
    timer = install.read_timer(schedule_id)
    assert timer is not None
    assert (timer["ScheduleExpression"], timer["ActionAfterCompletion"]) == (f"{cron[:-1]}:00)", "DELETE")

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["success"]

    completed = install.read_schedule(schedule_id)
    assert (completed["enabled"], completed["disabledReason"]) == (False, "completed")
    assert (completed["lastRunStatus"], "pending" in completed) == ("success", False)
    assert install.read_timer(schedule_id) is None
    (run,) = install.list_runs(schedule_id)
    assert run["status"] == "success"
    assert install.create_schedule(name="reminder", cron="0 0 1 1 *") != schedule_id

    run_now = stack.api.post(f"/admin/v1/installs/{install.id}/schedules/{schedule_id}/run")
    assert run_now.status_code == 202

    stack.advance_clock("P31D")
    path = f"{install.path}/schedules/{schedule_id}"
    assert stack.api.get(path).status_code == 404


def test_a_one_time_schedule_that_fails_for_good_is_completed(stack: LocalStack, install: ApiInstall) -> None:
    stack.runner.respond = lambda _request: extension_response(503)
    schedule_id = install.create_schedule(cron=in_minutes(stack, 10))
    assert fire_statuses(stack.advance_clock("PT11M"), schedule_id) == ["error"]
    assert install.read_schedule(schedule_id)["enabled"] is True

    stack.advance_clock("PT30M")

    assert install.read_schedule(schedule_id)["disabledReason"] == "completed"


def test_a_tenant_paused_over_its_time_misses_it(stack: LocalStack) -> None:
    install = stack.register_install(tenantId="tenant-paused-once")
    schedule_id = install.create_schedule(cron=in_minutes(stack, 10))
    stack.api.post("/admin/v1/tenants/tenant-paused-once/pause").raise_for_status()
    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == []
    stack.api.post("/admin/v1/tenants/tenant-paused-once/resume").raise_for_status()

    (run,) = install.list_runs(schedule_id)
    assert run["status"] == "missed"
    assert run["error"] == "Its install was disabled, or its tenant paused, at its time"
    assert install.read_schedule(schedule_id)["disabledReason"] == "completed"
