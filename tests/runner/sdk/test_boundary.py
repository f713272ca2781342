"""What cannot cross a component's boundary is a Python error and a 500, in a component as in an author's tests."""

import json
import logging

import pytest
from extension_sdk import Request, host
from extension_sdk.testing import FakeHost

from tests.support.components.boundary_cases import CASES, LONE, BoundaryCase
from tests.support.components.client import ComponentClient
from tests.support.components.probe.boundary import boundary
from tests.support.components.scheduler import RecordingScheduler

INTERNAL_ERROR = {"error": "Internal error"}
PARAMS = [pytest.param(case, id=name) for name, case in CASES.items()]
# pytest's own stdout takes any text.
HOST_PARAMS = [pytest.param(case, id=name) for name, case in CASES.items() if case.path != "print"]


@pytest.fixture
def fake() -> FakeHost:
    endpoint = {"method": "GET", "path": "/a", "handler": "a"}
    fake_host = FakeHost({"capabilities": ["cap:scheduler.manage"], "api": {"endpoints": [endpoint]}})
    host.connect(fake_host)
    return fake_host


@pytest.mark.parametrize("case", HOST_PARAMS)
def test_value_is_refused_outside_a_component(case: BoundaryCase, fake: FakeHost) -> None:
    response = boundary.handle(
        Request("POST", f"/boundary/{case.path}", body=json.dumps(case.arguments).encode())
    )
    assert (response.status, json.loads(response.body or b"")) == (500, INTERNAL_ERROR)
    assert case.logged in fake.log.lines[-1][1]


@pytest.mark.parametrize("case", PARAMS)
def test_value_is_refused_in_a_component(
    case: BoundaryCase,
    probe: ComponentClient,
    scheduler: RecordingScheduler,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "extension"):
        result = probe.execute_request(
            "POST", f"/boundary/{case.path}", body=json.dumps(case.arguments).encode()
        )
    assert (result.response["error"], result.response["status"]) == (None, 500), caplog.messages
    assert result.json() == INTERNAL_ERROR
    assert case.logged.replace("\n", "\\n") in caplog.messages[-1]
    assert scheduler.requests == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(b'["a\\ud800"]', "a\\ud800", id="lone surrogate"),
        pytest.param(b"[" * 200_000, "The body is not JSON: nested deeper than 256 levels", id="nested"),
        pytest.param(
            b"[" * 257 + b"]" * 257, "The body is not JSON: nested deeper than 256 levels", id="just too deep"
        ),
        pytest.param(b'["' + b"[" * 1_000 + b'"]', "[" * 1_000, id="brackets in a string"),
    ],
)
def test_refusal_is_readable_in_a_component(body: bytes, error: str, probe: ComponentClient) -> None:
    result = probe.execute_request("POST", "/boundary/refuse", body=body)
    assert (result.response["error"], result.response["status"]) == (None, 400)
    assert result.json() == {"error": error}


def test_deepest_value_crosses(probe: ComponentClient) -> None:
    result = probe.execute_request("POST", "/boundary/nested", body=b"[255]")
    assert result.body == b"[" * 256 + b"]" * 256


def test_text_of_a_refusal_is_escaped(fake: FakeHost) -> None:
    response = boundary.handle(Request("POST", "/boundary/refuse", body=json.dumps(["a" + LONE]).encode()))
    assert (response.status, json.loads(response.body or b"")) == (400, {"error": "a\\ud800"})
    assert fake.log.lines == []


@pytest.mark.parametrize(
    ("url", "status"),
    [
        pytest.param("//[/boundary/print", 404, id="a bracket"),
        pytest.param("//boundary/print", 200, id="doubled slash"),
        pytest.param("/boundary/print?x=//[", 200, id="in the query"),
    ],
)
def test_any_url_has_a_response(url: str, status: int, fake: FakeHost) -> None:
    assert boundary.handle(Request("POST", url, body=b"[]")).status == status
    assert fake.log.lines == []
