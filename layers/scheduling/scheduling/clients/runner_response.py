"""The runner's response as an outcome (contract, section 6): what it says itself, and what the extension says.

The extension may see the outcome's `error`: its own answer, or a stable text where the fault is the runner's or the
platform's. The runner's own words go to `detail`, for the operator only. Neither contains a secret of the call.
"""

import base64
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from typing import Any

from pydantic_core import from_json

from scheduling.clients.redaction import Redactor
from scheduling.domain.runs import EXTENSION_FAILED, MAX_ERROR_LENGTH, Outcome, RunStatus

MAX_RESPONSE_BYTES = 256 * 1024
_MAX_EXCERPT_LENGTH = 2_000
_FINAL_ERRORS = frozenset({"missing_routing_headers", "unknown_capabilities"})
_RETRYABLE_ERRORS = frozenset(
    {"bundle_fetch_failed", "engine_init_failed", "secret_decrypt_failed", EXTENSION_FAILED}
)
_NO_CAPACITY_STATUSES = frozenset({429, 503})
_SECONDS_PATTERN = re.compile(r"[0-9]{1,9}")
_ERROR_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_UNNAMED_ERROR = "The runner reported an error"


@dataclass(frozen=True, slots=True)
class _RunnerResponse:
    """The body of a response with status 200, which is as the contract has it."""

    status: int
    body: bytes
    error: str | None


def parse_outcome(response: HTTPResponse, body: bytes, redactor: Redactor) -> Outcome:
    """Return the outcome of a response whose body was read up to one byte more than it may have."""
    http_status = response.status
    too_large = len(body) > MAX_RESPONSE_BYTES
    if http_status != 200:
        text = f"The runner answered {http_status}"
        excerpt = "a body that is too large" if too_large else _excerpt(body, redactor)
        return Outcome(
            status=RunStatus.ERROR,
            error=text,
            detail=f"{text}: {excerpt}",
            retryable=True,
            runner_status=http_status,
            retry_after=_parse_retry_after(response) if http_status in _NO_CAPACITY_STATUSES else None,
        )
    if too_large:
        return _final_failure(f"The runner's answer is larger than {MAX_RESPONSE_BYTES // 1024} KiB")
    answer = _parse_response(body)
    if answer is None:
        return _final_failure("The runner's answer is not understood", _excerpt(body, redactor))
    if answer.error is not None:
        return _runner_failure(answer.error, redactor)
    if 200 <= answer.status < 300:
        return Outcome(status=RunStatus.SUCCESS, http_status=answer.status)
    text = f"The extension answered {answer.status}: {_excerpt(answer.body, redactor)}"
    return Outcome(
        status=RunStatus.ERROR, http_status=answer.status, error=text, retryable=answer.status >= 500
    )


def is_cut_short(body: bytes) -> bool:
    """Return whether the body is the beginning of a JSON object."""
    text = body.decode(errors="replace").lstrip()
    if not text.startswith("{"):
        return False
    try:
        json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        try:
            from_json(body, allow_partial=True)
        except ValueError:
            return False
        return True
    return False


def _parse_retry_after(response: HTTPResponse) -> timedelta:
    """Return how long the runner asks to be left alone: seconds, or an HTTP date; nothing if it does not say."""
    text = (response.getheader("retry-after") or "").strip()
    if _SECONDS_PATTERN.fullmatch(text):
        return timedelta(seconds=int(text))
    try:
        until = parsedate_to_datetime(text)
        return max(until - parsedate_to_datetime(response.getheader("date") or ""), timedelta())
    except (ValueError, TypeError):
        return timedelta()


def _parse_response(body: bytes) -> _RunnerResponse | None:
    try:
        document: Any = json.loads(body)
        error = document.get("error")
        if error and isinstance(error, str):
            return _RunnerResponse(status=0, body=b"", error=error)
        status = document["status"]
        response_body = base64.b64decode(document.get("body_b64") or "", validate=True)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    if type(status) is not int or not 100 <= status <= 599 or error not in (None, ""):
        return None
    return _RunnerResponse(status=status, body=response_body, error=None)


def _runner_failure(text: str, redactor: Redactor) -> Outcome:
    """Return the outcome of an error of the runner's own: `kind` or `kind: explanation`."""
    detail = _as_unicode(redactor.redact(text))[:MAX_ERROR_LENGTH]
    kind = text.partition(":")[0].strip()
    known = kind in _FINAL_ERRORS | _RETRYABLE_ERRORS
    if kind == EXTENSION_FAILED:
        error = f"{kind}{detail[len(kind) :]}"  # it speaks of the extension, so that the extension may see all of it
    elif known or (_ERROR_KIND.fullmatch(kind) and redactor.redact(kind) == kind):
        error = kind
    else:
        error = _UNNAMED_ERROR
    return Outcome(
        status=RunStatus.ERROR,
        error=error,
        detail=detail if detail != error else None,
        retryable=kind not in _FINAL_ERRORS,
        runner_error=kind if known else "other",
    )


def _final_failure(text: str, excerpt: str | None = None) -> Outcome:
    return Outcome(
        status=RunStatus.ERROR, error=text, detail=f"{text}: {excerpt}" if excerpt else None, retryable=False
    )


def _excerpt(data: bytes, redactor: Redactor) -> str:
    """Return the beginning of the data as text; the secrets are replaced first, so that none is cut in two."""
    return redactor.redact(data.decode(errors="replace")).strip()[:_MAX_EXCERPT_LENGTH] or "nothing"


def _as_unicode(text: str) -> str:
    """Return the text without lone surrogates, which JSON can express but DynamoDB cannot store."""
    return text.encode(errors="replace").decode()
