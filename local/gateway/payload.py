"""API Gateway's payload format 2.0: requests to events, and what functions answer to responses."""

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


class UnusableAnswer(Exception):
    """A function's answer that API Gateway cannot turn into a response."""


def route_event(
    request: Request, route: Route, path_parameters: dict[str, str], authorizer: Any
) -> dict[str, Any]:
    """The event for the route's function."""
    event = _common(request, route, path_parameters)
    if authorizer:
        event["requestContext"]["authorizer"] = authorizer
    if request.body:
        text = _text(request)
        event["body"] = base64.b64encode(request.body).decode() if text is None else text
    event["isBase64Encoded"] = bool(request.body) and _text(request) is None
    return event


def authorizer_event(
    request: Request, route: Route, path_parameters: dict[str, str], identity: list[str], arn: str
) -> dict[str, Any]:
    """The event for the route's Lambda authorizer."""
    own = {"type": "REQUEST", "routeArn": arn, "identitySource": identity}
    return {**_common(request, route, path_parameters), **own}


def response_of(answer: Any) -> Response:
    """The response that a function's answer means.

    :raises UnusableAnswer: if it means none
    """
    if not isinstance(answer, dict) or "statusCode" not in answer:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return Response(200, text.encode(), [("content-type", "application/json")])
    headers = {str(name).lower(): str(value) for name, value in (answer.get("headers") or {}).items()}
    headers.setdefault("content-type", "text/plain;charset=utf-8")
    cookies = [("set-cookie", str(cookie)) for cookie in answer.get("cookies") or []]
    lines = [*headers.items(), *cookies]
    if unusable := [name for name, value in lines if not _HEADER.fullmatch(f"{name}: {value}")]:
        raise UnusableAnswer(f"header {', '.join(unusable)}")
    return Response(_status(answer["statusCode"]), _body(answer), lines)


def _common(request: Request, route: Route, path_parameters: dict[str, str]) -> dict[str, Any]:
    cookies = request.headers.get("cookie", "")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": unquote(request.path),
        "rawQueryString": request.query,
        "headers": {name: value for name, value in request.headers.items() if name != "cookie"},
        "requestContext": _context(request, route),
    }
    if cookies:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if parameters := _query_parameters(request.query):
        event["queryStringParameters"] = parameters
    if path_parameters:
        event["pathParameters"] = path_parameters
    return event


def _context(request: Request, route: Route) -> dict[str, Any]:
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


def _query_parameters(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _text(request: Request) -> str | None:
    """The body as text, where API Gateway passes text on; None where it passes base64."""
    kind = request.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()
    if not kind.startswith("text/") and kind not in _TEXT_TYPES:
        return None
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        return None


def _status(value: Any) -> int:
    if not isinstance(value, int | str) or not str(value).isdecimal() or not 200 <= int(value) < 600:
        raise UnusableAnswer(f"status code {value!r}")
    return int(value)


def _body(answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body)
    if not answer.get("isBase64Encoded"):
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise UnusableAnswer("a body that is not base64") from None
