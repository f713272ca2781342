"""docs/runner-interface.md against the code: its examples have the fields and types that are sent and returned."""

import base64
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from scheduling.clients.runner import RunnerClient
from scheduling.domain import exact_json
from scheduling.domain.install import SCHEDULER_MANAGE, Install, InstallConfig
from scheduling.domain.runs import Execution, Outcome, RunStatus, build_next_attempt
from scheduling.domain.schedule import LastRun, Schedule
from scheduling.domain.views import endpoint_fields, schedule_fields
from scheduling.settings import RunnerSettings

from tests.support.stacks.scripted_runner import RunnerRequest, start_scripted_runner
from tests.unit.builders import NOW, endpoint, fire, install, schedule

ROOT = Path(__file__).parents[2]
EXECUTE, CALLBACK = (ROOT / "docs" / "runner-interface.md").read_text(encoding="utf-8").split("## Callback")
TRANSPORT_HEADERS = {"host", "content-length", "accept-encoding", "user-agent", "connection"}
MAPS = {"config", "query"}
"""Objects whose keys are data."""


def read_examples(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def read_json_examples(page: str) -> list[Any]:
    return [json.loads(text) for text in read_examples(page, "json")]


def read_http_headers(page: str) -> dict[str, str]:
    (example,) = read_examples(page, "http")
    return dict(line.split(": ", 1) for line in example.splitlines()[1:])


def shape(value: object, name: str = "") -> object:
    """Field names and types, without values."""
    if isinstance(value, dict):
        if name in MAPS:
            return {json.dumps(shape(member)) for member in value.values()}
        return {key: shape(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def example_install() -> Install:
    return install(granted_capabilities=frozenset({SCHEDULER_MANAGE}))


def example_schedule(**fields: Any) -> Schedule:
    return schedule(name="hourly", payload='{"full":true}', **fields)


def execute_example(response: object) -> tuple[RunnerRequest, Outcome]:
    """Return what the service sends for an occurrence with everything, and its outcome for the response."""
    with start_scripted_runner() as runner:
        runner.respond = lambda _request: (200, json.dumps(response).encode())
        settings = RunnerSettings(
            runner_base_url=runner.url,
            runner_timeout_ms=30_000,
            runner_overhead_seconds=30,
            stack_name="stack",
        )
        client = RunnerClient(settings, lambda: "service-token", lambda _install: "callback-token")
        config = InstallConfig(
            config='{"region":"eu"}',
            secret_envelope='{"ciphertext_b64":"c2VjcmV0","version":"1","algorithm":"aes-256-gcm"}',
        )
        execution = Execution(
            fire=fire(),
            run=build_next_attempt(fire(), None, NOW, timedelta(minutes=1)),
            install=example_install(),
            config=config,
            schedule=example_schedule(),
        )
        outcome = client.execute_endpoint(execution)
        return runner.requests[0], outcome


def test_execute_request_has_the_documented_fields_and_types() -> None:
    request, response, _failure = read_json_examples(EXECUTE)
    sent, outcome = execute_example(response)
    assert shape(sent.body) == shape(request)
    assert outcome.status is RunStatus.SUCCESS
    assert outcome.http_status == response["status"]


def test_execute_request_has_the_documented_headers() -> None:
    headers = {name.lower() for name in execute_example({})[0].headers}
    assert headers - TRANSPORT_HEADERS == set(read_http_headers(EXECUTE))


def test_execute_example_is_consistent() -> None:
    request, headers = read_json_examples(EXECUTE)[0], read_http_headers(EXECUTE)
    context, inner_headers = request["context"], request["http"]["headers"]
    assert headers["x-request-id"] == context["request_id"]
    assert headers["x-idempotency-key"].startswith(f"{context['schedule_id']}:{context['scheduled_for']}")
    assert headers["x-alga-tenant"] == inner_headers["x-alga-tenant"] == context["tenant_id"]
    assert headers["x-alga-extension"] == inner_headers["x-alga-extension"] == context["extension_id"]
    assert inner_headers["x-alga-schedule-id"] == context["schedule_id"]
    assert inner_headers["x-alga-scheduled-for"] == context["scheduled_for"]
    assert json.loads(base64.b64decode(request["http"]["body_b64"])) == {"full": True}


def test_failure_of_the_runner_is_an_error() -> None:
    failure = read_json_examples(EXECUTE)[2]
    assert execute_example(failure)[1].status is RunStatus.ERROR


def read_event_file(name: str) -> Any:
    return json.loads((ROOT / "events" / "callback" / name).read_text(encoding="utf-8"))


def test_callback_example_is_a_tested_event() -> None:
    event, expected = read_event_file("create.json"), read_event_file("create.expected.json")
    request, response = read_json_examples(CALLBACK)[:2]
    (example,) = read_examples(CALLBACK, "http")
    assert json.loads(event["body"]) == request
    assert example.startswith(f"POST {event['rawPath']} HTTP/1.1\n")
    assert set(read_http_headers(CALLBACK)) == set(event["headers"]) - TRANSPORT_HEADERS
    assert expected["statusCode"] == 201
    assert shape(response) == shape(expected["body"])


@pytest.mark.parametrize("position", [2, 3], ids=["schedule", "endpoint"])
def test_callback_returns_the_documented_fields_and_types(position: int) -> None:
    ran = example_schedule(last_run=LastRun(started_at=NOW, status="success", error=None))
    fields = [schedule_fields(ran), endpoint_fields(endpoint("POST", "/api/sync"))]
    returned = json.loads(exact_json.dumps(fields))
    assert shape(read_json_examples(CALLBACK)[position]) == shape(returned[position - 2])


def test_refusal_has_the_documented_fields() -> None:
    refusal = read_event_file("unknown_operation.expected.json")["body"]
    assert shape(read_json_examples(CALLBACK)[4]).keys() == refusal.keys()  # type: ignore[attr-defined]
