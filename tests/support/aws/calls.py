"""Record the AWS calls of the process, make them one at a time, and inject the faults that a test chooses."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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

    def operation_names(self) -> list[str]:
        """Return the operations of the recorded calls."""
        return [call.operation for call in self.recorded]


@contextmanager
def watch_calls() -> Iterator[AwsCalls]:
    """Record every call of every botocore client; the lock also keeps moto's state free of races."""
    calls = AwsCalls()
    base_client: Any = botocore.client.BaseClient
    original = base_client._make_api_call

    def make_api_call(client: Any, operation: str, arguments: Any) -> Any:
        call = Call(client.meta.service_model.service_name, operation, arguments)
        if calls.before:
            calls.before(call)
        with calls.lock:
            calls.recorded.append(call)
            try:
                if (call.service, operation) == ("lambda", "Invoke"):
                    # moto would run the function in Docker; tests read the recorded payload instead.
                    return {"StatusCode": 202}
                return original(client, operation, arguments)
            finally:
                if calls.after:
                    calls.after(call)  # also after a refused call: its function may die at that moment too

    base_client._make_api_call = make_api_call
    try:
        yield calls
    finally:
        base_client._make_api_call = original


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
