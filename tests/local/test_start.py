"""The start and end of the whole stack, as with ``make local``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from base64 import b64encode
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from local.__main__ import main
from local.settings import child_environment, free_ports
from tests.local.support import PROJECT
from tests.support.stacks.scripted_runner import start_scripted_runner

if TYPE_CHECKING:
    from collections.abc import Iterator


def create_environment(**variables: str) -> dict[str, str]:
    ports = dict(zip(("API_PORT", "AWS_PORT", "RUNNER_PORT"), map(str, free_ports(3)), strict=True))
    return child_environment(CONSOLE_PORT="0", **ports, **variables)


def start_process(environ: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "local"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=PROJECT, env=environ, stdout=pipe, stderr=pipe, text=True)


def child_processes(pid: int) -> set[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return {int(child) for child in text.split()}


def receives_sigterm(pid: int) -> bool:
    """Return whether the process neither blocks nor ignores SIGTERM; the runner catches it, to end its workers."""
    lines = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    masks = [int(lines[name], 16) for name in ("SigBlk", "SigIgn")]
    return not any(mask >> (signal.SIGTERM - 1) & 1 for mask in masks)


@pytest.fixture
def stack() -> Iterator[tuple[subprocess.Popen[str], str]]:
    environ = create_environment()
    process = start_process(environ)
    url = f"http://127.0.0.1:{environ['API_PORT']}"
    transport = httpx.HTTPTransport(retries=8)
    with httpx.Client(transport=transport, timeout=30) as client:
        while client.get(f"{url}/_local/health").status_code != 200:
            assert process.poll() is None
    yield process, url
    process.kill()
    process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_stops_all_processes(stack: tuple[subprocess.Popen[str], str]) -> None:
    process, _ = stack
    children = child_processes(process.pid)
    assert len(children) == 2
    assert all(map(receives_sigterm, children))
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "The local stack is ready." in output
    assert "SETUP=1 make local creates them" in output
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_sample_is_set_up_on_request() -> None:
    report = json.dumps({"created": ["a"], "updated": [], "unchanged": ["b"]}).encode()
    response = {"status": 200, "headers": {}, "body_b64": b64encode(report).decode(), "error": None}
    with start_scripted_runner() as runner:
        runner.respond = lambda _request: (200, json.dumps(response).encode())
        process = start_process(create_environment(RUNNER_BASE_URL=runner.url, SETUP="1"))
        assert process.stdout
        printed = list(takewhile(lambda line: "The sample has" not in line, process.stdout))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert (process.returncode, [each.body["http"]["path"] for each in runner.requests]) == (
        0,
        ["/api/setup"],
    )
    assert not any("SETUP=1" in line for line in printed)


@pytest.mark.parametrize(
    ("variables", "status", "text"),
    [
        ({"MAX_SCHEDULES_PER_INSTALL": "many"}, 2, "local: MAX_SCHEDULES_PER_INSTALL must be"),
        ({"AWS_REGION": "eu_west"}, 1, "local: no AWS at http://127.0.0.1:"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 1, "local: no AWS at http://127.0.0.1:9"),
    ],
)
def test_failed_start_prints_one_line(variables: dict[str, str], status: int, text: str) -> None:
    process = start_process(create_environment(**variables, RUNNER_BASE_URL="http://127.0.0.1:9"))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert errors.startswith(text)
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("SETUP", "yes", "local: SETUP must be 0 or 1 or events, not 'yes'"),
        ("MAX_PAYLOAD_BYTES", "300001", "local: MAX_PAYLOAD_BYTES must be"),
    ],
)
def test_invalid_setting_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, text: str
) -> None:
    monkeypatch.setattr(
        "local.__main__.interrupt_on_signals", lambda: None
    )  # they are pytest's in this process
    monkeypatch.setenv(name, value)

    assert main() == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(text)
    assert printed.err.count("\n") == 1
