"""What the runner responds, by a code: its HTTP status, or the kind of error where there is none or it says more."""

from enum import StrEnum

from scheduling.domain.runs import EXTENSION_FAILED, NO_RESPONSE, UNRESOLVED_HOST, UNTRUSTED_HOST, Outcome

SERVED = "200"
NO_CONNECTION = "no_connection"
"""No connection was made: the runner is down, or has no capacity."""
CONNECTION_FAILED = "connection_failed"
"""The request could not be sent, or the connection broke before the response."""

_BUSY_CODES = frozenset({"429", "503", NO_CONNECTION})
_NAMED_STATUSES = frozenset(
    {301, 302, 307, 308, 400, 401, 403, 404, 405, 408, 411, 413, 415, 422, 429, 500, 502, 503, 504}
)
_ERROR_KINDS = (
    EXTENSION_FAILED,
    "missing_routing_headers",
    "unknown_capabilities",
    "bundle_fetch_failed",
    "engine_init_failed",
    "secret_decrypt_failed",
    "other",
)


class ResponseKind(StrEnum):
    """Who has to do something about a response."""

    SERVED = "served"
    """Nobody: the extension was executed, whatever it has answered."""
    BUSY = "busy"
    """The runner is down or has no capacity; occurrences wait."""
    REFUSED = "refused"
    """The runner's address, its token, or its version is wrong."""
    TIMED_OUT = "timed out"
    """The runner has more executions than it can finish."""
    FAILED = "failed"
    """The runner could not execute the extension."""


RESPONSE_CODES = (
    SERVED,
    *map(str, sorted(_NAMED_STATUSES)),
    *(f"{digit}xx" for digit in range(1, 6)),
    NO_CONNECTION,
    NO_RESPONSE,
    CONNECTION_FAILED,
    UNRESOLVED_HOST,
    UNTRUSTED_HOST,
    *_ERROR_KINDS,
)
"""All codes; they are few, since each is a metric."""


def find_response_code(outcome: Outcome) -> str:
    """Return the code of what the runner has answered."""
    if outcome.runner_status is not None:
        status = outcome.runner_status
        return str(status) if status in _NAMED_STATUSES else f"{status // 100}xx"
    if outcome.runner_error is not None:
        return outcome.runner_error
    if outcome.retry_after is not None:
        return NO_CONNECTION
    return SERVED if outcome.has_response else CONNECTION_FAILED


def classify_response(code: str) -> ResponseKind:
    """Return the kind of the response with that code."""
    if code in (SERVED, EXTENSION_FAILED):
        return ResponseKind.SERVED
    if code in _BUSY_CODES:
        return ResponseKind.BUSY
    if code == NO_RESPONSE:
        return ResponseKind.TIMED_OUT
    return ResponseKind.REFUSED if _is_refusal(code) else ResponseKind.FAILED


def _is_refusal(code: str) -> bool:
    return code[0].isdigit() or code in (UNRESOLVED_HOST, UNTRUSTED_HOST)
