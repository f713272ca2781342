"""Child processes that never outlive the local stack."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local.errors import StackError
from local.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 1.5
_PR_SET_PDEATHSIG = 1


class ChildProcess:
    """A Python module that runs in its own process and serves a port of 127.0.0.1."""

    def __init__(self, module: str, *arguments: str, environ: Mapping[str, str], log: Path) -> None:
        self.module = module
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 (all arguments come from the stack)
                [sys.executable, "-m", module, *arguments],
                cwd=PROJECT_ROOT,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches the parent only, which stops the children in order
                preexec_fn=_die_with_parent,
            )

    def wait_until_ready(self, url: str) -> None:
        """Wait until a URL of the child answers with any status below 500.

        Raises:
            StackError: The process ended, or did not answer in time.
        """
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise StackError(f"{self.module} failed to start: {self._read_last_line()} (see {self.log})")
            if _is_responding(url):
                return
            time.sleep(0.02)
        raise StackError(
            f"{self.module} did not answer within {START_TIMEOUT_SECONDS:.0f} s (see {self.log})"
        )

    def stop(self) -> None:
        """Terminate the process; kill it if it does not end in time."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read_last_line(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit status {self._process.returncode}"


@dataclass(frozen=True)
class ChildProcesses:
    """The child processes of a stack; None where the user provides the service."""

    moto: ChildProcess | None
    runner: ChildProcess | None


def interrupt_on_signals() -> None:
    """Handle SIGTERM like Ctrl-C, also where a shell started this process in the background (SIGINT ignored)."""
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.default_int_handler)


def require_free_port(port: int, variable: str) -> None:
    """Check that nothing listens on a port.

    Raises:
        StackError: The port is in use; the text names the variable that selects another.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StackError(f"port {port} is in use; choose another by {variable}") from None


def _is_responding(url: str) -> bool:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
