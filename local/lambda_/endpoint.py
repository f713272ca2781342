"""Functions that run elsewhere, behind a Lambda endpoint such as `sam local start-lambda`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.lambda_.functions import FunctionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.cloudformation.template import Template

_MAX_INVOCATION_SECONDS = 120


class LambdaEndpoint:
    """Invokes the template's functions by their logical ids and waits for the results."""

    def __init__(self, url: str, logical_ids: Mapping[str, str]) -> None:
        # No retries here: the queue counts the deliveries.
        config = Config(read_timeout=_MAX_INVOCATION_SECONDS, retries={"total_max_attempts": 1})
        self._client: Any = boto3.client("lambda", endpoint_url=url, config=config)
        self._logical_ids = logical_ids

    def invoke_function(self, arn: str, event: Any, _request_id: str | None = None) -> Any:
        """Invoke a function, ignoring version and alias of the ARN, and return its JSON result.

        Raises:
            FunctionError: The function failed or cannot be reached.
        """
        name = self._logical_ids[strip_qualifier(arn)]
        try:
            response = self._client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
            body = json.loads(response["Payload"].read())
        except (BotoCoreError, ClientError, ValueError) as error:
            raise FunctionError.from_exception(error) from error
        # `sam local` does not mark every failure by a header.
        if "FunctionError" in response or _is_error_body(body):
            raise FunctionError(body["errorMessage"], body["errorType"], body.get("stackTrace", []))
        return body


def _is_error_body(body: Any) -> bool:
    return isinstance(body, dict) and body.keys() >= {"errorType", "errorMessage"}


def read_logical_ids(template: Template) -> dict[str, str]:
    """Return the logical id of each of the template's functions, by its ARN."""
    return {
        template.attributes[name]["Arn"]: name
        for name in template.properties_by_type("AWS::Lambda::Function")
    }


def strip_qualifier(arn: str) -> str:
    """Return a function's ARN without version or alias."""
    return ":".join(arn.split(":")[:7])
