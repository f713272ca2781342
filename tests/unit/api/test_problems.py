import importlib
import pkgutil
from collections.abc import Iterator

import pytest
import scheduling.domain
import scheduling.operations
from scheduling.api.problems import callback_status, rest_status, retry_headers
from scheduling.domain import errors
from scheduling.domain.errors import SchedulingError

TABLE = [
    pytest.param(errors.ValidationFailed("x"), 400, 400, "VALIDATION_FAILED", id="validation"),
    pytest.param(errors.BodyTooLarge(9), 400, 400, "VALIDATION_FAILED", id="body"),
    pytest.param(errors.InvalidCursor(), 400, 400, "VALIDATION_FAILED", id="cursor"),
    pytest.param(errors.RulesViolated("x"), 400, 400, "VALIDATION_FAILED", id="rules"),
    pytest.param(errors.CapabilityDenied("x"), 403, 403, "CAPABILITY_DENIED", id="capability"),
    pytest.param(errors.InstallNotFound(), 404, 404, "NOT_FOUND", id="install"),
    pytest.param(errors.ScheduleNotFound(), 400, 404, "NOT_FOUND", id="schedule"),
    pytest.param(errors.NameTaken(), 400, 409, "NAME_TAKEN", id="name"),
    pytest.param(errors.QuotaExceeded(50), 400, 409, "QUOTA_EXCEEDED", id="quota"),
    pytest.param(errors.IdempotencyMismatch(), 409, 409, "IDEMPOTENCY_MISMATCH", id="idempotency"),
    pytest.param(errors.InstallConflict("x"), 409, 409, "INSTALL_CONFLICT", id="install conflict"),
    pytest.param(errors.RemapFailed([]), 409, 409, "SCHEDULE_REMAP_FAILED", id="remap"),
    pytest.param(errors.PreconditionFailed(), 412, 412, "PRECONDITION_FAILED", id="precondition"),
    pytest.param(errors.ResponseTooLarge("x"), 413, 413, "ANSWER_TOO_LARGE", id="too large"),
    pytest.param(errors.RateLimited(7), 429, 429, "RATE_LIMITED", id="rate"),
    pytest.param(errors.NotRunnable("x"), 409, 409, "NOT_RUNNABLE", id="not runnable"),
    pytest.param(errors.BackfillInProgress("x"), 409, 409, "BACKFILL_IN_PROGRESS", id="backfill in progress"),
    pytest.param(errors.Unavailable("x", 3), 503, 503, "UNAVAILABLE", id="unavailable"),
    pytest.param(errors.UnconfirmedChange(), 503, 503, "UNAVAILABLE", id="unconfirmed"),
    pytest.param(SchedulingError("x"), 500, 500, "INTERNAL_ERROR", id="anything else"),
]


def list_error_classes(root: type[SchedulingError]) -> Iterator[type[SchedulingError]]:
    """Yield the service's own subclasses at any depth."""
    for package in (scheduling.domain, scheduling.operations):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    pending = [root]
    while pending:
        error_class = pending.pop()
        pending.extend(error_class.__subclasses__())
        if error_class.__module__.startswith("scheduling."):
            yield error_class


@pytest.mark.parametrize(("error", "callback", "rest", "code"), TABLE)
def test_error_has_its_status_and_code(error: SchedulingError, callback: int, rest: int, code: str) -> None:
    assert callback_status(error) == callback
    assert rest_status(error) == rest
    assert error.code == code


def test_no_error_is_missing_from_the_table() -> None:
    tabled = {type(row.values[0]) for row in TABLE}

    assert set(list_error_classes(SchedulingError)) == tabled


def test_only_the_root_is_an_internal_error() -> None:
    for row in TABLE[:-1]:
        error = row.values[0]
        assert isinstance(error, SchedulingError)
        assert 400 <= callback_status(error) != 500
        assert 400 <= rest_status(error) != 500


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        pytest.param(errors.RateLimited(42), {"retry-after": "42"}, id="rate"),
        pytest.param(errors.Unavailable("x"), {"retry-after": "1"}, id="unavailable"),
        pytest.param(errors.Unavailable("x", 5), {"retry-after": "5"}, id="unavailable for longer"),
        pytest.param(errors.QuotaExceeded(50), {}, id="quota"),
        pytest.param(SchedulingError("x"), {}, id="anything else"),
    ],
)
def test_retry_after_is_returned_where_useful(error: SchedulingError, headers: dict[str, str]) -> None:
    assert retry_headers(error) == headers


@pytest.mark.parametrize(
    ("error", "text", "field_errors"),
    [
        pytest.param(
            errors.NameTaken(),
            "Schedule name already in use for this extension",
            {"name": "Schedule name already in use for this extension"},
            id="name",
        ),
        pytest.param(
            errors.QuotaExceeded(50), "Too many schedules (max 50 per extension install)", {}, id="quota"
        ),
        pytest.param(errors.ScheduleNotFound(), "Schedule not found", {}, id="schedule"),
        pytest.param(errors.InstallNotFound(), "Install not found", {}, id="install"),
        pytest.param(
            errors.ValidationFailed.from_field_errors({"cron": "first", "name": "second"}),
            "first",
            {"cron": "first", "name": "second"},
            id="validation",
        ),
    ],
)
def test_error_has_the_text_clients_match(
    error: SchedulingError, text: str, field_errors: dict[str, str]
) -> None:
    assert str(error) == text
    assert error.field_errors == field_errors
