"""Every AWS call of the process passes here: counted, made one at a time, and made to fail where a test says so."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import botocore.client
from botocore.exceptions import ClientError, ReadTimeoutError


class Killed(BaseException):
    """The function died here; nothing of the code under test may catch it."""


@dataclass(frozen=True)
class Call:
    """One AWS call as a test sees it."""

    service: str
    operation: str
    arguments: Any = field(default=None, compare=False, repr=False)


Hook = Callable[[Call], None]


@dataclass
class AwsCalls:
    """What was called, and hooks to run before and after each call."""

    recorded: list[Call] = field(default_factory=list)
    before: Hook | None = None
    after: Hook | None = None
    lock: Any = field(default_factory=threading.RLock)

    def operation_names(self) -> list[str]:
        """The names of the calls made."""
        return [call.operation for call in self.recorded]


@contextmanager
def watch_calls() -> Iterator[AwsCalls]:
    """Within, every call of every botocore client is watched; moto's state is then free of races."""
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
                    return {
                        "StatusCode": 202
                    }  # moto would run it in Docker; a test looks at what was handed over
                return original(client, operation, arguments)
            finally:
                if calls.after:
                    calls.after(call)  # of a refused call too: its function may die then as well

    base_client._make_api_call = make_api_call
    try:
        yield calls
    finally:
        base_client._make_api_call = original


def client_error(code: str, operation: str = "Operation", status: int = 400) -> ClientError:
    """The error of an AWS answer with that code."""
    response = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)  # type: ignore[arg-type]


def lost_response_error() -> ReadTimeoutError:
    """The error of an answer that never came."""
    return ReadTimeoutError(endpoint_url="https://aws.test")
