"""The worker's side of its connection to the runner."""

import logging
from multiprocessing.connection import Connection

from runner.errors import RunnerError
from runner.protocol import CallbackResponse, Frame, Job


class RunnerConnection:
    """Receives jobs, and sends what happens during one."""

    def __init__(self, connection: "Connection[object, object]") -> None:
        self._connection = connection
        self._send(Frame.READY)

    def receive_job(self) -> Job | None:
        """Return the next job, or None when the runner has closed the connection."""
        try:
            job = self._connection.recv()
        except EOFError:
            return None
        assert isinstance(job, Job)  # noqa: S101 - for the type checker; the runner sends nothing else
        return job

    def send_extension_log(self, level: int, line: str) -> None:
        """Send a line of the extension's log."""
        self._send(Frame.EXTENSION_LOG, bytes([level]) + line.encode())

    def send_worker_log(self, level: int, line: str) -> None:
        """Send a line of the runner's own log."""
        self._send(Frame.WORKER_LOG, bytes([level]) + line.encode())

    def post_callback(self, body: str) -> CallbackResponse | None:
        """Have the runner send a callback, and return the response, or None if there is none in time."""
        self._send(Frame.CALLBACK, body.encode())
        response = self._connection.recv()
        assert response is None or isinstance(response, CallbackResponse)  # noqa: S101 - as in receive_job
        return response

    def send_response(self, status: int, content: bytes) -> None:
        """Send the extension's response."""
        self._send(Frame.RESPONSE, status.to_bytes(2, "big") + content)

    def send_failure(self, error: RunnerError) -> None:
        """Send why there is no response."""
        self._send(Frame.FAILURE, f"{type(error).__name__}\n{error}".encode())

    def _send(self, frame: Frame, body: bytes = b"") -> None:
        self._connection.send_bytes(frame.value + body)


class RunnerLogHandler(logging.Handler):
    """Sends the worker's own log to the runner."""

    def __init__(self, runner: RunnerConnection) -> None:
        super().__init__()
        self._runner = runner

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record as one line."""
        self._runner.send_worker_log(record.levelno, record.getMessage())
