"""Lambda's Invoke operation on the functions of the stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import pytest

from local.gateway.lambda_api import PREFIX, LambdaApi
from local.gateway.messages import Request
from tests.local.support import create_functions

if TYPE_CHECKING:
    from concurrent.futures import Future

ARN = "arn:aws:lambda:us-east-1:123456789012:function:stack-echo"


def raise_error(_event: Any, _context: Any) -> Any:
    raise ValueError("broken")


class ImmediateExecutor:
    """A pool that runs each call immediately."""

    def submit(self, call: Any, *arguments: Any) -> Future[None] | None:
        call(*arguments)
        return None


@pytest.fixture
def deliveries() -> list[Any]:
    return []


@pytest.fixture
def api(deliveries: list[Any]) -> LambdaApi:
    def echo(event: Any, _context: Any) -> Any:
        deliveries.append(event)
        if event == "fail":
            raise ValueError("failed")
        return {"echo": event}

    handlers = create_functions(**{ARN: echo, "broken": raise_error})
    api = LambdaApi(handlers, {"stack-echo": ARN, "stack-broken": "broken"})
    api._pool = cast(Any, ImmediateExecutor())
    return api


def create_invocation_request(
    path: str, body: bytes = b'{"n":1}', invocation_type: str = "RequestResponse", method: str = "POST"
) -> Request:
    return Request(
        method=method,
        path=f"{PREFIX}{path}",
        query="",
        headers={"x-amz-invocation-type": invocation_type},
        body=body,
        request_id=str(uuid4()),
        source_ip="127.0.0.1",
        protocol="HTTP/1.1",
    )


def invocation_path(function: str) -> str:
    return f"/2015-03-31/functions/{function}/invocations"


@pytest.mark.parametrize(
    "function",
    [
        pytest.param("stack-echo", id="name"),
        pytest.param("stack-echo:live", id="name and alias"),
        pytest.param(ARN, id="ARN"),
        pytest.param(ARN.replace(":", "%3A") + "%3Alive", id="encoded ARN of an alias"),
        pytest.param("123456789012:function:stack-echo", id="partial ARN"),
    ],
)
def test_function_is_invoked_by_each_of_its_identifiers(api: LambdaApi, function: str) -> None:
    response = api.handle_request(create_invocation_request(invocation_path(function)))

    assert (response.status, json.loads(response.body)) == (200, {"echo": {"n": 1}})


def test_asynchronous_invocation_is_accepted(api: LambdaApi, deliveries: list[Any]) -> None:
    response = api.handle_request(
        create_invocation_request(invocation_path("stack-echo"), invocation_type="Event")
    )

    assert (response.status, response.body) == (202, b"")
    assert deliveries == [{"n": 1}]


def test_asynchronous_failure_is_not_reported_to_the_caller(api: LambdaApi, deliveries: list[Any]) -> None:
    response = api.handle_request(
        create_invocation_request(invocation_path("stack-echo"), b'"fail"', invocation_type="Event")
    )

    assert (response.status, deliveries) == (202, ["fail"])


def test_function_error_is_reported_in_the_format_of_lambda(api: LambdaApi) -> None:
    response = api.handle_request(create_invocation_request(invocation_path("stack-broken")))

    assert response.status == 200
    assert ("x-amz-function-error", "Unhandled") in response.headers
    assert json.loads(response.body)["errorMessage"] == "broken"


@pytest.mark.parametrize(
    ("invocation", "status", "code"),
    [
        pytest.param(
            create_invocation_request(invocation_path("other")),
            404,
            "ResourceNotFoundException",
            id="unknown function",
        ),
        pytest.param(
            create_invocation_request("/2015-03-31/functions"),
            404,
            "UnknownOperationException",
            id="another operation",
        ),
        pytest.param(
            create_invocation_request(invocation_path("stack-echo"), method="GET"),
            404,
            "UnknownOperationException",
            id="method",
        ),
        pytest.param(
            create_invocation_request(invocation_path("stack-echo"), b"{"),
            400,
            "InvalidRequestContentException",
            id="not JSON",
        ),
    ],
)
def test_invalid_invocation_is_refused(api: LambdaApi, invocation: Request, status: int, code: str) -> None:
    response = api.handle_request(invocation)

    assert response.status == status
    assert ("x-amzn-errortype", code) in response.headers
