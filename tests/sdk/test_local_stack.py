"""What the author reads when the local stack, its API or its runner refuses something."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from extension_sdk_cli.app import app
from extension_sdk_cli.errors import CommandError
from extension_sdk_cli.runs import describe_run, describe_schedule
from typer.testing import CliRunner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from extension_sdk_cli.project import Project

Responses = dict[str, tuple[int, Any]]


@contextmanager
def scripted_stack(responses: Responses) -> Iterator[int]:
    """Serve responses by the end of the path; by default the health of a stack that is ready."""

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            path = self.path.partition("?")[0]
            status, body = next(each for end, each in responses.items() if path.endswith(end))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_GET = do_POST = do_PUT = respond  # noqa: N815 (the base class's names)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def built_project(project: Project) -> Project:
    """An extension whose component is there."""
    project.build_folder.mkdir()
    project.component.write_bytes(b"component")
    (project.build_folder / "manifest.json").write_text("{}")
    return project


def read_error(command: list[str], responses: Responses, project: Project, folder: Path) -> str:
    """Run a command against a stack with these responses, and return its error."""
    with pytest.MonkeyPatch.context() as patch:
        all_responses: Responses = {}
        with scripted_stack(all_responses) as port:
            ready = {
                "status": "ok",
                "runner": f"http://127.0.0.1:{port}",
                "extensions": str(folder),
                "runnerLog": str(folder / "runner.log"),
            }
            all_responses |= {"/_local/health": (200, ready)} | responses
            patch.setenv("API_PORT", str(port))
            patch.setattr("extension_sdk_cli.app._build", lambda _project: None)
            result = CliRunner().invoke(app, [*command, "-C", str(project.folder)])
    assert isinstance(result.exception, CommandError), result.output
    return str(result.exception)


REMAP = {
    "code": "SCHEDULE_REMAP_FAILED",
    "detail": "Schedules use endpoints that the new version lacks",
    "missing": [
        {"scheduleId": "1", "endpoint": "POST /api/a"},
        {"scheduleId": "2", "endpoint": "POST /api/a"},
    ],
}
INVALID = {"code": "VALIDATION_FAILED", "detail": "Invalid body", "fieldErrors": {"manifest": "Name missing"}}


def execute_response(error: str) -> Responses:
    return {"/v1/execute": (200, {"status": 502, "body_b64": None, "error": error})}


@pytest.mark.parametrize(
    ("command", "responses", "error"),
    [
        pytest.param(
            ["install"],
            {"": (409, REMAP)},
            "the API refuses the version: Schedules use endpoints that the new version lacks (POST /api/a): "
            "`extension-sdk install --disable-missing` disables those schedules",
            id="endpoint in use is gone",
        ),
        pytest.param(
            ["install"],
            {"": (400, INVALID)},
            "the API refuses the version: Invalid body\n  manifest: Name missing",
            id="invalid manifest",
        ),
        pytest.param(
            ["call", "POST", "/api/a"],
            execute_response("bundle_fetch_failed: no component or bundle with content hash sha256:1"),
            "the runner does not have this build: run `extension-sdk install`",
            id="not installed",
        ),
        pytest.param(
            ["call", "POST", "/api/a"],
            execute_response("execute_failed: unreachable"),
            "the run failed: execute_failed: unreachable",
            id="failed run",
        ),
        pytest.param(
            ["call", "POST", "/api/a"],
            {"/v1/execute": (401, "x-runner-service-token is missing or wrong")},
            "the runner answers 401: x-runner-service-token is missing or wrong",
            id="service token",
        ),
        pytest.param(
            ["runs"],
            {"/schedules": (404, {"error": "Install not found"})},
            "the local stack does not have this extension: run `extension-sdk install`",
            id="runs of what is not installed",
        ),
        pytest.param(
            ["runs"],
            {"/schedules": (401, {"message": "Unauthorized"})},
            "the API answers 401: Unauthorized",
            id="runner token",
        ),
        pytest.param(
            ["runs"],
            {
                "/_local/health": (
                    503,
                    {
                        "status": "failing",
                        "failing": ["queue"],
                        "extensions": "/x",
                        "parts": {"queue": {"status": "failing", "error": "polling failed"}},
                    },
                )
            },
            "the local stack at http://127.0.0.1:<port> is not ready: queue: polling failed",
            id="failing part",
        ),
        pytest.param(
            ["runs"],
            {"/_local/health": (503, {"status": "starting", "extensions": "/x"})},
            "the local stack at http://127.0.0.1:<port> is not ready: starting",
            id="starting",
        ),
        pytest.param(
            ["runs"],
            {"/_local/health": (404, {"message": "Not Found"})},
            "http://127.0.0.1:<port> is no local stack, or one of another version: {'message': 'Not Found'}",
            id="another server",
        ),
    ],
)
def test_error_says_what_to_do(
    command: list[str], responses: Responses, error: str, built_project: Project, tmp_path: Path
) -> None:
    found = read_error(command, responses, built_project, tmp_path)
    head, separator, tail = found.partition("http://127.0.0.1:")
    shown = head + separator + ("<port>" + tail.lstrip("0123456789") if separator else "")
    assert shown == error


def test_runs_are_lines() -> None:
    schedule = {
        "id": "1",
        "name": "hourly",
        "endpointMethod": "POST",
        "endpointPath": "/api/count",
        "cron": "0 * * * *",
        "timezone": "UTC",
        "enabled": True,
    }
    assert describe_schedule(schedule) == "hourly 1: POST /api/count, 0 * * * * UTC"
    disabled = {**schedule, "name": None, "enabled": False}
    assert describe_schedule(disabled) == "(no name) 1: POST /api/count, 0 * * * * UTC, disabled"
    run = {"scheduledTime": "2026-11-23T09:00:00Z", "attempt": 1, "status": "success", "httpStatus": 200}
    assert describe_run({**run, "requestId": "r", "error": None}) == (
        "2026-11-23T09:00:00Z attempt 1 success 200, request r"
    )
    skipped = {**run, "status": "skipped", "httpStatus": None, "requestId": None, "error": "overlap"}
    assert describe_run(skipped) == "2026-11-23T09:00:00Z attempt 1 skipped: overlap"
