"""Duplicate, concurrent and outdated deliveries of an occurrence (contract, section 6)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.stacks.local_stack import ApiInstall, LocalStack, fire_statuses
from tests.support.stacks.scripted_runner import RunnerRequest, RunnerResponse, extension_response


def test_occurrence_delivered_repeatedly_runs_once(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    (fired,) = [each for each in stack.advance_clock("PT1H") if each["scheduleId"] == schedule_id]

    with ThreadPoolExecutor(8) as pool:
        redeliveries = list(
            pool.map(lambda _: stack.deliver_occurrence(schedule_id, fired["scheduledTime"]), range(8))
        )

    assert redeliveries == ["duplicate"] * 8
    assert len(stack.runner.requests_for_schedule(schedule_id)) == 1
    assert len(install.list_runs(schedule_id)) == 1


def test_concurrent_deliveries_of_an_occurrence_make_one_call(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    stack.advance_clock("PT1H")
    before = len(stack.runner.requests_for_schedule(schedule_id))

    scheduled_time = stack.future_hour()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: stack.deliver_occurrence(schedule_id, scheduled_time), range(8)))

    assert set(results) <= {"success", "running", "duplicate"}
    assert len(stack.runner.requests_for_schedule(schedule_id)) == before + 1
    assert install.list_runs(schedule_id)[0]["status"] == "success"


@pytest.mark.local_only("a container of `sam local` handles one event at a time")
def test_occurrence_during_a_run_is_skipped(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    stack.advance_clock("PT1H")
    started, released = threading.Event(), threading.Event()

    def respond_late(_request: RunnerRequest) -> RunnerResponse:
        started.set()
        assert released.wait(20)
        return extension_response()

    stack.runner.respond = respond_late
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(stack.deliver_occurrence, schedule_id, stack.future_hour(1))
        assert started.wait(20)
        second = stack.deliver_occurrence(schedule_id, stack.future_hour(2))
        released.set()
        assert first.result() == "success"

    assert second == "skipped"
    skipped = next(
        run for run in install.list_runs(schedule_id) if run["scheduledTime"] == stack.future_hour(2)
    )
    assert (skipped["status"], skipped["error"]) == ("skipped", "The previous run was still under way")


@pytest.mark.parametrize(
    ("stop", "status"),
    [
        pytest.param(
            lambda i, s: i.call_callback("update", scheduleId=s, enabled=False), "skipped", id="disabled"
        ),
        pytest.param(lambda i, s: i.call_callback("delete", scheduleId=s), "unknown", id="deleted"),
        pytest.param(
            lambda i, _: i.stack.register_install(i.id, enabled=False), "skipped", id="install disabled"
        ),
        pytest.param(
            lambda i, _: i.stack.register_install(i.id, grantedCapabilities=[]), "skipped", id="revoked"
        ),
        pytest.param(
            lambda i, _: i.stack.api.delete(f"/admin/v1/installs/{i.id}"), "unknown", id="install deleted"
        ),
    ],
)
def test_stopped_schedule_does_not_run(
    stack: LocalStack, install: ApiInstall, stop: Callable[[ApiInstall, str], object], status: str
) -> None:
    schedule_id = install.create_schedule()
    stack.advance_clock("PT1H")
    before = len(stack.runner.requests_for_schedule(schedule_id))

    stop(install, schedule_id)

    assert stack.deliver_occurrence(schedule_id, stack.future_hour()) == status
    assert len(stack.runner.requests_for_schedule(schedule_id)) == before


def test_changed_schedule_fires_by_its_new_rule_only(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    stack.advance_clock("PT1H")
    install.call_callback("update", scheduleId=schedule_id, cron="7 * * * *")

    fired = [each for each in stack.advance_clock("PT1H") if each["scheduleId"] == schedule_id]

    assert [each["scheduledTime"][14:] for each in fired] == ["07:00Z"]


def test_revoked_capability_keeps_the_timer_and_is_reported(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    stack.register_install(install.id, grantedCapabilities=[])

    assert fire_statuses(stack.advance_clock("PT1H"), schedule_id) == ["skipped"]

    assert install.read_timer(schedule_id) is not None
    stack.register_install(install.id)
    (run,) = install.list_runs(schedule_id)
    assert (run["status"], run["error"]) == ("skipped", "The install no longer has cap:scheduler.manage")
