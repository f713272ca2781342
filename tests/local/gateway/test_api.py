import base64
import json
from typing import Any

import pytest

from local.gateway.api import HttpApi
from local.gateway.routes import Authorizer, Route, Routes
from tests.local.support import create_functions, create_request


class RecordingHandler:
    """A handler that returns a fixed result and records the event."""

    def __init__(self, result: Any = None) -> None:
        self.result = result
        self.event: Any = None

    def __call__(self, event: Any, _: Any) -> Any:
        self.event = event
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def create_api(handler: RecordingHandler, authorizer: RecordingHandler | None = None) -> HttpApi:
    sources = ("$request.header.X-Runner-Auth", "$context.routeKey")
    route_authorizer = Authorizer("check", sources) if authorizer else None
    routes = Routes(
        [
            Route("GET", "/items/{id}", "act", route_authorizer),
            Route("POST", "/items", "act", route_authorizer),
            Route("PUT", "/admin/{id}", "act", None, requires_iam=True),
        ]
    )
    return HttpApi(
        routes,
        create_functions(act=handler, check=authorizer or RecordingHandler()),
        "arn:aws:execute-api:r:1:local",
    )


def test_event_has_payload_format_2() -> None:
    handler = RecordingHandler({"statusCode": 200})
    http_request = create_request(
        "GET", "/items/a%20b%2Fc", "x=1&x=2&y=&z=a%26b", user_agent="t", host="h", accept="a,b"
    )
    create_api(handler).handle_request(http_request)
    context = handler.event.pop("requestContext")
    assert handler.event == {
        "version": "2.0",
        "routeKey": "GET /items/{id}",
        "rawPath": "/items/a b/c",
        "rawQueryString": "x=1&x=2&y=&z=a%26b",
        "headers": {"user-agent": "t", "host": "h", "accept": "a,b"},
        "queryStringParameters": {"x": "1,2", "y": "", "z": "a&b"},
        "pathParameters": {"id": "a b/c"},
        "isBase64Encoded": False,
    }
    assert context["http"] == {
        "method": "GET",
        "path": "/items/a b/c",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "t",
    }
    assert (context["requestId"], context["stage"], context["routeKey"]) == (
        "request-1",
        "$default",
        "GET /items/{id}",
    )
    assert "authorizer" not in context


def test_cookies_are_a_separate_list() -> None:
    handler = RecordingHandler({"statusCode": 200})
    create_api(handler).handle_request(create_request("GET", "/items/1", cookie="a=1; b=2"))
    assert handler.event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in handler.event["headers"]


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'{"a":1}', "application/json", ('{"a":1}', False)),
        ("é".encode(), "text/plain; charset=utf-8", ("é", False)),
        (b"\xff\xfe", "application/json", (base64.b64encode(b"\xff\xfe").decode(), True)),
        (b"abc", "application/octet-stream", ("YWJj", True)),
    ],
)
def test_body_is_text_or_base64(body: bytes, content_type: str, expected: tuple[str, bool]) -> None:
    handler = RecordingHandler({"statusCode": 200})
    create_api(handler).handle_request(create_request("POST", "/items", body=body, content_type=content_type))
    assert (handler.event["body"], handler.event["isBase64Encoded"]) == expected


def test_empty_body_is_absent() -> None:
    handler = RecordingHandler({"statusCode": 200})
    create_api(handler).handle_request(create_request("POST", "/items"))
    assert "body" not in handler.event


def test_authorizer_receives_the_request_and_its_context_reaches_the_function() -> None:
    handler = RecordingHandler({"statusCode": 204})
    authorizer = RecordingHandler({"isAuthorized": True, "context": {"runner": "r1"}})
    assert (
        create_api(handler, authorizer)
        .handle_request(create_request("GET", "/items/1", x_runner_auth="t"))
        .status
        == 204
    )
    assert authorizer.event["type"] == "REQUEST"
    assert authorizer.event["identitySource"] == ["t", "GET /items/{id}"]
    assert authorizer.event["headers"] == {"x-runner-auth": "t"}
    assert authorizer.event["pathParameters"] == {"id": "1"}
    assert authorizer.event["routeArn"] == "arn:aws:execute-api:r:1:local/$default/GET/items/1"
    assert handler.event["requestContext"]["authorizer"] == {"lambda": {"runner": "r1"}}


@pytest.mark.parametrize(
    ("headers", "authorizer_result", "status", "message"),
    [
        ({}, {"isAuthorized": True}, 401, "Unauthorized"),
        ({"x_runner_auth": ""}, {"isAuthorized": True}, 401, "Unauthorized"),
        ({"x_runner_auth": "t"}, {"isAuthorized": False}, 403, "Forbidden"),
        ({"x_runner_auth": "t"}, {}, 403, "Forbidden"),
        ({"x_runner_auth": "t"}, RuntimeError("down"), 500, "Internal Server Error"),
    ],
)
def test_refused_request_gets_the_response_of_api_gateway(
    headers: dict[str, str], authorizer_result: Any, status: int, message: str
) -> None:
    handler = RecordingHandler({"statusCode": 200})
    response = create_api(handler, RecordingHandler(authorizer_result)).handle_request(
        create_request("GET", "/items/1", body=b"", **headers)
    )
    assert (response.status, json.loads(response.body)) == (status, {"message": message})
    assert handler.event is None


def test_admin_route_needs_no_signature() -> None:
    handler = RecordingHandler({"statusCode": 200})
    create_api(handler, RecordingHandler({"isAuthorized": False})).handle_request(
        create_request("PUT", "/admin/1")
    )
    assert handler.event["requestContext"]["authorizer"]["iam"]["accountId"] == "123456789012"


@pytest.mark.parametrize(
    "route", [("GET", "/nowhere"), ("DELETE", "/items"), ("GET", "/items/"), ("HEAD", "*")]
)
def test_unknown_route_is_not_found(route: tuple[str, str]) -> None:
    response = create_api(RecordingHandler()).handle_request(create_request(*route))
    assert (response.status, json.loads(response.body)) == (404, {"message": "Not Found"})


@pytest.mark.parametrize(
    ("result", "status", "body", "content_type"),
    [
        ({"statusCode": 201, "body": "x"}, 201, b"x", "text/plain;charset=utf-8"),
        ({"statusCode": 200, "headers": {"Content-Type": "a/b"}, "body": "x"}, 200, b"x", "a/b"),
        ({"statusCode": 200, "body": "eA==", "isBase64Encoded": True}, 200, b"x", "text/plain;charset=utf-8"),
        ({"a": 1}, 200, b'{"a": 1}', "application/json"),
        ("plain", 200, b"plain", "application/json"),
    ],
)
def test_result_becomes_an_http_response(result: Any, status: int, body: bytes, content_type: str) -> None:
    response = create_api(RecordingHandler(result)).handle_request(create_request("POST", "/items"))
    assert (response.status, response.body, dict(response.headers)["content-type"]) == (
        status,
        body,
        content_type,
    )


def test_cookies_become_set_cookie_headers() -> None:
    response = create_api(RecordingHandler({"statusCode": 200, "cookies": ["a=1", "b=2"]})).handle_request(
        create_request("POST", "/items")
    )
    assert response.headers[1:] == [("set-cookie", "a=1"), ("set-cookie", "b=2")]


@pytest.mark.parametrize(
    "result",
    [
        RuntimeError("bug"),
        {"statusCode": "many"},
        {"statusCode": 200, "body": "no base64", "isBase64Encoded": True},
        {"statusCode": 200, "headers": {"x": "a\r\nb: c"}},
        {"statusCode": 200, "body": {1, 2}},
        {"statusCode": 200, "body": '"' * 3_200_000},
    ],
)
def test_invalid_result_is_an_internal_server_error(result: Any) -> None:
    response = create_api(RecordingHandler(result)).handle_request(create_request("POST", "/items"))
    assert (response.status, json.loads(response.body)) == (500, {"message": "Internal Server Error"})


def test_event_over_the_lambda_limit_is_refused() -> None:
    handler = RecordingHandler({"statusCode": 200})
    http_request = create_request("POST", "/items", body=b'"' * 3_200_000, content_type="text/plain")
    assert create_api(handler).handle_request(http_request).status == 413
    assert handler.event is None
