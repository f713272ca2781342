"""Child processes: their ports, and how long the stack waits for them."""

from __future__ import annotations

import socket
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from local.errors import StackError
from local.processes import LISTENING, STALL_SECONDS, ChildProcess, _StallDetector, require_free_ports
from local.settings import child_environment, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def listening_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_ports_in_use_are_reported_with_free_ones() -> None:
    with listening_port() as first, listening_port() as second:
        with pytest.raises(StackError) as error:
            require_free_ports({"API_PORT": first, "AWS_PORT": free_ports(1)[0], "RUNNER_PORT": second})
        text, _, choice = str(error.value).partition(" Choose other ports: ")
        assert text == f"ports {first}, {second} are in use, by another stack?"
        variables = dict(each.split("=") for each in choice.split())
        assert list(variables) == ["API_PORT", "RUNNER_PORT"]
        assert not {first, second} & set(map(int, variables.values()))
        with pytest.raises(StackError, match=f"port {first} is in use, by another stack"):
            require_free_ports({"API_PORT": first})
    require_free_ports({"API_PORT": first, "RUNNER_PORT": second})


def test_process_is_stuck_if_it_uses_no_time() -> None:
    used = [0.0]
    stall = _StallDetector(lambda: used[0])
    assert not stall.is_stalled(0)
    assert not stall.is_stalled(STALL_SECONDS)
    used[0] = 0.01
    assert not stall.is_stalled(STALL_SECONDS * 2)
    assert not stall.is_stalled(STALL_SECONDS * 3)
    assert stall.is_stalled(STALL_SECONDS * 3 + 0.1)


def test_process_of_unknown_time_is_not_stuck() -> None:
    stall = _StallDetector(lambda: None)
    assert not any(stall.is_stalled(STALL_SECONDS * number) for number in range(9))


class _OtherService(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_service_of_another_stack_is_not_taken_for_the_child(tmp_path: Path) -> None:
    """Two stacks that start at once may both find a port free; the loser's process ends, and says why."""
    with HTTPServer(("127.0.0.1", 0), _OtherService) as other:
        Thread(target=other.serve_forever, args=(0.01,), daemon=True).start()
        environ = child_environment(
            RUNNER_PORT=str(other.server_port),
            EXTENSIONS_DIR=str(tmp_path),
            SCHEDULER_BASE_URL="http://127.0.0.1:9",
            RUNNER_AUTH_TOKEN="token",
            WASM_CACHE_DIR=str(tmp_path / "cache"),
        )
        child = ChildProcess("runner", environ=environ, log=tmp_path / "runner.log")
        with pytest.raises(
            StackError,
            match=rf"failed to start: runner: cannot listen on 127.0.0.1:{other.server_port}: Address",
        ):
            child.wait_until_ready(f"http://127.0.0.1:{other.server_port}/health", LISTENING)
        assert not child.is_running()
        other.shutdown()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_time_of_a_process_is_known(tmp_path: Path) -> None:
    child = ChildProcess("this", environ=child_environment(), log=tmp_path / "this.log")
    try:
        used = child.read_cpu_seconds()
        assert used is not None
        assert used >= 0
    finally:
        child.stop()
