"""The codes of what the runner responds, each a metric, and who has to do something about it."""

from datetime import timedelta
from typing import Any

import pytest
from scheduling.domain.deliveries.responses import (
    RESPONSE_CODES,
    ResponseKind,
    classify_response,
    find_response_code,
)
from scheduling.domain.runs import Outcome, RunStatus

STATUSES = "301 302 307 308 400 401 403 404 405 408 411 413 415 422 429 500 502 503 504 1xx 2xx 3xx 4xx 5xx"


@pytest.mark.parametrize(
    ("fields", "code", "kind"),
    [
        ({"status": RunStatus.SUCCESS, "http_status": 200}, "200", ResponseKind.SERVED),
        ({"http_status": 500, "retryable": True}, "200", ResponseKind.SERVED),
        ({"error": "too large"}, "200", ResponseKind.SERVED),
        ({"runner_error": "execute_failed", "retryable": True}, "execute_failed", ResponseKind.SERVED),
        ({"runner_status": 429, "retryable": True, "retry_after": timedelta(5)}, "429", ResponseKind.BUSY),
        ({"runner_status": 503, "retryable": True, "retry_after": timedelta(0)}, "503", ResponseKind.BUSY),
        ({"retryable": True, "retry_after": timedelta(0)}, "no_connection", ResponseKind.BUSY),
        ({"runner_status": 401, "retryable": True}, "401", ResponseKind.REFUSED),
        ({"runner_status": 418, "retryable": True}, "4xx", ResponseKind.REFUSED),
        ({"runner_status": 204, "retryable": True}, "2xx", ResponseKind.REFUSED),
        ({"runner_error": "unresolved_host", "retryable": True}, "unresolved_host", ResponseKind.REFUSED),
        ({"runner_error": "untrusted_host", "retryable": True}, "untrusted_host", ResponseKind.REFUSED),
        ({"runner_error": "no_response", "retryable": True}, "no_response", ResponseKind.TIMED_OUT),
        ({"retryable": True}, "connection_failed", ResponseKind.FAILED),
        ({"runner_error": "other", "retryable": True}, "other", ResponseKind.FAILED),
        ({"runner_error": "bundle_fetch_failed"}, "bundle_fetch_failed", ResponseKind.FAILED),
    ],
)
def test_every_response_has_a_code_and_a_kind(fields: dict[str, Any], code: str, kind: ResponseKind) -> None:
    outcome = Outcome(**{"status": RunStatus.ERROR, **fields})

    assert find_response_code(outcome) == code
    assert code in RESPONSE_CODES
    assert classify_response(code) is kind


def test_a_status_has_a_code_of_its_own_or_that_of_its_class() -> None:
    statuses = range(100, 600)
    codes = [
        find_response_code(Outcome(status=RunStatus.ERROR, runner_status=status, retryable=True))
        for status in statuses
    ]

    assert {code for code in codes if code.isdigit()} <= set(STATUSES.split())
    assert all(
        code in (str(status), f"{str(status)[0]}xx") for status, code in zip(statuses, codes, strict=True)
    )
    assert sorted(set(codes)) == sorted(STATUSES.split())
    assert sorted(code for code in RESPONSE_CODES if code[0].isdigit() and code != "200") == sorted(
        set(codes)
    )
