"""Lambda's asynchronous invocation: retries after short waits, then the on-failure queue."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from local.lambda_.functions import FunctionError

if TYPE_CHECKING:
    from local.cloudformation.clients import AwsClients
    from local.cloudformation.template import Template
    from local.lambda_.endpoint import LambdaEndpoint
    from local.lambda_.functions import LocalFunctions

_DEFAULT_RETRIES = 2
_RETRY_WAIT_SECONDS = 0.5
"""Lambda waits for one and two minutes, long enough for the run that a duplicate delivery may have met to end."""


@dataclass(frozen=True)
class InvokeConfig:
    """The retries of a function, and the URL of the queue for events that fail permanently."""

    retries: int = _DEFAULT_RETRIES
    on_failure_queue_url: str | None = None


class AsynchronousInvoker:
    """Invokes functions as Lambda does for invocation type Event."""

    def __init__(
        self, functions: LocalFunctions | LambdaEndpoint, aws: AwsClients, configs: dict[str, InvokeConfig]
    ) -> None:
        self._functions = functions
        self._aws = aws
        self._configs = configs

    def invoke_with_retries(self, arn: str, event: Any) -> Any:
        """Invoke a function until it succeeds or its retries are exhausted, and return its result.

        Raises:
            FunctionError: The last attempt failed; the on-failure queue has received the invocation record.
        """
        config = self._configs.get(arn, InvokeConfig())
        request_id = str(uuid4())
        for attempt in range(1 + config.retries):
            try:
                return self._functions.invoke_function(arn, event, request_id)
            except FunctionError as failure:
                if attempt == config.retries:
                    self._dead_letter_event(
                        config, _build_invocation_record(arn, event, request_id, attempt + 1, failure)
                    )
                    raise
                time.sleep(_RETRY_WAIT_SECONDS)
        raise AssertionError("the loop makes at least one attempt")

    def _dead_letter_event(self, config: InvokeConfig, record: dict[str, Any]) -> None:
        if config.on_failure_queue_url:
            self._aws.sqs.send_message(QueueUrl=config.on_failure_queue_url, MessageBody=json.dumps(record))


def read_invoke_configs(template: Template) -> dict[str, InvokeConfig]:
    """Return the template's asynchronous invocation configs, by function ARN."""
    functions = {
        spec["FunctionName"]: name
        for name, spec in template.properties_by_type("AWS::Lambda::Function").items()
    }
    queues = read_queue_urls(template)
    configs = {}
    for spec in template.properties_by_type("AWS::Lambda::EventInvokeConfig").values():
        destination = spec.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        arn = template.attributes[functions[spec["FunctionName"]]]["Arn"]
        retries = spec.get("MaximumRetryAttempts", _DEFAULT_RETRIES)
        configs[arn] = InvokeConfig(retries, queues[destination] if destination else None)
    return configs


def read_queue_urls(template: Template) -> dict[str, str]:
    """Return the URL of each of the template's queues, by its ARN."""
    return {
        values["Arn"]: values["Ref"]
        for name, values in template.attributes.items()
        if template.resources[name].type == "AWS::SQS::Queue"
    }


def _build_invocation_record(
    arn: str, event: Any, request_id: str, attempts: int, failure: FunctionError
) -> dict[str, Any]:
    """Return the invocation record that Lambda sends to an on-failure destination."""
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {
            "errorMessage": str(failure),
            "errorType": failure.error_type,
            "stackTrace": failure.stack_trace,
        },
    }
