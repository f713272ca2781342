"""Metrics and log lines of the functions: their dimensions, ids, and what they must not contain."""

import base64
import json
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from scheduling.api.observability import logger
from scheduling.domain.runs import Outcome, RunStatus

from tests.support.aws.calls import Call, client_error
from tests.support.faults.cases import (
    Case,
    delete_case_schedule,
    disable_install,
    make_runner_fail,
    new_case,
    next_fire_event,
    start_abandoned_run,
)
from tests.support.stacks.functions import Context, deploy_functions, http_event, load_function
from tests.support.stacks.world import TENANT, World, new_world

SCHEDULE = {"endpoint": "POST /api/sync", "cron": "0 * * * *", "payload": ["a secret payload"]}


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "the-stack")
    with new_world(aws="memory") as world, deploy_functions(world):
        yield new_case(world)


def read_log_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def read_metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the values of the only line of metrics, after a check of its format."""
    (values,) = read_all_metrics(capsys)
    return values


def read_all_metrics(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the values of each line of metrics, after a check of its format."""
    return [parse_metrics(line) for line in read_log_lines(capsys) if "_aws" in line]


def parse_metrics(line: dict[str, Any]) -> dict[str, Any]:
    (directive,) = line.pop("_aws")["CloudWatchMetrics"]
    assert directive["Namespace"] == "ExtensionScheduler"
    named = {each["Name"] for each in directive["Metrics"]}
    assert named | set(directive["Dimensions"][0]) <= line.keys()
    values = {name: value[0] if name in named else value for name, value in line.items()}
    return {**values, "dimensions": sorted(directive["Dimensions"][0])}


def install_event(case: Case, body: object, **headers: str) -> dict[str, Any]:
    return http_event(body, headers=headers, installId=case.install_id)


def test_a_call_is_counted_by_operation_and_status(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    load_function("create").handler(install_event(case, SCHEDULE), Context())

    values = read_metrics(capsys)
    assert values.pop("LatencyMs") > 0
    assert values == {
        "dimensions": ["operation", "service", "status"],
        "service": "the-stack",
        "operation": "create",
        "status": "201",
        "Calls": 1,
        "correlation_id": "request-1",
        "tenant_id": TENANT,
        "install_id": case.install_id,
    }


def test_callback_is_counted_by_requested_operation(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    body = {"operation": "get", "scheduleId": case.schedule.id}
    load_function("callback").handler(install_event(case, body), Context())

    values = read_metrics(capsys)
    assert (values["operation"], values["status"]) == ("callback.get", "200")
    assert values["schedule_id"] == case.schedule.id


def test_unknown_operation_adds_no_dimension(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    load_function("callback").handler(install_event(case, {"operation": "x" * 100}), Context())

    assert read_metrics(capsys)["operation"] == "callback"


@pytest.mark.parametrize(
    ("limit", "value", "metric", "status"),
    [
        ("max_schedules_per_install", 1, "QuotaRefusals", "409"),
        ("writes_per_minute", 1, "RateRefusals", "429"),
    ],
)
def test_refusals_of_quota_and_rate_are_counted(
    case: Case, capsys: pytest.CaptureFixture[str], limit: str, value: int, metric: str, status: str
) -> None:
    module = load_function("create")
    object.__setattr__(case.world.services.limits, limit, value)
    module.handler(install_event(case, SCHEDULE), Context())
    if limit == "writes_per_minute":
        capsys.readouterr()
        module.handler(install_event(case, SCHEDULE), Context())

    values = read_metrics(capsys)
    assert (values[metric], values["status"]) == (1, status)


def test_failure_is_counted(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_call: Call) -> None:
        raise client_error("AccessDeniedException")

    case.world.calls.before = fail
    load_function("get").handler(
        http_event(installId=case.install_id, scheduleId=case.schedule.id), Context()
    )

    assert read_metrics(capsys)["status"] == "500"


def execute_fire(case: Case, capsys: pytest.CaptureFixture[str], **more: object) -> dict[str, Any]:
    """Return the metrics by outcome of a fire that is delivered 1.5 s late."""
    event = next_fire_event(case) | more
    case.world.advance(seconds=1.5)
    module = load_function("execute")
    module.run_endpoint = case.world.runner
    capsys.readouterr()
    module.handler(event, Context())
    (metrics,) = [each for each in read_all_metrics(capsys) if "Fires" in each]
    return metrics


def test_fire_is_counted_by_outcome(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    values = execute_fire(case, capsys)

    assert values.pop("RunDurationMs") >= 0
    assert values == {
        "dimensions": ["outcome", "service", "trigger"],
        "service": "the-stack",
        "outcome": "success",
        "trigger": "schedule",
        "Fires": 1,
        "correlation_id": values["correlation_id"],
        "tenant_id": TENANT,
        "install_id": case.install_id,
        "schedule_id": case.schedule.id,
        "request_id": case.world.runner.executions[0].run.request_id,
    }


def make_runner_refuse(case: Case) -> None:
    case.world.runner.outcome = Outcome(status=RunStatus.ERROR, http_status=404, error="no")


def run_before(case: Case) -> None:
    """Run the same occurrence first."""
    clock = list(case.world.clock)
    module = load_function("execute")
    module.run_endpoint = case.world.runner
    module.handler(next_fire_event(case), Context())
    case.world.clock[:] = clock


@pytest.mark.parametrize(
    ("before", "outcome"),
    [
        pytest.param(make_runner_refuse, "error", id="the extension refuses"),
        pytest.param(make_runner_fail, "retried", id="the runner fails"),
        pytest.param(start_abandoned_run, "overlap", id="another is running"),
        pytest.param(run_before, "duplicate", id="delivered twice"),
        pytest.param(disable_install, "disabled", id="disabled"),
        pytest.param(delete_case_schedule, "unknown", id="deleted"),
    ],
)
def test_every_outcome_has_a_metric_name(
    case: Case, capsys: pytest.CaptureFixture[str], before: Any, outcome: str
) -> None:
    before(case)

    assert execute_fire(case, capsys)["outcome"] == outcome


def fail_fire(
    case: Case, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> list[dict[str, Any]]:
    """Run a fire with that outcome and return the lines of the log and of metrics."""
    monkeypatch.setattr(logger.registered_handler, "stream", sys.stdout)
    case.world.runner.outcome = outcome
    module = load_function("execute")
    module.run_endpoint = case.world.runner
    capsys.readouterr()
    module.handler(next_fire_event(case), Context())
    return read_log_lines(capsys)


@pytest.mark.parametrize(
    ("fields", "code", "refusals"),
    [
        pytest.param({"runner_status": 422}, "422", 1, id="by its status"),
        pytest.param({"runner_status": 418}, "4xx", 1, id="by a status that is not counted by itself"),
        pytest.param({"runner_error": "bundle_fetch_failed"}, "bundle_fetch_failed", 0, id="by its error"),
        pytest.param({"runner_error": "unresolved_host"}, "unresolved_host", 1, id="its name is wrong"),
        pytest.param({}, "connection_failed", 0, id="the connection broke"),
    ],
)
def test_what_the_runner_answers_is_counted_by_code(
    case: Case,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    code: str,
    refusals: int,
) -> None:
    failed = Outcome(status=RunStatus.ERROR, error="it failed", retryable=True, **fields)

    lines = fail_fire(case, capsys, monkeypatch, failed)

    (answers,) = [line for line in lines if "RunnerResponses" in line]
    assert (answers["RunnerResponses"], answers["code"]) == ([1], code)
    refused = [line["RunnerRefusals"] for line in lines if "RunnerRefusals" in line]
    assert refused == [[1]] * refusals


def test_the_operators_log_has_the_runners_own_words_and_the_request(
    case: Case, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Outcome(
        status=RunStatus.ERROR, error="The runner answered 422", detail="its words", retryable=True
    )

    lines = fail_fire(case, capsys, monkeypatch, refused)

    (line,) = [line for line in lines if line.get("message") == "attempt failed"]
    assert (line["reason"], line["detail"], line["attempt"]) == ("The runner answered 422", "its words", 1)
    (execution,) = case.world.runner.executions
    assert {line["request_id"] for line in lines} == {execution.run.request_id}


@pytest.mark.parametrize(
    ("fields", "lateness"),
    [
        pytest.param({}, [1.5], id="by its timer"),
        pytest.param({"trigger": "manual", "scheduledTime": "2026-11-23T09:00:00.000Z"}, [], id="manual"),
    ],
)
def test_a_fire_by_a_timer_has_a_lateness_in_seconds(
    case: Case, capsys: pytest.CaptureFixture[str], fields: dict[str, str], lateness: list[float]
) -> None:
    event = next_fire_event(case) | fields
    case.world.advance(seconds=1.5)
    module = load_function("execute")
    module.run_endpoint = case.world.runner
    capsys.readouterr()

    module.handler(event, Context())

    lines = read_all_metrics(capsys)
    assert [each["Lateness"] for each in lines if "Lateness" in each] == lateness
    assert [each["dimensions"] for each in lines if "Attempts" in each] == [["service"]]


def test_no_line_contains_a_token_a_payload_or_a_configuration(
    case: Case, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    world: World = case.world
    world.register_install(
        case.install_id,
        config={"key": "a secret config"},
        secretEnvelope={"ciphertext_b64": "a secret envelope"},
    )
    token = {"x-runner-auth": "a secret token"}
    load_function("create").handler(install_event(case, SCHEDULE, **token), Context())
    load_function("create").handler(
        install_event(case, {**SCHEDULE, "cron": "bad", "name": 7}, **token), Context()
    )
    load_function("callback").handler(install_event(case, {"operation": "list"}, **token), Context())

    def fail(_call: Call) -> None:
        raise RuntimeError("broken")

    world.calls.before = fail
    load_function("create").handler(install_event(case, SCHEDULE, **token), Context())
    world.calls.before = None

    out = capsys.readouterr().out + log.getvalue()
    assert "broken" in out
    assert "a secret" not in out
    assert base64.b64encode(b'["a secret payload"]').decode() not in out
