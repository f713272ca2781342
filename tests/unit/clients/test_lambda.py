"""Invocations of a function: results, and what is known of one that failed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.session import Session
from scheduling.clients.lambda_ import FunctionClient
from scheduling.domain.errors import PartFailed, ServiceError, Unavailable

from tests.support.aws.calls import AwsCalls, client_error, watch_calls

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:stack-reconcile"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsCalls]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with watch_calls() as calls:
        yield calls


def invoke(event: dict[str, Any]) -> Any:
    return FunctionClient(Session(), ARN, 1).invoke_function(event)


def test_result_is_returned(calls: AwsCalls) -> None:
    calls.invoke = lambda event: {"echo": event}

    assert invoke({"a": 1}) == {"echo": {"a": 1}}
    assert calls.recorded[0].arguments["FunctionName"] == ARN


def fail(event: Any) -> Any:
    raise MemoryError(json.dumps(event))


def test_failure_of_the_function_is_reported_with_its_error(calls: AwsCalls) -> None:
    calls.invoke = fail

    with pytest.raises(PartFailed, match="MemoryError"):
        invoke({})


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(client_error("TooManyRequestsException", status=429), Unavailable, id="throttled"),
        pytest.param(client_error("AccessDeniedException", status=403), Unavailable, id="denied"),
        pytest.param(EndpointConnectionError(endpoint_url="https://aws.test"), Unavailable, id="unreachable"),
        pytest.param(
            ReadTimeoutError(endpoint_url="https://aws.test"), PartFailed, id="not answered in time"
        ),
    ],
)
def test_whether_the_function_was_invoked_is_told_apart(
    calls: AwsCalls, fault: Exception, expected: type[ServiceError]
) -> None:
    def raise_fault(_call: object) -> None:
        raise fault

    calls.before = raise_fault

    with pytest.raises(expected) as raised:
        invoke({})
    assert type(raised.value) is expected
