"""A stand-in for a deployed runner: it compiles before each run, and remembers finished runs by idempotency key."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.oracles.execute_requests import KNOWN_CAPABILITIES
from tests.support.stacks.scripted_runner import RunnerRequest, RunnerResponse, extension_response

Extension = Callable[[RunnerRequest], RunnerResponse]
BACKTRACE = "error while executing at wasm backtrace:\n    0: 0x2f1c - main.wasm!handler"


def runner_error(status: int, error: str) -> RunnerResponse:
    """Build the response of the runner itself, without one of the extension."""
    body = {"status": status, "headers": {}, "body_b64": None, "error": error}
    return 200, json.dumps(body).encode()


@dataclass
class DeployedRunner:
    """Handles requests that a strict `ScriptedRunner` accepts; use it as `runner.respond`.

    It finishes what it has begun after its caller has left, keeps that response, and runs a repeated key a second time
    while the first run has not finished. Responses of the runner itself are not kept.
    """

    extension: Extension = lambda _request: extension_response()
    compile_seconds: float = 0.0
    """The time before each run, during which `timeout_ms` does not pass."""
    on_receive: Callable[[RunnerRequest], object] = lambda _request: None
    """Called with each request, before the memory is read."""
    loses_response: Callable[[RunnerRequest], bool] = lambda _request: False
    """Whether the connection breaks instead of the response; the run is finished and kept."""
    executions: list[RunnerRequest] = field(default_factory=list)
    """The requests for which the extension was called."""
    _responses: dict[str, RunnerResponse] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, request: RunnerRequest) -> RunnerResponse | None:
        """Return the response, or None for a lost one."""
        self.on_receive(request)
        key = request.headers.get("x-idempotency-key", "")
        response = self._responses.get(key) or self._execute(request, key)
        return None if self.loses_response(request) else response

    def wait_until_finished(self, key: str, seconds: float = 20.0) -> None:
        """Wait until a run with that idempotency key has finished."""
        with self._changed:
            assert self._changed.wait_for(lambda: key in self._responses, seconds), f"{key} is still running"

    def executions_of(self, schedule_id: str) -> list[RunnerRequest]:
        """Return the requests for the schedule for which the extension was called."""
        return [each for each in self.executions if each.body["context"]["schedule_id"] == schedule_id]

    def _execute(self, request: RunnerRequest, key: str) -> RunnerResponse:
        if not (request.headers.get("x-alga-tenant") and request.headers.get("x-alga-extension")):
            return runner_error(400, "missing_routing_headers")
        if unknown := sorted(set(request.body.get("providers", [])) - KNOWN_CAPABILITIES):
            return runner_error(400, f"unknown_capabilities: {', '.join(unknown)}")
        time.sleep(self.compile_seconds)
        response = self._run_extension(request)
        if response is None:
            return runner_error(500, f"execute_failed: {BACKTRACE}")
        if key:
            with self._changed:
                self._responses[key] = response
                self._changed.notify_all()
        return response

    def _run_extension(self, request: RunnerRequest) -> RunnerResponse | None:
        """Return the extension's response; None if it does not respond within `timeout_ms`."""
        self.executions.append(request)
        results: list[RunnerResponse] = []
        thread = threading.Thread(target=lambda: results.append(self.extension(request)), daemon=True)
        thread.start()
        thread.join(request.body["limits"]["timeout_ms"] / 1000)
        return results[0] if results else None
