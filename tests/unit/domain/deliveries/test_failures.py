"""What counts as a failure of the extension, and which schedules a failure pauses."""

from dataclasses import replace
from typing import Any

import pytest
from scheduling.domain.deliveries.failures import counts_as_failure, pause_by_run
from scheduling.domain.install import Limits
from scheduling.domain.runs import EXTENSION_FAILED, NO_RESPONSE, Fire, Run, RunStatus, Trigger
from scheduling.domain.schedule import PAUSED_AFTER_FAILURES, ScheduleState

from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID, schedule

TIME = "2026-11-23T09:00:00Z"
FIRE = Fire(install_id=INSTALL_ID, schedule_id=SCHEDULE_ID, timer_revision=1, scheduled_time=TIME)
FAILED = Run(
    scheduled_time=TIME,
    status=RunStatus.ERROR,
    attempt=1,
    started_at=NOW,
    duration_ms=7,
    http_status=404,
)
LIMITED = Limits(pause_after_failures=3)


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        pytest.param({}, True, id="the extension's 404"),
        pytest.param({"attempt": 3, "retryable": True, "http_status": 500}, True, id="the third 500"),
        pytest.param({"attempt": 2, "retryable": True, "http_status": 500}, False, id="the second 500"),
        pytest.param({"http_status": None}, True, id="an answer that is not understood"),
        pytest.param({"http_status": None, "runner_error": EXTENSION_FAILED}, True, id="a trap"),
        pytest.param({"http_status": None, "runner_error": NO_RESPONSE}, True, id="no answer"),
        pytest.param({"http_status": None, "runner_error": "other"}, False, id="the runner's own error"),
        pytest.param({"http_status": None, "runner_status": 401}, False, id="the runner's 401"),
        pytest.param({"http_status": None, "attempt": 0}, False, id="never attempted, for lack of capacity"),
        pytest.param({"http_status": None, "duration_ms": None}, False, id="its function died"),
        pytest.param({"status": RunStatus.SUCCESS, "http_status": 200}, False, id="success"),
        pytest.param({"status": RunStatus.SKIPPED, "http_status": None}, False, id="skipped"),
        pytest.param({"status": RunStatus.MISSED, "http_status": None}, False, id="missed"),
        pytest.param({"status": RunStatus.WAITING, "http_status": None}, False, id="waiting"),
    ],
)
def test_only_a_final_failure_of_the_extension_counts(fields: dict[str, Any], counts: bool) -> None:
    assert counts_as_failure(FIRE, replace(FAILED, **fields)) is counts


def test_a_manual_run_counts_and_a_replay_does_not() -> None:
    assert counts_as_failure(replace(FIRE, trigger=Trigger.MANUAL), FAILED)
    assert not counts_as_failure(replace(FIRE, replay=True), FAILED)


@pytest.mark.parametrize(
    ("fields", "definition_fields", "limits", "pauses"),
    [
        pytest.param({"consecutive_failures": 2}, {}, LIMITED, True, id="the third"),
        pytest.param({"consecutive_failures": 1}, {}, LIMITED, False, id="the second"),
        pytest.param({"consecutive_failures": 9}, {}, LIMITED, True, id="a limit that was lowered"),
        pytest.param({"consecutive_failures": 9}, {}, Limits(), False, id="no limit"),
        pytest.param({}, {"pause_after_failures": 1}, LIMITED, True, id="its own limit"),
        pytest.param({}, {"pause_after_failures": 1}, Limits(), True, id="its own limit alone"),
        pytest.param(
            {"consecutive_failures": 9},
            {"pause_after_failures": 0},
            LIMITED,
            False,
            id="never, by its own limit",
        ),
        pytest.param(
            {"consecutive_failures": 2}, {"enabled": False}, LIMITED, False, id="disabled meanwhile"
        ),
        pytest.param(
            {"consecutive_failures": 2, "state": ScheduleState.DELETING},
            {},
            LIMITED,
            False,
            id="deleted meanwhile",
        ),
        pytest.param(
            {"consecutive_failures": 2, "unreadable": "cron is missing"}, {}, LIMITED, False, id="unreadable"
        ),
    ],
)
def test_a_schedule_is_paused_at_its_limit(
    fields: dict[str, Any], definition_fields: dict[str, Any], limits: Limits, pauses: bool
) -> None:
    before = replace(schedule(**definition_fields), **fields)

    after = pause_by_run(before, FIRE, FAILED, limits, NOW)

    assert (after is not None) is pauses
    if after:
        assert (after.definition.enabled, after.disabled_reason) == (False, PAUSED_AFTER_FAILURES)
        assert (after.pending_since, after.revision) == (NOW, before.revision + 1)


def test_what_is_no_failure_pauses_nothing() -> None:
    failing = replace(schedule(), consecutive_failures=9)

    assert pause_by_run(failing, FIRE, replace(FAILED, runner_status=401), LIMITED, NOW) is None
