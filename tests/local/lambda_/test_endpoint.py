from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from local.lambda_.endpoint import LambdaEndpoint
from local.lambda_.functions import FunctionError
from local.settings import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

ARN = "arn:aws:lambda:us-east-1:123456789012:function:stack-execute"


class StubEndpoint(ThreadingHTTPServer):
    """A Lambda endpoint that answers every invocation with `response`."""

    response: Any = None
    error: str | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.invocations: list[tuple[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: StubEndpoint

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.invocations.append((self.path, event))
        self.send_response(200)
        if self.server.error:
            self.send_header("x-amz-function-error", self.server.error)
        self.end_headers()
        self.wfile.write(json.dumps(self.server.response).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        pass


@pytest.fixture
def endpoint() -> Iterator[StubEndpoint]:
    with StubEndpoint() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def create_client(port: int) -> LambdaEndpoint:
    return LambdaEndpoint(f"http://127.0.0.1:{port}", {ARN: "ExecuteFunction"})


@pytest.mark.parametrize("arn", [ARN, f"{ARN}:live"])
def test_function_is_invoked_by_its_logical_id(endpoint: StubEndpoint, arn: str) -> None:
    endpoint.response = {"status": "success"}

    assert create_client(endpoint.server_port).invoke_function(arn, {"n": 1}, "request-1") == {
        "status": "success"
    }

    assert endpoint.invocations == [("/2015-03-31/functions/ExecuteFunction/invocations", {"n": 1})]


@pytest.mark.parametrize("error", ["Unhandled", None])
def test_function_error_is_not_retried(endpoint: StubEndpoint, error: str | None) -> None:
    """With Lambda's header, and without it, as from `sam local start-lambda`."""
    endpoint.response = {"errorType": "RunFailed", "errorMessage": "no", "stackTrace": ["line 1"]}
    endpoint.error = error

    with pytest.raises(FunctionError, match="no") as failure:
        create_client(endpoint.server_port).invoke_function(ARN, {})

    assert (failure.value.error_type, failure.value.stack_trace) == ("RunFailed", ["line 1"])
    assert len(endpoint.invocations) == 1


def test_unreachable_endpoint_is_a_failure() -> None:
    (port,) = free_ports(1)

    with pytest.raises(FunctionError, match="Could not connect"):
        create_client(port).invoke_function(ARN, {})
