"""The HTTP API: finds the route, calls the authorizer and invokes the function, as API Gateway does."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from local.gateway.messages import Request, Response, json_response
from local.gateway.payload import (
    InvalidFunctionResponse,
    build_authorizer_event,
    build_route_event,
    response_from_result,
)
from local.lambda_.functions import FunctionError

if TYPE_CHECKING:
    from local.gateway.routes import Authorizer, Route, Routes
    from local.lambda_.functions import LocalFunctions

logger = logging.getLogger("local")

MAX_REQUEST_BYTES = 10 * 1024 * 1024
MAX_EVENT_BYTES = 6_291_456
MAX_RESPONSE_BYTES = 6_291_556

_LOCAL_CALLER = {
    "accountId": "123456789012",
    "callerId": "local",
    "userArn": "arn:aws:iam::123456789012:user/local",
    "userId": "local",
}


class HttpApi:
    """The HTTP API of the template."""

    def __init__(self, routes: Routes, functions: LocalFunctions, execute_api_arn: str) -> None:
        self._routes = routes
        self._functions = functions
        self._execute_api_arn = execute_api_arn
        """The prefix of the ARNs of the API's routes."""

    def handle_request(self, request: Request) -> Response:
        """Return the response to a request."""
        match = self._routes.find_route(request.method, request.path)
        if not match:
            return _message_response(404, "Not Found")
        try:
            return self._invoke_route(request, *match)
        except (FunctionError, InvalidFunctionResponse) as error:
            logger.error("%s: %s", match[0].key, error)
            return _message_response(500, "Internal Server Error")

    def _invoke_route(self, request: Request, route: Route, parameters: dict[str, str]) -> Response:
        caller: dict[str, Any] = {"iam": _LOCAL_CALLER} if route.requires_iam else {}
        if route.authorizer:
            authorization = self._authorize(request, route, parameters, route.authorizer)
            if isinstance(authorization, Response):
                return authorization
            caller = {"lambda": authorization}
        event = build_route_event(request, route, parameters, caller)
        if _json_size(event) > MAX_EVENT_BYTES:
            return too_large_response()
        result = self._functions.invoke_function(route.function_arn, event, request.request_id)
        if (size := _json_size(result)) > MAX_RESPONSE_BYTES:
            raise InvalidFunctionResponse(f"{size} bytes, over Lambda's limit of {MAX_RESPONSE_BYTES}")
        return response_from_result(result)

    def _authorize(
        self, request: Request, route: Route, parameters: dict[str, str], authorizer: Authorizer
    ) -> dict[str, Any] | Response:
        """Return the authorizer's context for the function, or the response that refuses the request."""
        identity = authorizer.resolve_identity(request, route)
        if not all(identity):
            return _message_response(401, "Unauthorized")
        arn = f"{self._execute_api_arn}/$default/{route.method}{request.path}"
        event = build_authorizer_event(request, route, parameters, identity, arn)
        result = self._functions.invoke_function(authorizer.function_arn, event)
        if not isinstance(result, dict) or result.get("isAuthorized") is not True:
            return _message_response(403, "Forbidden")
        return result.get("context") or {}


def too_large_response() -> Response:
    """Return the response to a request over the size limit of API Gateway or Lambda."""
    return _message_response(413, "Request Entity Too Large")


def _message_response(status: int, text: str) -> Response:
    return json_response(status, {"message": text})


def _json_size(value: Any) -> int:
    # surrogatepass: Lambda passes on JSON with lone surrogates.
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
