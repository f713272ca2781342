"""What the runner and a worker process send each other.

The runner sends pickled objects. A worker sends frames, the kind in the first byte, which are never unpickled: the
worker executes hostile code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

MAX_FRAME_BYTES = 4 * 1024 * 1024


class Frame(Enum):
    """The kinds of frames that a worker sends."""

    READY = b"!"
    """The worker has started."""
    EXTENSION_LOG = b"L"
    """A line of the extension's log: one byte for the level, then text."""
    WORKER_LOG = b"N"
    """A line of the runner's own log: one byte for the level, then text."""
    CALLBACK = b"C"
    """The body of a callback. The runner responds with a `CallbackResponse` or None."""
    RESPONSE = b"R"
    """The extension's response: two bytes for the status, then its JSON. Ends the job."""
    FAILURE = b"F"
    """Class and text of a RunnerError, separated by a line end. Ends the job."""


@dataclass(frozen=True, slots=True)
class CallbackResponse:
    """The scheduler's response."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class ContextData:
    """What an extension learns about its context: the WIT record `context-data`."""

    request_id: str | None
    tenant_id: str
    extension_id: str
    install_id: str | None
    version_id: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of each execution besides its time."""

    memory_bytes: int
    scheduler_calls: int
    log_bytes: int


@dataclass(frozen=True, slots=True)
class Job:
    """An execution. It has no token, configuration or secret, so that none is in the worker's memory."""

    component: str
    """The path of the compiled component."""
    context: ContextData
    method: str
    url: str
    headers: Mapping[str, str]
    body_b64: str | None
    timeout_ms: int
    deadline: float
    """When it must have ended, on the monotonic clock, which all processes of the machine share."""
    may_schedule: bool
    limits: Limits
