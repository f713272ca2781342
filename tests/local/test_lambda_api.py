"""The functions of a running stack, invoked by a Lambda client of its AWS endpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import pytest

from local.gateway.lambda_api import PREFIX, LambdaApi
from local.gateway.messages import Request
from local.lambda_.asynchronous import AsynchronousInvoker
from local.lambda_.functions import FunctionError
from tests.local.support import functions

if TYPE_CHECKING:
    from concurrent.futures import Future

ARN = "arn:aws:lambda:us-east-1:123456789012:function:stack-echo"


def fail(_event: Any, _context: Any) -> Any:
    raise ValueError("broken")


class Immediately:
    """A pool that does at once what it is given."""

    def submit(self, call: Any, *arguments: Any) -> Future[None] | None:
        call(*arguments)
        return None


@pytest.fixture
def delivered() -> list[Any]:
    return []


@pytest.fixture
def api(delivered: list[Any]) -> LambdaApi:
    class Invoker:
        def invoke_with_retries(self, arn: str, event: Any) -> None:
            delivered.append((arn, event))
            if event == "fail":
                raise FunctionError("broken", "ValueError", [])

    found = functions(**{ARN: lambda event, _: {"echo": event}, "broken": fail})
    api = LambdaApi(
        found, cast(AsynchronousInvoker, Invoker()), {"stack-echo": ARN, "stack-broken": "broken"}
    )
    api._pool = cast(Any, Immediately())
    return api


def ask(path: str, body: bytes = b'{"n":1}', kind: str = "RequestResponse", method: str = "POST") -> Request:
    return Request(
        method=method,
        path=f"{PREFIX}{path}",
        query="",
        headers={"x-amz-invocation-type": kind},
        body=body,
        request_id=str(uuid4()),
        source_ip="127.0.0.1",
        protocol="HTTP/1.1",
    )


def invocations(function: str) -> str:
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
def test_a_function_is_invoked_by_each_of_its_names(api: LambdaApi, function: str) -> None:
    answer = api.handle_request(ask(invocations(function)))

    assert (answer.status, json.loads(answer.body)) == (200, {"echo": {"n": 1}})


def test_who_does_not_wait_is_told_that_it_was_taken(api: LambdaApi, delivered: list[Any]) -> None:
    answer = api.handle_request(ask(invocations("stack-echo"), kind="Event"))

    assert (answer.status, answer.body) == (202, b"")
    assert delivered == [(ARN, {"n": 1})]


def test_a_failure_is_nothing_to_who_does_not_wait(api: LambdaApi, delivered: list[Any]) -> None:
    answer = api.handle_request(ask(invocations("stack-echo"), b'"fail"', kind="Event"))

    assert (answer.status, delivered) == (202, [(ARN, "fail")])


def test_a_failed_function_is_told_as_lambda_tells_it(api: LambdaApi) -> None:
    answer = api.handle_request(ask(invocations("stack-broken")))

    assert answer.status == 200
    assert ("x-amz-function-error", "Unhandled") in answer.headers
    assert json.loads(answer.body)["errorMessage"] == "broken"


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        pytest.param(ask(invocations("other")), 404, "ResourceNotFoundException", id="unknown function"),
        pytest.param(ask("/2015-03-31/functions"), 404, "UnknownOperationException", id="another operation"),
        pytest.param(
            ask(invocations("stack-echo"), method="GET"), 404, "UnknownOperationException", id="method"
        ),
        pytest.param(
            ask(invocations("stack-echo"), b"{"), 400, "InvalidRequestContentException", id="not JSON"
        ),
    ],
)
def test_what_cannot_be_invoked_is_refused(api: LambdaApi, asked: Request, status: int, code: str) -> None:
    answer = api.handle_request(asked)

    assert answer.status == status
    assert ("x-amzn-errortype", code) in answer.headers
