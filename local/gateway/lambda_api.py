"""Lambda's Invoke, for whoever calls the stack's functions by an AWS client."""

from __future__ import annotations

import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from local.gateway.messages import Request, Response, json_response
from local.lambda_.functions import FunctionFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.lambda_.asynchronous import AsynchronousInvoker
    from local.lambda_.endpoint import LambdaEndpoint
    from local.lambda_.functions import Functions

PREFIX = "/_local/lambda"
_PATH = re.compile(r"/2015-03-31/functions/(?P<function>[^/]+)/invocations/?")
_logger = logging.getLogger(__name__)
_CONCURRENT = 8


class LambdaApi:
    """Invokes a function that is named as Lambda's clients may name it: by ARN, qualified or not, or by name."""

    def __init__(
        self,
        functions: Functions | LambdaEndpoint,
        asynchronous: AsynchronousInvoker,
        arns: Mapping[str, str],
    ) -> None:
        self._functions = functions
        self._asynchronous = asynchronous
        self._arns = arns
        self._pool = ThreadPoolExecutor(_CONCURRENT, thread_name_prefix="invoke")

    def answer(self, request: Request) -> Response:
        """Answer a request below the prefix."""
        path = _PATH.fullmatch(request.path.removeprefix(PREFIX))
        if request.method != "POST" or not path:
            return _error(404, "UnknownOperationException", f"no operation {request.method} {request.path}")
        arn = self._arns.get(_name(unquote(path["function"])))
        if arn is None:
            return _error(404, "ResourceNotFoundException", f"Function not found: {path['function']}")
        try:
            event = json.loads(request.body or b"{}")
        except ValueError as error:
            return _error(400, "InvalidRequestContentException", str(error))
        if request.headers.get("x-amz-invocation-type") == "Event":
            self._pool.submit(self._deliver, arn, event)
            return Response(202)
        return self._invoke(arn, event)

    def _deliver(self, arn: str, event: Any) -> None:
        try:
            self._asynchronous.invoke(arn, event)
        except FunctionFailed as failure:
            _logger.info("%s failed for good: %s", arn, failure)

    def _invoke(self, arn: str, event: Any) -> Response:
        try:
            return json_response(200, self._functions.invoke(arn, event))
        except FunctionFailed as failure:
            body = {"errorMessage": str(failure), "errorType": failure.type, "stackTrace": failure.trace}
            return _with_header(json_response(200, body), "x-amz-function-error", "Unhandled")


def _name(function: str) -> str:
    """A function's name, out of its ARN or a part of that, without version or alias."""
    _, found, rest = function.rpartition("function:")
    return (rest if found else function).partition(":")[0]


def _error(status: int, code: str, message: str) -> Response:
    return _with_header(json_response(status, {"Type": "User", "Message": message}), "x-amzn-errortype", code)


def _with_header(response: Response, name: str, value: str) -> Response:
    return Response(response.status, response.body, [*response.headers, (name, value)])
