from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from local.clock import LocalClock
from local.gateway.api import HttpApi
from local.gateway.control import ControlApi
from local.gateway.routes import Route, Routes
from local.gateway.server import Gateway
from local.health import Health
from local.scheduler.firing import Delivery
from tests.local.support import create_functions

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


class StubScheduler:
    """A scheduler without timers that only sets the clock."""

    def __init__(self, clock: LocalClock) -> None:
        self.clock = clock

    def advance_to(self, to: datetime) -> list[Delivery]:
        if to < self.clock.now():
            raise ValueError("has passed")
        self.clock.freeze_at(to)
        return [Delivery("s", to, "success")]

    def advance_by(self, duration: timedelta) -> list[Delivery]:
        return self.advance_to(self.clock.now() + duration)

    def deliver_occurrence(self, schedule_id: str, scheduled_time: datetime) -> Delivery:
        if schedule_id != "s":
            raise LookupError(schedule_id)
        return Delivery(schedule_id, scheduled_time, "duplicate")


def echo(event: Any, _: Any) -> Any:
    fields = ("rawPath", "headers", "pathParameters", "isBase64Encoded")
    body = {name: event.get(name) for name in fields} | {"length": len(event.get("body", ""))}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}


@pytest.fixture(scope="module")
def health() -> Health:
    return Health({"runner": "http://127.0.0.1:8080"})


@pytest.fixture(scope="module")
def gateway(health: Health) -> Iterator[Gateway]:
    clock = LocalClock(START, frozen=True)
    reconciled = {"Reconcile": {"repaired": 0}}
    control = ControlApi(clock, cast(Any, StubScheduler(clock)), lambda: reconciled, health)
    routes = [Route(method, "/echo/{id}", "echo", None) for method in ("GET", "POST", "HEAD", "OPTIONS")]
    routes.append(Route("DELETE", "/echo/{id}", "gone", None))
    handlers = create_functions(echo=echo, gone=lambda *_: {"statusCode": 204})
    gateway = Gateway(0, HttpApi(Routes(routes), handlers, "arn"), control, cast(Any, None))
    Thread(target=gateway.serve_forever, args=(0.01,), daemon=True).start()
    yield gateway
    gateway.shutdown()
    gateway.server_close()


@pytest.fixture
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{gateway.server_address[1]}") as client:
        yield client


def send_raw(gateway: Gateway, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", gateway.server_address[1]), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        response = b""
        while piece := connection.recv(65536):
            response += piece
        return response


def test_headers_are_lower_case_and_joined(client: httpx.Client) -> None:
    response = client.get("/echo/1", headers=[("X-Many", "a"), ("x-many", "b"), ("X-Runner-Auth", "t")])
    headers = response.json()["headers"]
    assert (headers["x-many"], headers["x-runner-auth"]) == ("a,b", "t")


def test_encoded_path_is_decoded_for_the_function(client: httpx.Client) -> None:
    response = client.get("/echo/%C3%A9%2F%20?x=%zz")
    assert response.json()["pathParameters"] == {"id": "é/ "}


def test_connection_serves_many_requests(client: httpx.Client) -> None:
    assert [client.get("/echo/1").status_code for _ in range(3)] == [200, 200, 200]
    assert client.delete("/echo/1").status_code == 204
    assert client.get("/echo/1").status_code == 200


def test_a_hundred_simultaneous_connections_are_served(gateway: Gateway) -> None:
    def connect() -> socket.socket:
        return socket.create_connection(("127.0.0.1", gateway.server_address[1]), timeout=10)

    with ExitStack() as exit_stack:
        connections = [exit_stack.enter_context(connect()) for _ in range(100)]
        for connection in connections:
            connection.sendall(b"GET /echo/1 HTTP/1.1\r\nhost: x\r\n\r\n")
        assert {connection.recv(12) for connection in connections} == {b"HTTP/1.1 200"}


def test_head_has_no_body_and_options_reach_the_function(client: httpx.Client) -> None:
    head = client.head("/echo/1")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0
    assert client.options("/echo/1").status_code == 200
    assert client.options("/nowhere").status_code == 404
    assert client.request("TRACE", "/nowhere").status_code == 404


def test_chunked_body_is_accepted(client: httpx.Client) -> None:
    response = client.post("/echo/1", content=iter([b"abc", b"defg"]), headers={"content-type": "text/plain"})
    assert response.json()["length"] == 7


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_ten_megabytes_is_refused(client: httpx.Client, chunked: bool) -> None:
    body = b"x" * (10 * 1024 * 1024 + 1)
    response = client.post("/echo/1", content=iter([body]) if chunked else body)
    assert (response.status_code, response.json()) == (413, {"message": "Request Entity Too Large"})


@pytest.mark.parametrize(
    "data",
    [
        b"POST /echo/1 HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n",
        b"POST /echo/1 HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc",
        b"POST /echo/1 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_malformed_request_is_a_bad_request(gateway: Gateway, data: bytes) -> None:
    response = send_raw(gateway, data)
    assert b"400" in response.partition(b"\r\n")[0] or b"Error code: 400" in response


def test_health_is_503_until_everything_is_ready(health: Health, client: httpx.Client) -> None:
    assert client.get("/_local/health").status_code == 503
    health.ready = True
    assert client.get("/_local/health").json() == {
        "status": "ok",
        "runner": "http://127.0.0.1:8080",
        "parts": {},
    }


def test_clock_can_be_read_and_advanced(client: httpx.Client) -> None:
    assert client.get("/_local/clock").json() == {"now": "2026-11-23T09:00:00Z"}
    response = client.post("/_local/clock", json={"advance": "PT1H"}).json()
    fired = {"scheduleId": "s", "scheduledTime": "2026-11-23T10:00:00Z", "status": "success"}
    assert response == {"now": "2026-11-23T10:00:00Z", "fired": [fired]}
    response = client.post("/_local/clock", json={"to": "2026-11-23T11:00:00Z"}).json()
    assert response["now"] == "2026-11-23T11:00:00Z"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "the body must be"),
        (b"{", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"[" * 100_000, "not JSON"),
        (b'{"advance": 5}', "advance must be a string"),
        (b'{"advance": "1 hour"}', "not a duration"),
        (b'{"advance": "PT1H", "to": "x"}', "the body must be"),
        (b'{"to": "2020-01-01T00:00:00Z"}', "has passed"),
        (b'{"to": "soon"}', "not an instant"),
        (b'{"advance": "P3000000D"}', "the time is out of range"),
        (b'{"to": "9999-12-31T23:59:59-01:00"}', "the time is out of range"),
    ],
)
def test_invalid_clock_request_is_explained(client: httpx.Client, body: bytes, text: str) -> None:
    response = client.post("/_local/clock", content=body)
    assert response.status_code == 400
    assert text in response.json()["error"]


def test_occurrence_can_be_delivered_by_request(client: httpx.Client) -> None:
    body = {"scheduleId": "s", "scheduledTime": "2026-11-23T09:00:00Z"}
    assert client.post("/_local/deliver", json=body).json() == {**body, "status": "duplicate"}
    assert client.post("/_local/deliver", json={**body, "scheduleId": "t"}).status_code == 404
    assert client.post("/_local/deliver", json={"scheduleId": "s"}).status_code == 400


def test_reconcile_can_be_run_by_request(client: httpx.Client) -> None:
    assert client.post("/_local/reconcile").json() == {"Reconcile": {"repaired": 0}}


def test_description_of_the_api_is_served(client: httpx.Client) -> None:
    description, page = client.get("/_local/openapi.json"), client.get("/_local/api")

    assert (description.status_code, description.json()["openapi"]) == (200, "3.1.0")
    assert description.json()["servers"][0]["url"] == "/"
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.text.startswith("<!doctype html>")


def test_unknown_local_route_is_not_found(client: httpx.Client) -> None:
    assert client.get("/_local/nothing").status_code == 404
