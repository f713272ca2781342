import base64

import pytest
from scheduling.api.paging import (
    parse_page_limit,
    parse_run_cursor,
    parse_schedule_cursor,
    parse_tenant_cursor,
)
from scheduling.domain.errors import ValidationFailed
from scheduling.domain.tenant import TenantCursor
from scheduling.domain.views import cursor_scope, encode_cursor

from tests.unit.builders import INSTALL_ID, SCHEDULE_ID


def refusal_errors(refused: pytest.ExceptionInfo[ValidationFailed]) -> dict[str, str]:
    assert refused.value.code == "VALIDATION_FAILED"
    return refused.value.field_errors


@pytest.mark.parametrize(("text", "limit"), [(None, 50), ("1", 1), ("50", 50), ("007", 7)])
def test_page_limit_is_1_to_50_and_50_by_default(text: str | None, limit: int) -> None:
    assert parse_page_limit(text) == limit


@pytest.mark.parametrize(
    "text", ["0", "51", "-1", "", "1.0", "1e1", " 1", "1 ", "x", "0001", "\u0663", "9" * 5000]
)
def test_page_limit_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_page_limit(text)

    assert refusal_errors(refused) == {"limit": "limit must be a whole number from 1 to 50"}


SCHEDULES = cursor_scope("schedules", INSTALL_ID)
RUNS = cursor_scope("runs", INSTALL_ID, SCHEDULE_ID)
TENANT_SCHEDULES = cursor_scope("tenant-schedules", "tenant-1")


def test_cursor_round_trips() -> None:
    assert encode_cursor(SCHEDULES, None) is None
    assert parse_schedule_cursor(SCHEDULES, None) is None
    assert parse_run_cursor(RUNS, None) is None
    assert parse_schedule_cursor(SCHEDULES, encode_cursor(SCHEDULES, SCHEDULE_ID)) == SCHEDULE_ID
    for time in ("2026-11-23T09:00:00Z", "2026-11-23T09:00:00.123Z"):
        assert parse_run_cursor(RUNS, encode_cursor(RUNS, time)) == time
    assert parse_tenant_cursor(TENANT_SCHEDULES, None) is None
    for created_at in ("2026-11-23T09:00:00.000000+0000", "yesterday, or so"):
        position = TenantCursor(INSTALL_ID, SCHEDULE_ID, created_at)
        cursor = encode_cursor(TENANT_SCHEDULES, position.position)
        assert parse_tenant_cursor(TENANT_SCHEDULES, cursor) == position


def forge_cursor(position: bytes) -> str:
    return base64.urlsafe_b64encode(position).decode().rstrip("=")


@pytest.mark.parametrize(
    "position",
    [
        "x",
        "SCHEDULE#x",
        "2026-11-23T09:00:00",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
        "~",
        f"{SCHEDULE_ID}!",
        "install-1 ~",
        "install-1#x ",
        f"install-1 {SCHEDULE_ID}",
        f" {SCHEDULE_ID}",
    ],
)
def test_forged_position_is_refused(position: str) -> None:
    parsers = ((parse_run_cursor, RUNS), (parse_schedule_cursor, SCHEDULES))
    for parse_cursor, scope in parsers:
        with pytest.raises(ValidationFailed) as refused:
            parse_cursor(scope, encode_cursor(scope, position))
        assert refusal_errors(refused) == {"cursor": "Invalid cursor"}
    with pytest.raises(ValidationFailed) as refused:
        parse_tenant_cursor(TENANT_SCHEDULES, encode_cursor(TENANT_SCHEDULES, f"{position}/"))
    assert refusal_errors(refused) == {"cursor": "Invalid cursor"}


def test_tenant_position_has_a_creation_time() -> None:
    with pytest.raises(ValidationFailed):
        parse_tenant_cursor(TENANT_SCHEDULES, encode_cursor(TENANT_SCHEDULES, f"install-1 {SCHEDULE_ID} "))


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param("", id="empty"),
        pytest.param("x", id="one character"),
        pytest.param("!!!!", id="no base64"),
        pytest.param("é", id="not ASCII"),
        pytest.param("a+b/", id="the other alphabet"),
        pytest.param(forge_cursor(b"\xff"), id="not UTF-8"),
        pytest.param(forge_cursor(SCHEDULE_ID.encode()), id="no scope"),
    ],
)
def test_unissued_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ValidationFailed) as of_runs:
        parse_run_cursor(RUNS, cursor)
    with pytest.raises(ValidationFailed) as of_schedules:
        parse_schedule_cursor(SCHEDULES, cursor)
    with pytest.raises(ValidationFailed) as of_tenants:
        parse_tenant_cursor(TENANT_SCHEDULES, cursor)

    assert refusal_errors(of_tenants) == {"cursor": "Invalid cursor"}
    assert refusal_errors(of_runs) == refusal_errors(of_schedules) == {"cursor": "Invalid cursor"}
