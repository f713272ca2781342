from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.cloudformation.deploy import deploy_resources, pseudo_parameters
from local.cloudformation.template import expand_template
from local.lambda_.asynchronous import AsynchronousInvoker, InvokeConfig, read_invoke_configs
from local.lambda_.functions import FunctionError
from tests.local.support import create_functions

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloudformation.clients import AwsClients


class FlakyHandler:
    """A handler that fails a number of times, then succeeds."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.request_ids: list[str] = []

    def __call__(self, event: Any, context: Any) -> Any:
        self.request_ids.append(context.aws_request_id)
        if len(self.request_ids) <= self.failures:
            raise RuntimeError(f"failure {len(self.request_ids)}")
        return {"status": "success", **event}


@pytest.fixture
def queue(aws: AwsClients) -> str:
    return aws.sqs.create_queue(QueueName=f"dlq-{uuid4()}")["QueueUrl"]


def receive_messages(aws: AwsClients, queue: str) -> list[Any]:
    batch = aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in batch.get("Messages", [])]


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_function_is_retried_until_it_succeeds(aws: AwsClients, queue: str, failures: int) -> None:
    flaky = FlakyHandler(failures)
    invoker = AsynchronousInvoker(create_functions(flaky=flaky), aws, {"flaky": InvokeConfig(2, queue)})
    assert invoker.invoke_with_retries("flaky", {"n": 1}) == {"status": "success", "n": 1}
    assert len(flaky.request_ids) == failures + 1
    assert len(set(flaky.request_ids)) == 1
    assert receive_messages(aws, queue) == []


def test_permanent_failure_is_sent_to_the_queue(aws: AwsClients, queue: str) -> None:
    flaky = FlakyHandler(9)
    invoker = AsynchronousInvoker(create_functions(flaky=flaky), aws, {"flaky": InvokeConfig(2, queue)})
    with pytest.raises(FunctionError, match="failure 3"):
        invoker.invoke_with_retries("flaky", {"n": 1})
    (record,) = receive_messages(aws, queue)
    assert record["version"] == "1.0"
    assert record["timestamp"].endswith("Z")
    assert record["requestContext"] == {
        "requestId": flaky.request_ids[0],
        "functionArn": "flaky:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["requestPayload"] == {"n": 1}
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "failure 3"
    assert record["responsePayload"]["errorType"] == "RuntimeError"
    assert "RuntimeError: failure 3" in "".join(record["responsePayload"]["stackTrace"])


def test_failure_without_a_queue_only_raises(aws: AwsClients) -> None:
    flaky = FlakyHandler(9)
    with pytest.raises(FunctionError):
        AsynchronousInvoker(create_functions(flaky=flaky), aws, {}).invoke_with_retries("flaky", {})
    assert len(flaky.request_ids) == 3


def test_config_is_read_from_the_template(aws: AwsClients, project: Path) -> None:
    template = expand_template(project / "template.yaml", {}, pseudo_parameters(aws))
    deploy_resources(template, aws, {})
    echo, queue = template.attributes["EchoFunction"]["Arn"], template.attributes["Queue"]["Ref"]
    assert read_invoke_configs(template) == {echo: InvokeConfig(1, queue)}
