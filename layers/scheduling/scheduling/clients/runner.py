"""The runner over HTTP (contract, section 6)."""

import base64
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Any
from urllib.parse import urlsplit

from scheduling.clients.redaction import Redactor, list_nested_values
from scheduling.clients.runner_response import MAX_RESPONSE_BYTES, is_cut_short, parse_outcome
from scheduling.clients.runner_tls import TrustedAuthorities
from scheduling.domain import exact_json
from scheduling.domain.errors import Unavailable
from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.runs import NO_RESPONSE, UNRESOLVED_HOST, UNTRUSTED_HOST, Execution, Outcome, RunStatus
from scheduling.settings import RunnerSettings

_CONNECT_TIMEOUT_SECONDS = 2.0
_Json = dict[str, Any]


class RunnerClient:
    """The service that executes extensions."""

    def __init__(
        self,
        settings: RunnerSettings,
        service_token: Callable[[], str] | None,
        callback_token: Callable[[Install], str] | None,
        authorities: Callable[[], str] | None = None,
    ) -> None:
        self._base_url = urlsplit(settings.runner_base_url)
        self._path = f"{self._base_url.path.rstrip('/')}/v1/execute"
        self._timeout_ms = settings.runner_timeout_ms
        self._patience_seconds = settings.patience.total_seconds()
        self._service_token = service_token
        self._requires_service_token = settings.requires_service_token
        self._callback_token = callback_token
        self._authorities = TrustedAuthorities(authorities) if self._base_url.scheme == "https" else None

    def execute_endpoint(self, execution: Execution) -> Outcome:
        """Call the endpoint and return the outcome, which also describes every failure.

        One POST, bounded in time and in size.
        """
        try:
            headers = self._build_headers(execution)
            body = self._build_body(execution)  # last, since its callback token is short-lived
            response, response_body = self._post_request(headers, json.dumps(body).encode())
        except Unavailable as unavailable:
            return _failed_outcome(str(unavailable))
        except _NoConnection as error:
            return error.outcome
        except TimeoutError:
            text = f"The runner did not answer within {self._patience_seconds:g} s"
            return _failed_outcome(text, runner_error=NO_RESPONSE)
        except (OSError, HTTPException) as error:
            return _failed_outcome(f"The connection to the runner failed: {type(error).__name__}")
        return parse_outcome(response, response_body, Redactor(_list_secrets(headers, body)))

    def _build_headers(self, execution: Execution) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "x-request-id": execution.run.request_id or "",
            "x-idempotency-key": execution.idempotency_key,
            "x-alga-tenant": execution.install.tenant_id,
            "x-alga-extension": execution.install.registry_id,
        }
        if self._service_token:
            with _prefix_errors("The runner's service token could not be read"):
                token = self._service_token().strip()
                if not (token.isascii() and token.isprintable()):
                    raise Unavailable("it contains characters that are not allowed in a header")
                if not token and self._requires_service_token:
                    raise Unavailable("it is empty")
            if token:
                headers["x-runner-service-token"] = token
        return headers

    def _build_body(self, execution: Execution) -> _Json:
        install = execution.install
        body: _Json = {
            "context": self._build_context(execution),
            "http": _build_http_request(execution),
            "limits": {"timeout_ms": self._timeout_ms},
            "providers": sorted(install.granted_capabilities),
        }
        envelope = json.loads(execution.config.secret_envelope)
        if envelope:
            body["secret_envelope"] = envelope
        if self._callback_token and SCHEDULER_MANAGE in install.granted_capabilities:
            with _prefix_errors("The callback token could not be signed"):
                body["context"]["callback_token"] = self._callback_token(install)
        return body

    def _build_context(self, execution: Execution) -> _Json:
        install = execution.install
        return {
            "request_id": execution.run.request_id,
            "tenant_id": install.tenant_id,
            "extension_id": install.registry_id,
            "install_id": install.id,
            "version_id": install.version_id,
            "content_hash": install.content_hash,
            "config": _config_texts(execution.config.config),
            # Also for a manual run, as deployed runners expect; `x-alga-trigger` says which it is.
            "trigger": "schedule",
            "schedule_id": execution.fire.schedule_id,
            "scheduled_for": execution.fire.scheduled_time,
        }

    def _post_request(self, headers: dict[str, str], body: bytes) -> tuple[HTTPResponse, bytes]:
        """Return the response and its body; a watchdog closes the connection, however slowly bytes arrive."""
        connection = self._connect()
        deadline = time.monotonic() + self._patience_seconds
        watchdog = threading.Timer(self._patience_seconds, _shut_down_socket, [connection.sock])
        watchdog.start()
        try:
            connection.request("POST", self._path, body=body, headers=headers)
            response = connection.getresponse()
            response_body = response.read(MAX_RESPONSE_BYTES + 1)
            if len(response_body) <= MAX_RESPONSE_BYTES and _is_cut_off(response, response_body):
                raise IncompleteRead(response_body, response.length)
        finally:
            watchdog.cancel()
            connection.close()
            if time.monotonic() >= deadline:
                raise TimeoutError  # whatever error the closed connection has caused
        return response, response_body

    def _connect(self) -> HTTPConnection:
        host, port = self._base_url.hostname or "", self._base_url.port
        connection = HTTPConnection(host, port, timeout=_CONNECT_TIMEOUT_SECONDS)
        if self._authorities:
            with _prefix_errors("The authorities of the runner's certificate could not be read"):
                context = self._authorities.tls_context()
            connection = HTTPSConnection(host, port, timeout=_CONNECT_TIMEOUT_SECONDS, context=context)
        connection.response_class = _FinalResponse
        try:
            connection.connect()
        except OSError as error:
            raise _NoConnection(_outcome_without_connection(error)) from error
        connection.sock.settimeout(None)
        return connection


def _is_cut_off(response: HTTPResponse, body: bytes) -> bool:
    """Return whether the connection ended before the body: by its length, or where it has none, as JSON."""
    if response.length is None and not response.chunked:
        return response.status == HTTPStatus.OK and is_cut_short(body)
    return bool(response.length)


class _FinalResponse(HTTPResponse):
    """A response without the informational ones before it, of which `http.client` skips only those with status 100."""

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200:
            self.headers = self.msg = None  # type: ignore[assignment]  # as before the first response
            super().begin()


class _NoConnection(Exception):
    """No connection was made, so that nothing was sent; it has the outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


@contextmanager
def _prefix_errors(failure: str) -> Iterator[None]:
    """Add to the text of an Unavailable what failed."""
    try:
        yield
    except Unavailable as reason:
        raise Unavailable(f"{failure}: {reason}") from reason


def _config_texts(config: str) -> dict[str, str]:
    """Return the configuration with its values as the runner takes them: null is empty, others are JSON texts."""
    values = exact_json.loads(config)
    if not isinstance(values, dict):
        return {}
    return {
        name: value if isinstance(value, str) else "" if value is None else exact_json.dumps(value)
        for name, value in values.items()
    }


def _build_http_request(execution: Execution) -> _Json:
    """Return the request that the extension gets; its headers tell which occurrence it serves."""
    definition, fire = execution.schedule.definition, execution.fire
    request: _Json = {
        "method": definition.endpoint_method,
        "path": definition.endpoint_path,
        "query": {},
        "headers": {
            "x-alga-tenant": execution.install.tenant_id,
            "x-alga-extension": execution.install.registry_id,
            "x-alga-schedule-id": fire.schedule_id,
            "x-alga-scheduled-for": fire.scheduled_time,
            "x-alga-attempt": str(execution.run.attempt),
            "x-alga-trigger": fire.trigger.value,
        },
    }
    if definition.payload is not None and definition.endpoint_method != "GET":
        request["body_b64"] = base64.b64encode(definition.payload.encode()).decode()
    return request


def _list_secrets(headers: Mapping[str, str], body: _Json) -> Iterator[str]:
    """Yield what no text may quote: tokens, the payload, and the values of config, also within JSON, and envelope."""
    yield headers.get("x-runner-service-token", "")
    yield body["context"].get("callback_token", "")
    yield body["http"].get("body_b64", "")
    for value in body["context"]["config"].values():
        yield value
        yield from list_nested_values(value)
    yield from filter(None, body.get("secret_envelope", {}).values())


def _shut_down_socket(connected_socket: socket.socket) -> None:
    with suppress(OSError):  # the runner has closed it at that moment
        connected_socket.shutdown(socket.SHUT_RDWR)


def _outcome_without_connection(error: OSError) -> Outcome:
    """Return an attempt's failure if the address or its certificate is wrong; any other host may be overloaded."""
    text = f"The runner could not be reached: {type(error).__name__}"
    if isinstance(error, socket.gaierror):
        return _failed_outcome(text, runner_error=UNRESOLVED_HOST)
    if isinstance(error, ssl.SSLError):
        return _failed_outcome(text, runner_error=UNTRUSTED_HOST)
    return _failed_outcome(text, retry_after=timedelta())


def _failed_outcome(
    text: str, *, runner_error: str | None = None, retry_after: timedelta | None = None
) -> Outcome:
    return Outcome(
        status=RunStatus.ERROR, error=text, retryable=True, runner_error=runner_error, retry_after=retry_after
    )
