"""API Gateway's payload format 2.0: converts requests to events, and the results of functions to responses."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from local.gateway.messages import Request, Response

if TYPE_CHECKING:
    from local.gateway.routes import Route

_HEADER = re.compile(r"[!-9;-~]+: [\t -~\xa0-\xff]*")
_TEXT_TYPES = ("application/json", "application/xml", "application/javascript")


class InvalidFunctionResponse(Exception):
    """A function returned a result that API Gateway cannot convert to a response."""


def build_route_event(
    request: Request, route: Route, path_parameters: dict[str, str], authorizer: Any
) -> dict[str, Any]:
    """Return the event for the route's function."""
    event = _build_common_event(request, route, path_parameters)
    if authorizer:
        event["requestContext"]["authorizer"] = authorizer
    if request.body:
        text = _decode_text(request)
        event["body"] = base64.b64encode(request.body).decode() if text is None else text
    event["isBase64Encoded"] = bool(request.body) and _decode_text(request) is None
    return event


def build_authorizer_event(
    request: Request, route: Route, path_parameters: dict[str, str], identity: list[str], arn: str
) -> dict[str, Any]:
    """Return the event for the route's Lambda authorizer."""
    authorizer_fields = {"type": "REQUEST", "routeArn": arn, "identitySource": identity}
    return {**_build_common_event(request, route, path_parameters), **authorizer_fields}


def response_from_result(result: Any) -> Response:
    """Convert a function's result to a response.

    Raises:
        InvalidFunctionResponse: API Gateway cannot convert the result.
    """
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else json.dumps(result)
        return Response(200, text.encode(), [("content-type", "application/json")])
    headers = {str(name).lower(): str(value) for name, value in (result.get("headers") or {}).items()}
    headers.setdefault("content-type", "text/plain;charset=utf-8")
    cookies = [("set-cookie", str(cookie)) for cookie in result.get("cookies") or []]
    lines = [*headers.items(), *cookies]
    if invalid_headers := [name for name, value in lines if not _HEADER.fullmatch(f"{name}: {value}")]:
        raise InvalidFunctionResponse(f"header {', '.join(invalid_headers)}")
    return Response(_parse_status(result["statusCode"]), _decode_body(result), lines)


def _build_common_event(request: Request, route: Route, path_parameters: dict[str, str]) -> dict[str, Any]:
    cookies = request.headers.get("cookie", "")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": unquote(request.path),
        "rawQueryString": request.query,
        "headers": {name: value for name, value in request.headers.items() if name != "cookie"},
        "requestContext": _build_request_context(request, route),
    }
    if cookies:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if parameters := _parse_query(request.query):
        event["queryStringParameters"] = parameters
    if path_parameters:
        event["pathParameters"] = path_parameters
    return event


def _build_request_context(request: Request, route: Route) -> dict[str, Any]:
    now = time.time()
    host = request.headers.get("host", "localhost")
    return {
        "accountId": "anonymous",
        "apiId": "local",
        "domainName": host,
        "domainPrefix": host.split(".")[0].split(":")[0],
        "http": {
            "method": request.method,
            "path": unquote(request.path),
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": request.request_id,
        "routeKey": route.key,
        "stage": "$default",
        "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now * 1000),
    }


def _parse_query(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _decode_text(request: Request) -> str | None:
    """Return the body as text if API Gateway passes it as text; None if it passes base64."""
    content_type = request.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()
    if not content_type.startswith("text/") and content_type not in _TEXT_TYPES:
        return None
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        return None


def _parse_status(value: Any) -> int:
    if not isinstance(value, int | str) or not str(value).isdecimal() or not 200 <= int(value) < 600:
        raise InvalidFunctionResponse(f"status code {value!r}")
    return int(value)


def _decode_body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body)
    if not result.get("isBase64Encoded"):
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InvalidFunctionResponse("a body that is not base64") from None
