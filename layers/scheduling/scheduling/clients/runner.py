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

MAX_ANSWER_BYTES = 256 * 1024
_CONNECT_SECONDS = 2.0
_OVERHEAD_SECONDS = 2.0


class HttpRunner:
    """The service that executes extensions."""

    def __init__(
        self,
        settings: RunnerSettings,
        service_token: Callable[[], str] | None,
        callback_token: Callable[[Install], str] | None,
    ) -> None:
        self._base = urlsplit(settings.runner_base_url)
        self._path = f"{self._base.path.rstrip('/')}/v1/execute"
        self._timeout_ms = settings.runner_timeout_ms
        self._seconds = settings.runner_timeout_ms / 1000 + _OVERHEAD_SECONDS
        self._service_token = service_token
        self._callback_token = callback_token
        self._tls = ssl.create_default_context() if self._base.scheme == "https" else None

    def execute(self, fire: Fire, install: Install, config: InstallConfig, schedule: Schedule) -> Outcome:
        """Call the endpoint. Whatever goes wrong is in the outcome, not raised.

        One POST, bounded in time and in size.
        """
        request_id = str(uuid4())
        try:
            headers = self._headers(fire, install, request_id)
            # Last, since the callback token in it is short-lived.
            body = self._body(fire, install, config, schedule, request_id)
            status, answer = self._post(headers, body.encode())
        except Unavailable as unavailable:
            return _failed(str(unavailable))
        except _Unreachable as error:
            return _failed(f"The runner could not be reached: {error}")
        except TimeoutError:
            return _failed(f"The runner did not answer within {self._seconds:g} s")
        except (OSError, HTTPException) as error:
            return _failed(f"The connection to the runner failed: {type(error).__name__}")
        if len(answer) > MAX_ANSWER_BYTES:
            return _failed(f"The runner's answer is larger than {MAX_ANSWER_BYTES // 1024} KiB")
        return judge(status, answer)

    def _headers(self, fire: Fire, install: Install, request_id: str) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "x-request-id": request_id,
            "x-idempotency-key": fire.idempotency_key,
            "x-alga-tenant": install.tenant_id,
            "x-alga-extension": install.registry_id,
        }
        if self._service_token:
            with _naming("The runner's service token could not be read"):
                token = self._service_token().strip()
                if not (token.isascii() and token.isprintable()):
                    raise Unavailable("it has characters that no header takes")
            headers["x-runner-service-token"] = token
        return headers

    def _body(
        self, fire: Fire, install: Install, config: InstallConfig, schedule: Schedule, request_id: str
    ) -> str:
        """The request; `config` and `secret_envelope` are JSON texts, put in as they are."""
        definition = schedule.definition
        http: dict[str, object] = {
            "method": definition.endpoint_method,
            "path": definition.endpoint_path,
            "query": {},
            "headers": {"x-alga-tenant": install.tenant_id, "x-alga-extension": install.registry_id},
        }
        if definition.payload is not None and definition.endpoint_method != "GET":
            http["body_b64"] = base64.b64encode(definition.payload.encode()).decode()
        rest = {
            "http": http,
            "limits": {"timeout_ms": self._timeout_ms},
            "providers": sorted(install.granted),
        }
        return (
            f'{{"context":{_spliced(self._context(fire, install, request_id), "config", config.config)},'
            f"{_spliced(rest, 'secret_envelope', config.secret_envelope)[1:]}"
        )

    def _context(self, fire: Fire, install: Install, request_id: str) -> dict[str, object]:
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
        if self._callback_token and SCHEDULER_MANAGE in install.granted:
            with _naming("The callback token could not be signed"):
                context["callback_token"] = self._callback_token(install)
        return context

    def _post(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; a watchdog ends the connection, however slowly it drips."""
        connection = self._connect()
        deadline = time.monotonic() + self._seconds
        watchdog = Timer(self._seconds, _end, [connection.sock])
        watchdog.start()
        try:
            connection.request("POST", self._path, body=body, headers=headers)
            response = connection.getresponse()
            answer = response.read(MAX_ANSWER_BYTES + 1)
            if response.length and len(answer) <= MAX_ANSWER_BYTES:
                raise IncompleteRead(answer, response.length)
        finally:
            watchdog.cancel()
            connection.close()
            if time.monotonic() >= deadline:
                raise TimeoutError  # whatever the end of the connection made of the answer
        return response.status, answer

    def _connect(self) -> HTTPConnection:
        host, port = self._base.hostname or "", self._base.port
        connection = HTTPConnection(host, port, timeout=_CONNECT_SECONDS)
        if self._tls:
            connection = HTTPSConnection(host, port, timeout=_CONNECT_SECONDS, context=self._tls)
        try:
            connection.connect()
        except OSError as error:
            raise _Unreachable(type(error).__name__) from error
        connection.sock.settimeout(None)
        return connection


def _end(connected: socket.socket) -> None:
    with suppress(OSError):  # ended by itself at that moment
        connected.shutdown(socket.SHUT_RDWR)


class _Unreachable(Exception):
    pass


@contextmanager
def _naming(failure: str) -> Iterator[None]:
    """Say what failed, where the reason alone does not."""
    try:
        yield
    except Unavailable as reason:
        raise Unavailable(f"{failure}: {reason}") from reason


def judge(http_status: int, answer: bytes) -> Outcome:
    """What the runner's answer comes to: the extension's status where it is one, else why it is none."""
    if http_status != 200:
        text = f"The runner answered {http_status}: {_text(answer)}"
        return Outcome(status=RunStatus.ERROR, error=text, retryable=http_status >= 500)
    try:
        extension = json.loads(answer)
        status, body = extension["status"], base64.b64decode(extension.get("body_b64") or "", validate=True)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return _failed(f"The runner's answer is not understood: {_text(answer)}")
    if type(status) is not int or not 100 <= status <= 599:
        return _failed(f"The runner's answer is not understood: {_text(answer)}")
    if 200 <= status < 300:
        return Outcome(status=RunStatus.SUCCESS, http_status=status)
    text = f"The extension answered {status}: {_text(body)}"
    return Outcome(status=RunStatus.ERROR, http_status=status, error=text, retryable=status >= 500)


def _failed(text: str) -> Outcome:
    return Outcome(status=RunStatus.ERROR, error=text, retryable=True)


def _text(data: bytes) -> str:
    return data[:2000].decode(errors="replace").strip() or "nothing"


def _spliced(members: Mapping[str, object], name: str, json_text: str) -> str:
    return f'{json.dumps(members)[:-1]}, "{name}": {json_text}}}'
