"""A worker process, from the runner's side."""

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from runner.errors import EngineInitFailed, ExtensionTrap, MemoryLimit, RunnerError, TimeLimit, error_by_name
from runner.logs import format_origin
from runner.protocol import MAX_FRAME_BYTES, CallbackResponse, Frame, Job

logger = logging.getLogger("runner.worker")
extension_logger = logging.getLogger("extension")

START_SECONDS = 30.0
GRACE_SECONDS = 0.5
"""How long after its deadline a computing extension has to stop by itself, and the process can be used on."""
EXIT_SECONDS = 5.0
MAX_IDLE_BYTES = 96 * 1024 * 1024
"""The memory above which an idle worker is replaced. A new one has 15 MB."""
STDERR_BYTES = 4096

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_ROOT = Path(__file__).resolve().parent.parent.parent
# What Rust and Python write to stderr. Several threads may write at once, so that words are mixed up.
_OUT_OF_MEMORY = (b"allocation", b"MemoryError", b"can't start new thread", b"Cannot allocate memory")


def worker_environment() -> dict[str, str]:
    """Return the environment of a process that executes or compiles hostile code: no tokens, few threads."""
    kept = (
        "PATH",
        "HOME",
        "TMPDIR",
        "LANG",
        "LC_ALL",
        "LD_LIBRARY_PATH",
        "PYTHONPYCACHEPREFIX",
        "PYTHONDONTWRITEBYTECODE",
    )
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PYTHONPATH": str(_ROOT),
        "TOKIO_WORKER_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }


def is_out_of_memory(output: bytes) -> bool:
    """Return whether a process ended because it got no more memory, from what it wrote to stderr."""
    return any(words in output for words in _OUT_OF_MEMORY)


class WorkerProcess:
    """A process that executes one job at a time, and that can be killed at any moment."""

    def __init__(self) -> None:
        own_end, workers_end = socket.socketpair()
        with workers_end:
            self._process = subprocess.Popen(  # noqa: S603 - all arguments are the runner's
                [sys.executable, "-m", "runner.sandbox.worker", str(workers_end.fileno())],
                env=worker_environment(),
                pass_fds=[workers_end.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        self._connection = Connection(own_end.detach())
        self._is_idle = False

    def wait_until_ready(self) -> None:
        """Wait until the process has started, unless it has.

        Raises:
            EngineInitFailed: It could not start.
        """
        if self._is_idle:
            return
        try:
            self._receive_frame(time.monotonic() + START_SECONDS)
        except (RunnerError, TimeoutError) as error:
            raise EngineInitFailed(f"the worker process did not start: {error}") from error
        self._is_idle = True

    def is_usable(self) -> bool:
        """Return whether the process can execute another job: it is idle and holds little memory."""
        return self._is_idle and self._process.poll() is None and self._read_data_bytes() <= MAX_IDLE_BYTES

    def execute_job(
        self, job: Job, post_callback: Callable[[str], CallbackResponse | None]
    ) -> tuple[int, bytes]:
        """Execute a job and return status and JSON of the extension's response.

        Args:
            job: What to execute.
            post_callback: Sends a callback for the extension.

        Raises:
            RunnerError: There is no response. The process may not be usable any more.
        """
        self._is_idle = False
        self._send(job)
        while True:
            try:
                frame, body = self._receive_frame(job.deadline + GRACE_SECONDS)
            except TimeoutError:
                raise TimeLimit(f"the extension took longer than {job.timeout_ms} ms") from None
            match frame:
                case Frame.CALLBACK:
                    self._send(post_callback(body.decode()))
                case Frame.EXTENSION_LOG:
                    extension_logger.log(body[0], "%s %s", format_origin(), body[1:].decode())
                case Frame.WORKER_LOG:
                    logger.log(body[0], "%s", body[1:].decode())
                case _:
                    self._is_idle = True
                    return _parse_result(frame, body)

    def kill(self) -> None:
        """Have the operating system end the process."""
        self._process.kill()

    def wait_for_exit(self, seconds: float) -> bool:
        """Wait until the process has ended and return whether it has. Then nothing of it is left."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._connection.close()
        if self._process.stderr:
            self._process.stderr.close()
        return True

    def _send(self, message: object) -> None:
        try:
            self._connection.send(message)
        except OSError:
            raise self._describe_exit() from None

    def _receive_frame(self, deadline: float) -> tuple[Frame, bytes]:
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not self._connection.poll(remaining):
            raise TimeoutError
        try:
            content = self._connection.recv_bytes(MAX_FRAME_BYTES)
        except (EOFError, OSError):
            raise self._describe_exit() from None
        return Frame(content[:1]), content[1:]

    def _describe_exit(self) -> RunnerError:
        """Return why the process has closed the connection."""
        try:
            status = self._process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return ExtensionTrap("the worker process closed its connection")
        output = self._process.stderr.read(STDERR_BYTES) if self._process.stderr else b""
        if is_out_of_memory(output):
            return MemoryLimit("the extension needs more memory than it may have")
        logger.error("the worker process ended with status %d: %s", status, output.decode(errors="replace"))
        return ExtensionTrap(f"the worker process ended with status {status}")

    def _read_data_bytes(self) -> int:
        """Return how much of the memory limit the process uses; 0 where the system does not say."""
        try:
            return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[5]) * _PAGE_BYTES
        except OSError:
            return 0


def _parse_result(frame: Frame, body: bytes) -> tuple[int, bytes]:
    if frame is Frame.FAILURE:
        name, _, text = body.decode().partition("\n")
        raise error_by_name(name)(text)
    return int.from_bytes(body[:2], "big"), body[2:]
