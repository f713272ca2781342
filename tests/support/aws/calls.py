"""Record the AWS calls of the process, make them one at a time, and inject the faults that a test chooses."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import botocore.client
from botocore.exceptions import ClientError, ReadTimeoutError


class Killed(BaseException):
    """The death of the function; a BaseException, so that the code under test cannot catch it."""


@dataclass(frozen=True)
class Call:
    """One AWS call."""

    service: str
    operation: str
    arguments: Any = field(default=None, compare=False, repr=False)


Hook = Callable[[Call], None]


@dataclass
class AwsCalls:
    """The recorded calls, and hooks that run before and after each call."""

    recorded: list[Call] = field(default_factory=list)
    before: Hook | None = None
    after: Hook | None = None
    lock: Any = field(default_factory=threading.RLock)
    invoke: Callable[[Any], Any] | None = None
    """Returns the result of a function that is invoked with the event; by default, there is no function."""

    def operation_names(self) -> list[str]:
        """Return the operations of the recorded calls."""
        return [call.operation for call in self.recorded]


_base_client: Any = botocore.client.BaseClient
make_api_call = _base_client._make_api_call
"""What makes a client's call, before anything records it."""


@contextmanager
def watch_calls() -> Iterator[AwsCalls]:
    """Record every call of every botocore client; the lock also keeps moto's state free of races."""
    calls = AwsCalls()
    base_client: Any = botocore.client.BaseClient
    original = base_client._make_api_call

    def record_api_call(client: Any, operation: str, arguments: Any) -> Any:
        call = Call(client.meta.service_model.service_name, operation, arguments)
        if calls.before:
            calls.before(call)
        if (call.service, operation) == ("lambda", "Invoke"):
            return _invoke_function(calls, call)
        with calls.lock:
            calls.recorded.append(call)
            try:
                return original(client, operation, arguments)
            finally:
                if calls.after:
                    calls.after(call)  # also after a refused call: its function may die at that moment too

    base_client._make_api_call = record_api_call
    try:
        yield calls
    finally:
        base_client._make_api_call = original


def _invoke_function(calls: AwsCalls, call: Call) -> Any:
    """Invoke the test's function, without the lock; moto would run the function in Docker."""
    calls.recorded.append(call)
    try:
        if calls.invoke is None:
            raise client_error("ResourceNotFoundException", "Invoke", 404)
        try:
            result = calls.invoke(json.loads(call.arguments["Payload"]))
        except Exception as error:  # noqa: BLE001 (as Lambda reports it)
            body = json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})
            return {"FunctionError": "Unhandled", "Payload": BytesIO(body.encode())}
        return {"StatusCode": 200, "Payload": BytesIO(json.dumps(result).encode())}
    finally:
        if calls.after:
            calls.after(call)


def client_error(code: str, operation: str = "Operation", status: int = 400) -> ClientError:
    """Build the error of an AWS response with that code."""
    response = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)  # type: ignore[arg-type]


def lost_response_error() -> ReadTimeoutError:
    """Build the error of a response that never arrives."""
    return ReadTimeoutError(endpoint_url="https://aws.test")


def fail_timer_calls(call: Call) -> None:
    """Let every call of EventBridge Scheduler end without a response; a hook."""
    if call.service == "scheduler":
        raise lost_response_error()


def refuse_zone(zone: str) -> Hook:
    """Return a hook that lets EventBridge Scheduler refuse the zone, as it does one that it does not know."""

    def refuse(call: Call) -> None:
        if call.service == "scheduler" and call.arguments.get("ScheduleExpressionTimezone") == zone:
            raise client_error("ValidationException", call.operation)

    return refuse
