import base64
import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from scheduling.clients import runner as runner_module
from scheduling.clients.runner import RunnerClient
from scheduling.domain.errors import Unavailable
from scheduling.domain.install import Install, InstallConfig
from scheduling.domain.runs import Outcome, RunStatus
from scheduling.settings import RunnerSettings

from tests.unit.builders import INSTALL_ID, SCHEDULE_ID, fire, install, schedule

KIB_256 = 256 * 1024
TIMEOUT_MS = 200
DROPS, DROP_SECONDS = 90, 0.1
"""A late answer takes 9 s, far more than the client may wait, and never is silent for as long as that."""
TRANSPORT_HEADERS = {"host", "content-length", "accept-encoding", "user-agent", "connection"}
TOO_SLOW = "The runner did not answer within 0.2 s"


@dataclass
class ReceivedRequest:
    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.raw))


class _Handler(socketserver.StreamRequestHandler):
    server: "LocalRunner"

    def handle(self) -> None:
        method, path, _version = self.rfile.readline().decode().split()
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        raw = self.rfile.read(int(headers["content-length"]))
        self.server.received.append(ReceivedRequest(method, path, headers, raw))
        self.server.respond(self.connection, self.server.stopping)
        self.server.finished.set()


class LocalRunner(socketserver.ThreadingTCPServer):
    """One answer for each connection, byte for byte as a test says."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[ReceivedRequest] = []
        self.stopping = threading.Event()
        self.finished = threading.Event()
        """Whether a response was given to its end: not one that the client has broken off."""
        self.closed_connections = threading.Semaphore(0)
        self.respond: Callable[[socket.socket, threading.Event], None] = respond_with(b"{}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.closed_connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no failure of the server's."""


def respond_with(
    body: bytes, status: str = "200 OK", headers: str = ""
) -> Callable[[socket.socket, threading.Event], None]:
    """A whole answer with its length."""

    def respond(connection: socket.socket, _stopping: threading.Event) -> None:
        head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
        connection.sendall(head.encode() + body)

    return respond


def send_bytes(data: bytes, *, reset: bool = False) -> Callable[[socket.socket, threading.Event], None]:
    """These very bytes, and then the end of the connection."""

    def respond(connection: socket.socket, _stopping: threading.Event) -> None:
        connection.sendall(data)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    return respond


def drip_bytes(
    first: bytes, repeated_bytes: bytes, last: bytes = b""
) -> Callable[[socket.socket, threading.Event], None]:
    """Drop by drop; `first`, the drops and `last` are a whole answer."""

    def respond(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(first)
        for _ in range(DROPS):
            if stopping.wait(DROP_SECONDS):
                return
            connection.sendall(repeated_bytes)
        connection.sendall(last)

    return respond


def never_respond(_connection: socket.socket, stopping: threading.Event) -> None:
    stopping.wait(DROPS * DROP_SECONDS)


def extension_response(status: object, body: bytes | None = None) -> bytes:
    """The runner's answer for an extension that answered so."""
    response: dict[str, object] = {"status": status, "headers": {"content-type": "text/plain"}}
    if body is not None:
        response["body_b64"] = base64.b64encode(body).decode()
    return json.dumps(response).encode()


@pytest.fixture
def local() -> Iterator[LocalRunner]:
    with LocalRunner() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()


def create_settings(url: str, timeout_ms: int = 30_000) -> RunnerSettings:
    return RunnerSettings(stack_name="stack-1", runner_base_url=url, runner_timeout_ms=timeout_ms)


@dataclass
class RunnerHarness:
    """The real runner client, and the fire that it is given."""

    url: str
    timeout_ms: int = 30_000
    token: Callable[[], str] | None = None
    callback_token: Callable[[Install], str] | None = None
    install: Install = field(default_factory=install)
    config: InstallConfig = field(default_factory=InstallConfig)

    def execute_fire(self, **fields: Any) -> Outcome:
        runner = RunnerClient(create_settings(self.url, self.timeout_ms), self.token, self.callback_token)
        return runner.execute_endpoint(fire(), self.install, self.config, schedule(**fields))


@pytest.fixture
def client(local: LocalRunner) -> RunnerHarness:
    return RunnerHarness(local.url)


@pytest.fixture
def short_timeout_client(local: LocalRunner, monkeypatch: pytest.MonkeyPatch) -> RunnerHarness:
    """A client that waits for 0.2 s and no longer."""
    monkeypatch.setattr(runner_module, "_OVERHEAD_SECONDS", 0.0)
    return RunnerHarness(local.url, timeout_ms=TIMEOUT_MS)


def error_outcome(text: str, *, retryable: bool = True, http_status: int | None = None) -> Outcome:
    return Outcome(status=RunStatus.ERROR, error=text, retryable=retryable, http_status=http_status)


def test_the_request_is_the_contracts(local: LocalRunner, client: RunnerHarness) -> None:
    client.execute_fire(payload='{"a":"é"}')

    (received,) = local.received
    request_id = received.headers["x-request-id"]
    assert (received.method, received.path) == ("POST", "/v1/execute")
    assert received.body == {
        "context": {
            "request_id": request_id,
            "tenant_id": "tenant-1",
            "extension_id": "registry-1",
            "install_id": INSTALL_ID,
            "version_id": "version-1",
            "content_hash": "sha256:abc",
            "config": {},
            "trigger": "schedule",
            "schedule_id": SCHEDULE_ID,
            "scheduled_for": "2026-11-23T09:00:00Z",
        },
        "http": {
            "method": "POST",
            "path": "/api/sync",
            "query": {},
            "headers": {"x-alga-tenant": "tenant-1", "x-alga-extension": "registry-1"},
            "body_b64": base64.b64encode('{"a":"é"}'.encode()).decode(),
        },
        "limits": {"timeout_ms": 30000},
        "providers": ["cap:context.read", "cap:scheduler.manage"],
        "secret_envelope": {},
    }


def test_the_headers_are_the_contracts_and_the_transports(local: LocalRunner, client: RunnerHarness) -> None:
    client.execute_fire()

    headers = local.received[0].headers
    request_id = headers.pop("x-request-id")
    assert str(UUID(request_id)) == request_id
    assert {name: value for name, value in headers.items() if name not in TRANSPORT_HEADERS} == {
        "content-type": "application/json",
        "x-idempotency-key": f"{SCHEDULE_ID}:2026-11-23T09:00:00Z",
        "x-alga-tenant": "tenant-1",
        "x-alga-extension": "registry-1",
    }


def test_service_token_is_read_for_each_call(local: LocalRunner, client: RunnerHarness) -> None:
    client.token = iter(["first", "second"]).__next__
    client.execute_fire()
    client.execute_fire()

    assert [received.headers["x-runner-service-token"] for received in local.received] == ["first", "second"]


def test_callback_token_is_issued_per_call_and_changes_nothing_else(
    local: LocalRunner, client: RunnerHarness
) -> None:
    client.execute_fire()
    numbers = iter([1, 2])
    client.callback_token = lambda install: f"token-{next(numbers)}-{install.id}"
    client.execute_fire()
    client.execute_fire()

    contexts = [received.body["context"] for received in local.received]
    tokens = [context.pop("callback_token", None) for context in contexts]
    assert tokens == [None, f"token-1-{INSTALL_ID}", f"token-2-{INSTALL_ID}"]
    plain, *others = (received.body | {"context": None} for received in local.received)
    assert others == [plain, plain]
    for context in contexts:
        del context["request_id"]
    assert contexts[1:] == [contexts[0], contexts[0]]


def test_an_install_without_the_capability_gets_no_callback_token(
    local: LocalRunner, client: RunnerHarness
) -> None:
    client.install = install(granted_capabilities=frozenset({"cap:context.read"}))
    client.callback_token = lambda _install: pytest.fail("made for nobody")

    client.execute_fire()

    assert "callback_token" not in local.received[0].body["context"]


def test_callback_token_is_issued_last(client: RunnerHarness) -> None:
    issued = []

    def issue_token(token: str) -> str:
        issued.append(token)
        return token

    client.token = lambda: issue_token("service")
    client.callback_token = lambda _install: issue_token("callback")
    client.execute_fire()

    assert issued == ["service", "callback"]


def test_each_attempt_has_its_own_request_id_and_the_same_key(
    local: LocalRunner, client: RunnerHarness
) -> None:
    client.execute_fire()
    client.execute_fire()

    first, second = (received.headers for received in local.received)
    assert first["x-request-id"] != second["x-request-id"]
    assert first["x-idempotency-key"] == second["x-idempotency-key"]


@pytest.mark.parametrize(
    ("method", "payload", "body"),
    [
        pytest.param("POST", '{"a":1}', '{"a":1}', id="POST with a payload"),
        pytest.param("POST", "[1e400,1.0]", "[1e400,1.0]", id="POST, numbers exact"),
        pytest.param("POST", "{}", "{}", id="POST with an empty one"),
        pytest.param("POST", None, None, id="POST without"),
        pytest.param("GET", '{"a":1}', None, id="GET with a payload"),
        pytest.param("GET", None, None, id="GET without"),
    ],
)
def test_only_a_post_carries_its_payload(
    local: LocalRunner, client: RunnerHarness, method: str, payload: str | None, body: str | None
) -> None:
    client.execute_fire(endpoint_method=method, payload=payload)

    http = local.received[0].body["http"]
    assert http["method"] == method
    if body is None:
        assert "body_b64" not in http
    else:
        assert base64.b64decode(http["body_b64"], validate=True).decode() == body


def test_config_and_secrets_are_passed_unchanged(local: LocalRunner, client: RunnerHarness) -> None:
    client.config = InstallConfig(
        config='{"rate":1.0,"big":1e400,"é":12345678901234567890123}', secret_envelope='{"v":-0,"c":"é"}'
    )

    client.execute_fire()

    raw = local.received[0].raw.decode()
    assert '{"rate":1.0,"big":1e400,"é":12345678901234567890123}' in raw
    assert '{"v":-0,"c":"é"}' in raw
    assert local.received[0].body["context"]["config"]["rate"] == 1.0
    assert local.received[0].body["secret_envelope"] == {"v": 0, "c": "é"}


def test_the_timeout_is_passed_on(local: LocalRunner, client: RunnerHarness) -> None:
    client.timeout_ms = 1500

    client.execute_fire()

    assert local.received[0].body["limits"] == {"timeout_ms": 1500}


@pytest.mark.parametrize(
    ("suffix", "path"),
    [
        ("", "/v1/execute"),
        ("/", "/v1/execute"),
        ("/runner", "/runner/v1/execute"),
        ("/runner/", "/runner/v1/execute"),
    ],
)
def test_the_base_url_may_have_a_path_and_a_slash(
    local: LocalRunner, client: RunnerHarness, suffix: str, path: str
) -> None:
    client.url += suffix

    client.execute_fire()

    assert local.received[0].path == path


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_extension_response_2xx_is_success(local: LocalRunner, client: RunnerHarness, status: int) -> None:
    local.respond = respond_with(extension_response(status, b"done"))

    assert client.execute_fire() == Outcome(status=RunStatus.SUCCESS, http_status=status)


@pytest.mark.parametrize(
    "response",
    [b'{"status":200}', b'{"status":200,"body_b64":null}', b' {"status": 200, "more": [1]} '],
    ids=["status alone", "null body", "more fields"],
)
def test_response_needs_only_a_status(local: LocalRunner, client: RunnerHarness, response: bytes) -> None:
    local.respond = respond_with(response)

    assert client.execute_fire() == Outcome(status=RunStatus.SUCCESS, http_status=200)


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        (301, False),
        (400, False),
        (404, False),
        (429, False),
        (499, False),
        (500, True),
        (503, True),
        (599, True),
    ],
)
def test_other_extension_responses_fail_and_5xx_is_retried(
    local: LocalRunner, client: RunnerHarness, status: int, retryable: bool
) -> None:
    local.respond = respond_with(extension_response(status, "läuft nicht".encode()))

    assert client.execute_fire() == error_outcome(
        f"The extension answered {status}: läuft nicht", retryable=retryable, http_status=status
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(None, "nothing", id="none"),
        pytest.param(b"", "nothing", id="empty"),
        pytest.param(b" \n", "nothing", id="blank"),
        pytest.param(b"\xff", "\ufffd", id="not UTF-8"),
        pytest.param(b"x" * 5000, "x" * 2000, id="long"),
    ],
)
def test_error_contains_the_start_of_the_extension_response(
    local: LocalRunner, client: RunnerHarness, body: bytes | None, text: str
) -> None:
    local.respond = respond_with(extension_response(404, body))

    assert client.execute_fire().error == f"The extension answered 404: {text}"


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        ("400 Bad Request", 400, False),
        ("401 Unauthorized", 401, False),
        ("404 Not Found", 404, False),
        ("499 Odd", 499, False),
        ("500 Internal Server Error", 500, True),
        ("502 Bad Gateway", 502, True),
        ("504 Gateway Timeout", 504, True),
    ],
)
def test_runner_refusal_is_an_error_whatever_its_body(
    local: LocalRunner, client: RunnerHarness, status: str, code: int, retryable: bool
) -> None:
    local.respond = respond_with(b'{"status":200}', status)

    assert client.execute_fire() == error_outcome(
        f'The runner answered {code}: {{"status":200}}', retryable=retryable
    )


def test_empty_runner_refusal_is_an_error(local: LocalRunner, client: RunnerHarness) -> None:
    local.respond = respond_with(b"", "503 Service Unavailable")

    assert client.execute_fire() == error_outcome("The runner answered 503: nothing")


@pytest.mark.parametrize(
    ("response", "excerpt"),
    [
        pytest.param(b"", "nothing", id="empty"),
        pytest.param(b"<html>", "<html>", id="no JSON"),
        pytest.param(b'{"status":200', '{"status":200', id="JSON cut short"),
        pytest.param(b"\xff\xfe\xfd", "\ufffd\ufffd\ufffd", id="no text"),
        pytest.param(b"[" * 50_000, "[" * 2000, id="bottomless"),
        pytest.param(b"null", "null", id="null"),
        pytest.param(b"200", "200", id="a number"),
        pytest.param(b"[200]", "[200]", id="an array"),
        pytest.param(b'"status"', '"status"', id="a text"),
        pytest.param(b"{}", "{}", id="no status"),
        *(
            pytest.param(f'{{"status":{status}}}'.encode(), f'{{"status":{status}}}', id=f"status {status}")
            for status in ("null", '"200"', "true", "200.0", "99", "600", "0", "-200", "[200]", "NaN")
        ),
        *(
            pytest.param(
                f'{{"status":200,"body_b64":{body}}}'.encode(),
                f'{{"status":200,"body_b64":{body}}}',
                id=f"body {body}",
            )
            for body in ('"!"', '"YQ"', "1", "true", '["YQ=="]', '{"a":1}', '"é"')
        ),
    ],
)
def test_malformed_response_is_an_error(
    local: LocalRunner, client: RunnerHarness, response: bytes, excerpt: str
) -> None:
    local.respond = respond_with(response)

    assert client.execute_fire() == error_outcome(f"The runner's answer is not understood: {excerpt}")


def padded_response(size: int) -> bytes:
    around = len('{"status":200,"headers":""}')
    return b'{"status":200,"headers":"' + b"x" * (size - around) + b'"}'


CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def chunked_response(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("form", ["with its length", "chunked", "to the end of the connection"])
@pytest.mark.parametrize("excess", [0, 1], ids=["256 KiB", "a byte more"])
def test_response_can_have_at_most_256_kib(
    local: LocalRunner, client: RunnerHarness, form: str, excess: int
) -> None:
    body = padded_response(KIB_256 + excess)
    local.respond = {
        "with its length": respond_with(body),
        "chunked": send_bytes(CHUNKED.encode() + chunked_response(body, 10_000)),
        "to the end of the connection": send_bytes(b"HTTP/1.1 200 OK\r\n\r\n" + body),
    }[form]

    outcome = client.execute_fire()

    if excess:
        assert outcome == error_outcome("The runner's answer is larger than 256 KiB")
    else:
        assert outcome == Outcome(status=RunStatus.SUCCESS, http_status=200)


def test_response_in_one_byte_chunks_is_read(local: LocalRunner, client: RunnerHarness) -> None:
    local.respond = send_bytes(CHUNKED.encode() + chunked_response(extension_response(404, b"in pieces"), 1))

    assert client.execute_fire().error == "The extension answered 404: in pieces"


@pytest.mark.parametrize(
    "respond",
    [
        pytest.param(never_respond, id="no response"),
        pytest.param(drip_bytes(b"HTTP/1.1 200 OK\r\n\r\n", b" ", b'{"status":200}'), id="a body that drips"),
        pytest.param(
            drip_bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 104\r\n\r\n", b" ", b'{"status":200}'),
            id="a body of known length that drips",
        ),
        pytest.param(
            drip_bytes(CHUNKED.encode(), b"1\r\n \r\n", b'e\r\n{"status":200}\r\n0\r\n\r\n'),
            id="chunks that drip",
        ),
        pytest.param(
            drip_bytes(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", b'content-length: 14\r\n\r\n{"status":200}'),
            id="headers that drip",
        ),
        pytest.param(
            drip_bytes(b"HTTP/1.1 404 Not Found\r\n", b"x: y\r\n", b"content-length: 0\r\n\r\n"),
            id="a refusal's headers that drip",
        ),
        pytest.param(
            drip_bytes(b"HTTP/1.1 200 ", b"x", b'\r\ncontent-length: 14\r\n\r\n{"status":200}'),
            id="a status line that drips",
        ),
    ],
)
def test_late_response_is_an_error(
    local: LocalRunner,
    short_timeout_client: RunnerHarness,
    respond: Callable[[socket.socket, threading.Event], None],
) -> None:
    local.respond = respond

    outcome = short_timeout_client.execute_fire()

    assert outcome == error_outcome(TOO_SLOW)
    assert not local.finished.wait(0.05)


def test_slow_response_within_the_timeout_is_accepted(local: LocalRunner, client: RunnerHarness) -> None:
    body = extension_response(200)

    def respond(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode())
        stopping.wait(0.02)
        connection.sendall(body)

    local.respond = respond

    assert client.execute_fire() == Outcome(status=RunStatus.SUCCESS, http_status=200)


def test_unreachable_runner_is_an_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    assert RunnerHarness(f"http://127.0.0.1:{port}").execute_fire() == error_outcome(
        "The runner could not be reached: ConnectionRefusedError"
    )


def raise_unavailable() -> str:
    raise Unavailable("The secret store is not available, please try again")


def test_unreadable_service_token_is_an_error(local: LocalRunner, client: RunnerHarness) -> None:
    client.token = raise_unavailable

    assert client.execute_fire() == error_outcome(
        "The runner's service token could not be read: The secret store is not available, please try again"
    )
    assert local.received == []


def test_unsigned_callback_token_is_an_error(local: LocalRunner, client: RunnerHarness) -> None:
    client.callback_token = lambda _install: raise_unavailable()

    assert client.execute_fire() == error_outcome(
        "The callback token could not be signed: The secret store is not available, please try again"
    )
    assert local.received == []


def test_invalid_service_token_is_an_error_without_showing_it(client: RunnerHarness) -> None:
    client.token = lambda: "first-line\nsecond-line"

    outcome = client.execute_fire()

    assert outcome.status is RunStatus.ERROR
    assert "line" not in (outcome.error or "")


@pytest.mark.parametrize(
    ("respond", "kind"),
    [
        pytest.param(send_bytes(b""), "RemoteDisconnected", id="closed before the response"),
        pytest.param(send_bytes(b"", reset=True), "ConnectionResetError", id="reset before the response"),
        pytest.param(
            send_bytes(b'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"status":200}', reset=True),
            "ConnectionResetError",
            id="reset in the middle",
        ),
        pytest.param(
            send_bytes(b'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"status":200}'),
            "IncompleteRead",
            id="closed in the middle",
        ),
        pytest.param(
            send_bytes(CHUNKED.encode() + b'e\r\n{"status":200}\r\n'),
            "IncompleteRead",
            id="closed between chunks",
        ),
        pytest.param(
            send_bytes(CHUNKED.encode() + b'e\r\n{"status"'),
            "IncompleteRead",
            id="closed in a chunk",
        ),
        pytest.param(
            send_bytes(CHUNKED.encode() + b"zz\r\n"),
            "IncompleteRead",
            id="a chunk of no length",
        ),
        pytest.param(send_bytes(b"SSH-2.0-x\r\n"), "BadStatusLine", id="not HTTP"),
        pytest.param(
            send_bytes(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n"),
            "HTTPException",
            id="200 headers",
        ),
        pytest.param(
            send_bytes(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n"),
            "LineTooLong",
            id="a header of 70 kB",
        ),
    ],
)
def test_broken_connection_is_an_error(
    local: LocalRunner,
    client: RunnerHarness,
    respond: Callable[[socket.socket, threading.Event], None],
    kind: str,
) -> None:
    local.respond = respond

    assert client.execute_fire() == error_outcome(f"The connection to the runner failed: {kind}")


def test_call_is_never_repeated(local: LocalRunner, client: RunnerHarness) -> None:
    local.respond = send_bytes(b"", reset=True)

    client.execute_fire()

    assert len(local.received) == 1


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
def test_redirect_is_an_error_and_not_followed(
    local: LocalRunner, client: RunnerHarness, status: str
) -> None:
    local.respond = respond_with(b"", status, f"location: {local.url}/elsewhere\r\n")

    outcome = client.execute_fire()

    assert outcome.status is RunStatus.ERROR
    assert [received.path for received in local.received] == ["/v1/execute"]


@pytest.mark.parametrize("status", ["302 Found", "304 Not Modified"])
def test_redirect_is_an_error_whatever_its_body(
    local: LocalRunner, client: RunnerHarness, status: str
) -> None:
    local.respond = respond_with(b'{"status":200}', status)

    assert client.execute_fire().status is RunStatus.ERROR


def test_connection_closed_by_the_runner_is_not_reused(local: LocalRunner) -> None:
    runner = RunnerClient(create_settings(local.url), None, None)
    local.respond = respond_with(extension_response(200))

    for _ in range(3):
        outcome = runner.execute_endpoint(fire(), install(), InstallConfig(), schedule())
        assert outcome == Outcome(status=RunStatus.SUCCESS, http_status=200)
        assert local.closed_connections.acquire(timeout=5)

    assert len(local.received) == 3
