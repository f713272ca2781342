"""Child processes that never outlive the local stack."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local.errors import StackError
from local.settings import PROJECT_ROOT, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STALL_SECONDS = 60.0
"""How long a process that starts may use no CPU time before it counts as stuck."""
STOP_TIMEOUT_SECONDS = 1.5
LISTENING = "listening on"
"""What moto and the runner log once they have their port."""
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

    def wait_until_ready(self, url: str, announcement: str = "") -> None:
        """Wait until a URL of the child answers with any status below 500, as long as the child makes progress.

        Args:
            url: The URL.
            announcement: What the child logs once it listens: before that, another process may answer at its port.

        Raises:
            StackError: The process ended, or does nothing.
        """
        stall = _StallDetector(self.read_cpu_seconds)
        while not (self._has_logged(announcement) and _is_responding(url)):
            if self._process.poll() is not None:
                raise StackError(f"{self.module} failed to start: {self._read_last_line()} (see {self.log})")
            if stall.is_stalled(time.monotonic()):
                raise StackError(
                    f"{self.module} has not answered, and has done nothing for {STALL_SECONDS:.0f} s (see {self.log})"
                )
            time.sleep(0.02)

    def is_running(self) -> bool:
        """Return whether the process has not ended."""
        return self._process.poll() is None

    def read_cpu_seconds(self) -> float | None:
        """Return the CPU time that the process has used; None where the system does not say."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """Terminate the process; kill it if it does not end in time."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _has_logged(self, text: str) -> bool:
        return not text or text in self.log.read_text(errors="replace")

    def _read_last_line(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit status {self._process.returncode}"


class _StallDetector:
    """Notices that a process uses no CPU time; one whose time is unknown counts as busy."""

    def __init__(self, read_cpu_seconds: Callable[[], float | None]) -> None:
        self._read_cpu_seconds = read_cpu_seconds
        self._progress: tuple[float | None, float] = (-1.0, 0.0)

    def is_stalled(self, now: float) -> bool:
        """Return whether the process has used no CPU time for `STALL_SECONDS`."""
        used = self._read_cpu_seconds()
        if used is None or used != self._progress[0]:
            self._progress = used, now
        return now - self._progress[1] > STALL_SECONDS


@dataclass(frozen=True)
class ChildProcesses:
    """The child processes of a stack; None where the user provides the service."""

    moto: ChildProcess | None
    runner: ChildProcess | None


def interrupt_on_signals() -> None:
    """Handle SIGTERM like Ctrl-C, also where a shell started this process in the background (SIGINT ignored)."""
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.default_int_handler)


def require_free_ports(ports: Mapping[str, int]) -> None:
    """Check that nothing listens on the ports, given by the variable that selects each.

    Raises:
        StackError: Some are in use; the text has variables that select free ones.
    """
    used = {variable: port for variable, port in ports.items() if not _is_free(port)}
    if used:
        names = ", ".join(map(str, used.values()))
        subject = f"port {names} is" if len(used) == 1 else f"ports {names} are"
        choice = " ".join(f"{name}={port}" for name, port in zip(used, free_ports(len(used)), strict=True))
        raise StackError(f"{subject} in use, by another stack? Choose other ports: {choice}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


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
