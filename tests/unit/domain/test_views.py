import base64
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from scheduling.domain.exact_json import dumps
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Run, RunStatus
from scheduling.domain.schedule import LastRun
from scheduling.domain.tenant import TenantCursor
from scheduling.domain.views import (
    cursor_scope,
    decode_cursor,
    encode_cursor,
    endpoint_fields,
    format_timestamp,
    run_fields,
    schedule_fields,
)

from tests.unit.builders import NOW, SCHEDULE_ID, endpoint, schedule


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000Z", id="whole"),
        pytest.param(
            datetime(2026, 1, 2, 3, 4, 5, 7_000, tzinfo=UTC), "2026-01-02T03:04:05.007Z", id="milliseconds"
        ),
        pytest.param(
            datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            "2026-12-31T23:59:59.999Z",
            id="cut, not rounded",
        ),
        pytest.param(
            datetime(2026, 1, 2, 3, 4, 5, 999, tzinfo=UTC), "2026-01-02T03:04:05.000Z", id="microseconds"
        ),
        pytest.param(
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=ZoneInfo("Asia/Tokyo")),
            "2026-01-01T18:04:05.000Z",
            id="another zone",
        ),
    ],
)
def test_timestamp_is_iso_8601_in_utc(moment: datetime | None, text: str | None) -> None:
    assert format_timestamp(moment) == text


def test_timestamp_parses_to_the_same_time() -> None:
    assert datetime.fromisoformat(format_timestamp(NOW) or "") == NOW


def test_schedule_has_the_fields_of_the_contract() -> None:
    row = schedule(
        name="nightly é",
        payload='{"a":[1,2]}',
        timezone="Europe/Berlin",
        revision=7,
        running_occurrence="2026-11-23T08:00:00Z",
        held_name="former",
        last_run=LastRun(started_at=NOW, status="error", error='no "luck"'),
    )

    assert json.loads(dumps(schedule_fields(row))) == {
        "id": SCHEDULE_ID,
        "endpointPath": "/api/sync",
        "endpointMethod": "POST",
        "name": "nightly é",
        "cron": "0 9 * * *",
        "timezone": "Europe/Berlin",
        "enabled": True,
        "payload": {"a": [1, 2]},
        "lastRunAt": "2026-11-23T09:00:00.000Z",
        "lastRunStatus": "error",
        "lastError": 'no "luck"',
        "lastSuccessAt": None,
        "consecutiveFailures": 0,
        "createdAt": "2026-11-23T09:00:00.000Z",
        "nextFireAt": None,
    }


def test_new_schedule_has_nulls() -> None:
    rendered = json.loads(dumps(schedule_fields(schedule(enabled=False))))

    assert rendered["enabled"] is False
    assert [name for name, value in rendered.items() if value is None] == [
        "name",
        "lastRunAt",
        "lastRunStatus",
        "lastError",
        "lastSuccessAt",
        "nextFireAt",
        "payload",
    ]


def test_platform_disabled_schedule_has_a_reason() -> None:
    rendered = json.loads(
        dumps(schedule_fields(schedule(enabled=False, disabled_reason="Version 2 has no endpoint GET /a")))
    )

    assert (rendered["enabled"], rendered["disabledReason"]) == (False, "Version 2 has no endpoint GET /a")


def test_pending_is_present_while_eventbridge_may_not_match() -> None:
    assert schedule_fields(schedule(pending_since=NOW))["pending"] is True
    assert "pending" not in schedule_fields(schedule())


def test_successful_last_run_has_no_error() -> None:
    rendered = json.loads(
        dumps(schedule_fields(schedule(last_run=LastRun(started_at=NOW, status="success", error=None))))
    )

    assert (rendered["lastRunStatus"], rendered["lastError"]) == ("success", None)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param('{"a":1e400,"b":1.0,"c":12345678901234567890123,"d":-0}', id="numbers"),
        pytest.param('["é\U0001f600","\\u0000"]', id="texts"),
        pytest.param("{}", id="empty object"),
        pytest.param("[]", id="empty array"),
        pytest.param('[{"payload":null}]', id="nested field payload"),
    ],
)
def test_payload_is_inserted_verbatim(payload: str) -> None:
    assert f'"payload":{payload}}}' in dumps(schedule_fields(schedule(payload=payload)))


@pytest.mark.parametrize(
    ("method", "path", "schedulable"), [("POST", "/a", True), ("GET", "/a/:id", False), ("PUT", "/a", False)]
)
def test_endpoint_shows_whether_it_is_schedulable(method: str, path: str, schedulable: bool) -> None:
    assert endpoint_fields(endpoint(method, path)) == {
        "id": f"{method} {path}",
        "method": method,
        "path": path,
        "handler": "handler",
        "schedulable": schedulable,
    }


def test_run_has_the_fields_of_the_contract() -> None:
    run = Run(
        scheduled_time="2026-11-23T09:00:00Z",
        status=RunStatus.ERROR,
        attempt=2,
        started_at=NOW,
        duration_ms=12,
        http_status=503,
        error="down",
        detail="for the operator only",
        request_id="request-2",
        retryable=True,
    )

    assert dumps(run_fields(run)) == (
        '{"scheduledTime":"2026-11-23T09:00:00Z","trigger":"schedule","startedAt":"2026-11-23T09:00:00.000Z","durationMs":12,'
        '"attempt":2,"status":"error","httpStatus":503,"error":"down","requestId":"request-2"}'
    )


SCOPE = cursor_scope("schedules", "install-1")


@pytest.mark.parametrize("position", [SCHEDULE_ID, "2026-11-23T09:00:00Z", "\xff\xfe\xff"])
def test_cursor_needs_no_escape_in_a_query(position: str) -> None:
    cursor = encode_cursor(SCOPE, position)

    assert cursor is not None
    assert decode_cursor(SCOPE, cursor) == position
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_longest_cursor_is_accepted() -> None:
    scope = cursor_scope("tenant-schedules", "t" * 128)
    position = TenantCursor(InstallId("i" * 64), SCHEDULE_ID, "2026-11-23T09:00:00.000000+0000").position

    assert decode_cursor(scope, str(encode_cursor(scope, position))) == position


OWN_CURSOR = str(encode_cursor(SCOPE, SCHEDULE_ID))


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param(
            encode_cursor(cursor_scope("schedules", "install-2"), SCHEDULE_ID), id="another install"
        ),
        pytest.param(encode_cursor(cursor_scope("schedules", "install-1x"), SCHEDULE_ID), id="a longer id"),
        pytest.param(encode_cursor(cursor_scope("runs", "install-1"), SCHEDULE_ID), id="another kind"),
        pytest.param(encode_cursor(cursor_scope(SCHEDULE_ID), "x"), id="the position as scope"),
        pytest.param(base64.b64encode(SCHEDULE_ID.encode()).decode(), id="no scope"),
        pytest.param(base64.b64encode(b"schedules install-1 ").decode(), id="no position"),
        pytest.param(f"{OWN_CURSOR}=", id="padded"),
        pytest.param(f"{OWN_CURSOR[:-1]}~", id="another last character"),
        pytest.param("A" * 513, id="too long"),
        pytest.param("A" * 5_000_000, id="huge"),
    ],
)
def test_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is for nobody
        decode_cursor(SCOPE, cursor)
