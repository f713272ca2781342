"""The runner over HTTP (contract, section 6)."""

import base64
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from threading import Timer
from urllib.parse import urlsplit
from uuid import uuid4

from scheduling.domain.errors import Unavailable
from scheduling.domain.install import SCHEDULER_MANAGE, Install, InstallConfig
from scheduling.domain.runs import Fire, Outcome, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.settings import RunnerSettings

MAX_RUNNER_RESPONSE_BYTES = 256 * 1024
_CONNECT_TIMEOUT_SECONDS = 2.0
_OVERHEAD_SECONDS = 2.0


class RunnerClient:
    """The service that executes extensions."""

    def __init__(
        self,
        settings: RunnerSettings,
        service_token: Callable[[], str] | None,
        callback_token: Callable[[Install], str] | None,
    ) -> None:
        self._base_url = urlsplit(settings.runner_base_url)
        self._path = f"{self._base_url.path.rstrip('/')}/v1/execute"
        self._timeout_ms = settings.runner_timeout_ms
        self._deadline_seconds = settings.runner_timeout_ms / 1000 + _OVERHEAD_SECONDS
        self._service_token = service_token
        self._callback_token = callback_token
        self._tls = ssl.create_default_context() if self._base_url.scheme == "https" else None

    def execute_endpoint(
        self, fire: Fire, install: Install, config: InstallConfig, schedule: Schedule
    ) -> Outcome:
        """Call the endpoint and return the outcome, which also describes every failure.

        One POST, bounded in time and in size.
        """
        request_id = str(uuid4())
        try:
            headers = self._build_headers(fire, install, request_id)
            # Last, since its callback token is short-lived.
            body = self._build_body(fire, install, config, schedule, request_id)
            status, response_body = self._post_request(headers, body.encode())
        except Unavailable as unavailable:
            return _failed_outcome(str(unavailable))
        except _RunnerUnreachable as error:
            return _failed_outcome(f"The runner could not be reached: {error}")
        except TimeoutError:
            return _failed_outcome(f"The runner did not answer within {self._deadline_seconds:g} s")
        except (OSError, HTTPException) as error:
            return _failed_outcome(f"The connection to the runner failed: {type(error).__name__}")
        if len(response_body) > MAX_RUNNER_RESPONSE_BYTES:
            return _failed_outcome(
                f"The runner's answer is larger than {MAX_RUNNER_RESPONSE_BYTES // 1024} KiB"
            )
        return parse_outcome(status, response_body)

    def _build_headers(self, fire: Fire, install: Install, request_id: str) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "x-request-id": request_id,
            "x-idempotency-key": fire.idempotency_key,
            "x-alga-tenant": install.tenant_id,
            "x-alga-extension": install.registry_id,
        }
        if self._service_token:
            with _prefix_errors("The runner's service token could not be read"):
                token = self._service_token().strip()
                if not (token.isascii() and token.isprintable()):
                    raise Unavailable("it has characters that no header takes")
            headers["x-runner-service-token"] = token
        return headers

    def _build_body(
        self, fire: Fire, install: Install, config: InstallConfig, schedule: Schedule, request_id: str
    ) -> str:
        """Return the request's JSON text; `config` and `secret_envelope` are JSON texts and inserted unchanged."""
        definition = schedule.definition
        http: dict[str, object] = {
            "method": definition.endpoint_method,
            "path": definition.endpoint_path,
            "query": {},
            "headers": {"x-alga-tenant": install.tenant_id, "x-alga-extension": install.registry_id},
        }
        if definition.payload is not None and definition.endpoint_method != "GET":
            http["body_b64"] = base64.b64encode(definition.payload.encode()).decode()
        request_fields = {
            "http": http,
            "limits": {"timeout_ms": self._timeout_ms},
            "providers": sorted(install.granted_capabilities),
        }
        return (
            f'{{"context":{_append_json_member(self._build_context(fire, install, request_id), "config", config.config)},'
            f"{_append_json_member(request_fields, 'secret_envelope', config.secret_envelope)[1:]}"
        )

    def _build_context(self, fire: Fire, install: Install, request_id: str) -> dict[str, object]:
        context: dict[str, object] = {
            "request_id": request_id,
            "tenant_id": install.tenant_id,
            "extension_id": install.registry_id,
            "install_id": install.id,
            "version_id": install.version_id,
            "content_hash": install.content_hash,
            "trigger": "schedule",
            "schedule_id": fire.schedule_id,
            "scheduled_for": fire.scheduled_time,
        }
        if self._callback_token and SCHEDULER_MANAGE in install.granted_capabilities:
            with _prefix_errors("The callback token could not be signed"):
                context["callback_token"] = self._callback_token(install)
        return context

    def _post_request(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Return status and body of the response; a watchdog closes the connection, however slowly bytes arrive."""
        connection = self._connect()
        deadline = time.monotonic() + self._deadline_seconds
        watchdog = Timer(self._deadline_seconds, _shut_down_socket, [connection.sock])
        watchdog.start()
        try:
            connection.request("POST", self._path, body=body, headers=headers)
            response = connection.getresponse()
            response_body = response.read(MAX_RUNNER_RESPONSE_BYTES + 1)
            if response.length and len(response_body) <= MAX_RUNNER_RESPONSE_BYTES:
                raise IncompleteRead(response_body, response.length)
        finally:
            watchdog.cancel()
            connection.close()
            if time.monotonic() >= deadline:
                raise TimeoutError  # whatever error the closed connection has caused
        return response.status, response_body

    def _connect(self) -> HTTPConnection:
        host, port = self._base_url.hostname or "", self._base_url.port
        connection = HTTPConnection(host, port, timeout=_CONNECT_TIMEOUT_SECONDS)
        if self._tls:
            connection = HTTPSConnection(host, port, timeout=_CONNECT_TIMEOUT_SECONDS, context=self._tls)
        try:
            connection.connect()
        except OSError as error:
            raise _RunnerUnreachable(type(error).__name__) from error
        connection.sock.settimeout(None)
        return connection


def _shut_down_socket(connected_socket: socket.socket) -> None:
    with suppress(OSError):  # the runner has closed it at that moment
        connected_socket.shutdown(socket.SHUT_RDWR)


class _RunnerUnreachable(Exception):
    pass


@contextmanager
def _prefix_errors(failure: str) -> Iterator[None]:
    """Add to the text of an Unavailable what failed."""
    try:
        yield
    except Unavailable as reason:
        raise Unavailable(f"{failure}: {reason}") from reason


def parse_outcome(http_status: int, response_body: bytes) -> Outcome:
    """Return the outcome of the runner's response."""
    if http_status != 200:
        text = f"The runner answered {http_status}: {_decode_excerpt(response_body)}"
        return Outcome(status=RunStatus.ERROR, error=text, retryable=http_status >= 500)
    try:
        extension_response = json.loads(response_body)
        status, body = (
            extension_response["status"],
            base64.b64decode(extension_response.get("body_b64") or "", validate=True),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return _failed_outcome(f"The runner's answer is not understood: {_decode_excerpt(response_body)}")
    if type(status) is not int or not 100 <= status <= 599:
        return _failed_outcome(f"The runner's answer is not understood: {_decode_excerpt(response_body)}")
    if 200 <= status < 300:
        return Outcome(status=RunStatus.SUCCESS, http_status=status)
    text = f"The extension answered {status}: {_decode_excerpt(body)}"
    return Outcome(status=RunStatus.ERROR, http_status=status, error=text, retryable=status >= 500)


def _failed_outcome(text: str) -> Outcome:
    return Outcome(status=RunStatus.ERROR, error=text, retryable=True)


def _decode_excerpt(data: bytes) -> str:
    return data[:2000].decode(errors="replace").strip() or "nothing"


def _append_json_member(members: Mapping[str, object], name: str, json_text: str) -> str:
    return f'{json.dumps(members)[:-1]}, "{name}": {json_text}}}'
