"""Lambda's Invoke operation, for AWS clients that call the stack's functions."""

from __future__ import annotations

import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from local.gateway.messages import Request, Response, json_response
from local.lambda_.functions import FunctionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.lambda_.endpoint import LambdaEndpoint
    from local.lambda_.functions import LocalFunctions

PREFIX = "/_local/lambda"
_PATH = re.compile(r"/2015-03-31/functions/(?P<function>[^/]+)/invocations/?")
logger = logging.getLogger("local")
_MAX_CONCURRENCY = 8


class LambdaApi:
    """Invokes a function by any identifier that Lambda accepts: a name, or a full or partial ARN, qualified or not.

    An asynchronous invocation is not retried: nothing here depends on Lambda's retries.
    """

    def __init__(self, functions: LocalFunctions | LambdaEndpoint, arns: Mapping[str, str]) -> None:
        self._functions = functions
        self._arns = arns
        self._pool = ThreadPoolExecutor(_MAX_CONCURRENCY, thread_name_prefix="invoke")

    def handle_request(self, request: Request) -> Response:
        """Return the response to a request below the prefix."""
        match = _PATH.fullmatch(request.path.removeprefix(PREFIX))
        if request.method != "POST" or not match:
            return _error_response(
                404, "UnknownOperationException", f"no operation {request.method} {request.path}"
            )
        arn = self._arns.get(_parse_function_name(unquote(match["function"])))
        if arn is None:
            return _error_response(
                404, "ResourceNotFoundException", f"Function not found: {match['function']}"
            )
        try:
            event = json.loads(request.body or b"{}")
        except ValueError as error:
            return _error_response(400, "InvalidRequestContentException", str(error))
        if request.headers.get("x-amz-invocation-type") == "Event":
            self._pool.submit(self._invoke_async, arn, event)
            return Response(202)
        return self._invoke_sync(arn, event)

    def _invoke_async(self, arn: str, event: Any) -> None:
        try:
            self._functions.invoke_function(arn, event)
        except FunctionError as failure:
            logger.warning("%s failed: %s", arn, failure)

    def _invoke_sync(self, arn: str, event: Any) -> Response:
        try:
            return json_response(200, self._functions.invoke_function(arn, event))
        except FunctionError as failure:
            body = {
                "errorMessage": str(failure),
                "errorType": failure.error_type,
                "stackTrace": failure.stack_trace,
            }
            return _with_header(json_response(200, body), "x-amz-function-error", "Unhandled")


def _parse_function_name(function: str) -> str:
    """Return the function's name from a name or a full or partial ARN, without version or alias."""
    _, separator, rest = function.rpartition("function:")
    return (rest if separator else function).partition(":")[0]


def _error_response(status: int, code: str, message: str) -> Response:
    return _with_header(json_response(status, {"Type": "User", "Message": message}), "x-amzn-errortype", code)


def _with_header(response: Response, name: str, value: str) -> Response:
    return Response(response.status, response.body, [*response.headers, (name, value)])
