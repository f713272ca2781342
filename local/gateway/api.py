"""The HTTP API: finds the route, asks the authorizer, invokes the function, as API Gateway does."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from local.gateway.messages import Request, Response, json_response
from local.gateway.payload import UnusableAnswer, authorizer_event, response_of, route_event
from local.lambda_.functions import FunctionFailed

if TYPE_CHECKING:
    from local.gateway.routes import Authorizer, Route, Routes
    from local.lambda_.functions import Functions

_logger = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 10 * 1024 * 1024
MAX_EVENT_BYTES = 6_291_456
MAX_ANSWER_BYTES = 6_291_556

_LOCAL_CALLER = {
    "accountId": "123456789012",
    "callerId": "local",
    "userArn": "arn:aws:iam::123456789012:user/local",
    "userId": "local",
}


class Api:
    """The API of the template."""

    def __init__(self, routes: Routes, functions: Functions, execute_api: str) -> None:
        self._routes = routes
        self._functions = functions
        self._execute_api = execute_api
        """What the ARNs of the API's routes begin with."""

    def answer(self, request: Request) -> Response:
        """Answer a request."""
        found = self._routes.find(request.method, request.path)
        if not found:
            return _message(404, "Not Found")
        try:
            return self._invoke(request, *found)
        except (FunctionFailed, UnusableAnswer) as error:
            _logger.error("%s: %s", found[0].key, error)
            return _message(500, "Internal Server Error")

    def _invoke(self, request: Request, route: Route, parameters: dict[str, str]) -> Response:
        caller: dict[str, Any] = {"iam": _LOCAL_CALLER} if route.iam else {}
        if route.authorizer:
            verdict = self._authorize(request, route, parameters, route.authorizer)
            if isinstance(verdict, Response):
                return verdict
            caller = {"lambda": verdict}
        event = route_event(request, route, parameters, caller)
        if _json_size(event) > MAX_EVENT_BYTES:
            return too_large()
        answer = self._functions.invoke(route.function, event, request.request_id)
        if (size := _json_size(answer)) > MAX_ANSWER_BYTES:
            raise UnusableAnswer(f"{size} bytes, over Lambda's limit of {MAX_ANSWER_BYTES}")
        return response_of(answer)

    def _authorize(
        self, request: Request, route: Route, parameters: dict[str, str], authorizer: Authorizer
    ) -> dict[str, Any] | Response:
        """What the authorizer passes on to the function, or the refusal."""
        identity = authorizer.identity(request, route)
        if not all(identity):
            return _message(401, "Unauthorized")
        arn = f"{self._execute_api}/$default/{route.method}{request.path}"
        event = authorizer_event(request, route, parameters, identity, arn)
        verdict = self._functions.invoke(authorizer.function, event)
        if not isinstance(verdict, dict) or verdict.get("isAuthorized") is not True:
            return _message(403, "Forbidden")
        return verdict.get("context") or {}


def too_large() -> Response:
    """The refusal of a request over API Gateway's or Lambda's limit."""
    return _message(413, "Request Entity Too Large")


def _message(status: int, text: str) -> Response:
    return json_response(status, {"message": text})


def _json_size(value: Any) -> int:
    # surrogatepass: a lone surrogate is legal in the JSON that Lambda passes on.
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
