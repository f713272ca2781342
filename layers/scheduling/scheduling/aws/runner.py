"""The runner over HTTP (contract, section 6)."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from uuid import uuid4

import urllib3

from scheduling.domain.install import Install, InstallConfig
from scheduling.domain.runs import Fire, Outcome, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.settings import RunnerSettings

MAX_ANSWER_BYTES = 256 * 1024
_OVERHEAD_SECONDS = 2.0
_CHUNK_BYTES = 16 * 1024


class HttpRunner:
    """Implements `operations.ports.Runner`."""

    def __init__(self, settings: RunnerSettings, service_token: Callable[[], str] | None) -> None:
        self._url = f"{str(settings.runner_base_url).rstrip('/')}/v1/execute"
        self._timeout_ms = settings.runner_timeout_ms
        self._service_token = service_token
        self._pool = urllib3.PoolManager(retries=False, maxsize=16)

    def execute(self, fire: Fire, install: Install, config: InstallConfig, schedule: Schedule) -> Outcome:
        """One POST, bounded in time and in size."""
        request_id = str(uuid4())
        headers = self._headers(fire, install, request_id)
        body = self._body(fire, install, config, schedule, request_id)
        seconds = self._timeout_ms / 1000 + _OVERHEAD_SECONDS
        try:
            status, answer = self._post(headers, body.encode(), seconds)
        except _TooLarge:
            return _failed(f"The runner's answer is larger than {MAX_ANSWER_BYTES // 1024} KiB")
        except urllib3.exceptions.NewConnectionError:
            return _failed("The runner could not be reached")
        except (_TooSlow, urllib3.exceptions.TimeoutError):
            return _failed(f"The runner did not answer within {seconds:g} s")
        except urllib3.exceptions.HTTPError as error:
            return _failed(f"The connection to the runner failed: {type(error).__name__}")
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
            headers["x-runner-service-token"] = self._service_token()
        return headers

    def _body(
        self, fire: Fire, install: Install, config: InstallConfig, schedule: Schedule, request_id: str
    ) -> str:
        """The request; `config` and `secret_envelope` are JSON texts, put in as they are."""
        definition = schedule.definition
        context = {
            "request_id": request_id,
            "tenant_id": install.tenant_id,
            "extension_id": install.registry_id,
            "install_id": install.id,
            "version_id": install.version_id,
            "content_hash": install.content_hash,
            "trigger": "schedule",
            "schedule_id": schedule.id,
            "scheduled_for": fire.scheduled_time,
        }
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
            f'{{"context":{_spliced(context, "config", config.config)},'
            f"{_spliced(rest, 'secret_envelope', config.secret_envelope)[1:]}"
        )

    def _post(self, headers: dict[str, str], body: bytes, seconds: float) -> tuple[int, bytes]:
        deadline = time.monotonic() + seconds
        response = self._pool.request(
            "POST",
            self._url,
            headers=headers,
            body=body,
            timeout=urllib3.Timeout(connect=2, read=seconds),
            preload_content=False,
            redirect=False,
        )
        try:
            answer = bytearray()
            while chunk := response.read1(_CHUNK_BYTES):
                answer += chunk
                if len(answer) > MAX_ANSWER_BYTES:
                    raise _TooLarge
                if time.monotonic() > deadline:
                    raise _TooSlow
            return response.status, bytes(answer)
        finally:
            response.close()


class _TooSlow(Exception):
    pass


class _TooLarge(Exception):
    pass


def judge(http_status: int, answer: bytes) -> Outcome:
    """What the runner's answer comes to: the extension's status where it is one, else why it is none."""
    if http_status >= 400:
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
