import json
from datetime import UTC, datetime

import pytest
from scheduling.api.rendering import (
    dump_json,
    endpoint_fields,
    format_timestamp,
    install_fields,
    preview_fields,
    run_fields,
    schedule_json,
    schedules_json,
)
from scheduling.domain.install import Limits, Version
from scheduling.domain.preview import Preview, build_preview
from scheduling.domain.rules import Rules, ScheduleInput
from scheduling.domain.runs import Run, RunStatus
from scheduling.domain.schedule import LastRun

from tests.unit.builders import NOW, SCHEDULE_ID, endpoint, install, schedule


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
        pytest.param(datetime(2026, 1, 2, 3, 4, 5, 999, tzinfo=UTC), "2026-01-02T03:04:05.000Z", id="less"),
    ],
)
def test_a_time_is_iso_8601_in_utc(moment: datetime | None, text: str | None) -> None:
    assert format_timestamp(moment) == text


def test_a_time_reads_back() -> None:
    assert datetime.fromisoformat(format_timestamp(NOW) or "") == NOW


def test_json_is_compact_and_not_escaped() -> None:
    assert dump_json({"a": ["é", None, True, "\n"]}) == '{"a":["é",null,true,"\\n"]}'


def test_a_schedule_has_the_contracts_fields() -> None:
    row = schedule(
        name="nightly é",
        payload='{"a":[1,2]}',
        timezone="Europe/Berlin",
        revision=7,
        running_occurrence="2026-11-23T08:00:00Z",
        held_name="former",
        last_run=LastRun(started_at=NOW, status="error", error='no "luck"'),
    )

    assert json.loads(schedule_json(row)) == {
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
        "createdAt": "2026-11-23T09:00:00.000Z",
    }


def test_new_schedule_has_nulls() -> None:
    rendered = json.loads(schedule_json(schedule(enabled=False)))

    assert rendered["enabled"] is False
    assert [name for name, value in rendered.items() if value is None] == [
        "name",
        "lastRunAt",
        "lastRunStatus",
        "lastError",
        "payload",
    ]


def test_platform_disabled_schedule_has_a_reason() -> None:
    rendered = json.loads(
        schedule_json(schedule(enabled=False, disabled_reason="Version 2 has no endpoint GET /a"))
    )

    assert (rendered["enabled"], rendered["disabledReason"]) == (False, "Version 2 has no endpoint GET /a")


def test_a_successful_run_has_no_error() -> None:
    rendered = json.loads(
        schedule_json(schedule(last_run=LastRun(started_at=NOW, status="success", error=None)))
    )

    assert (rendered["lastRunStatus"], rendered["lastError"]) == ("success", None)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param('{"a":1e400,"b":1.0,"c":12345678901234567890123,"d":-0}', id="numbers"),
        pytest.param('["é\U0001f600","\\u0000"]', id="texts"),
        pytest.param("{}", id="empty object"),
        pytest.param("[]", id="empty array"),
        pytest.param('[{"payload":null}]', id="a payload in the payload"),
    ],
)
def test_payload_is_inserted_verbatim(payload: str) -> None:
    assert f'"payload":{payload}}}' in schedule_json(schedule(payload=payload))
    assert schedules_json([schedule(payload=payload)]).count(payload) == 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_has_every_schedule(count: int) -> None:
    rendered = json.loads(schedules_json(schedule(name=str(number)) for number in range(count)))

    assert [item["name"] for item in rendered] == [str(number) for number in range(count)]


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


def preview_rule(now: datetime, timezone: str) -> Preview:
    """Of a schedule every half hour from 01:00 to 02:30."""
    input_ = ScheduleInput({"endpoint": "/a", "cron": "*/30 1,2 * * *", "timezone": timezone})
    return build_preview(Rules((endpoint("POST", "/a"),), Limits(), now), install(), input_)


def test_a_preview_has_the_contracts_fields() -> None:
    fields = preview_fields(preview_rule(datetime(2027, 3, 27, 23, 0, tzinfo=UTC), "Europe/Berlin"))

    assert {**fields, "fires": [], "skipped": []} == {
        "valid": True,
        "error": None,
        "fieldErrors": {},
        "expression": "cron(0,30 1,2 * * ? *)",
        "timezone": "Europe/Berlin",
        "endpoint": "POST /a",
        "smallestGapMinutes": 30,
        "fires": [],
        "skipped": [],
    }
    assert json.loads(dump_json(fields["fires"]))[1:3] == [
        {"local": "2027-03-28T01:30:00+01:00", "utc": "2027-03-28T00:30:00Z"},
        {"local": "2027-03-29T01:00:00+02:00", "utc": "2027-03-28T23:00:00Z"},
    ]
    assert fields["skipped"] == [
        {
            "local": f"2027-03-28T02:{minute}:00",
            "reason": "Clocks in Europe/Berlin go forward by 60 minutes on that day, and there is no "
            f"02:{minute}",
        }
        for minute in ("00", "30")
    ]


def test_repeated_fire_is_marked_with_the_first_offset() -> None:
    fields = preview_fields(preview_rule(datetime(2026, 10, 24, 23, 45, tzinfo=UTC), "Europe/Berlin"))

    assert json.loads(dump_json(fields["fires"]))[:3] == [
        {"local": "2026-10-25T02:00:00+02:00", "utc": "2026-10-25T00:00:00Z", "repeated": True},
        {"local": "2026-10-25T02:30:00+02:00", "utc": "2026-10-25T00:30:00Z", "repeated": True},
        {"local": "2026-10-26T01:00:00+01:00", "utc": "2026-10-26T00:00:00Z"},
    ]


def test_refused_preview_is_explained() -> None:
    input_ = ScheduleInput({"cron": "0 9 * * *"}, {"x": "x is not a known field"})

    fields = preview_fields(build_preview(Rules((), Limits(), NOW), install(), input_))

    assert (fields["valid"], fields["error"]) == (False, "endpoint is required")
    assert fields["fieldErrors"] == {"endpoint": "endpoint is required", "x": "x is not a known field"}


def test_a_run_has_the_contracts_fields() -> None:
    run = Run(
        scheduled_time="2026-11-23T09:00:00Z",
        status=RunStatus.ERROR,
        attempt=2,
        started_at=NOW,
        duration_ms=12,
        http_status=503,
        error="down",
        retryable=True,
    )

    assert dump_json(run_fields(run)) == (
        '{"scheduledTime":"2026-11-23T09:00:00Z","trigger":"schedule","startedAt":"2026-11-23T09:00:00.000Z","durationMs":12,'
        '"attempt":2,"status":"error","httpStatus":503,"error":"down"}'
    )


def test_install_json_has_no_config_and_no_secret() -> None:
    version = Version(id="version-1", manifest_hash="hash", endpoints=(endpoint("GET", "/a"),))

    assert install_fields(install(schedule_count=3, enabled=False), version) == {
        "installId": "install-1",
        "tenantId": "tenant-1",
        "registryId": "registry-1",
        "versionId": "version-1",
        "contentHash": "sha256:abc",
        "grantedCapabilities": ["cap:context.read", "cap:scheduler.manage"],
        "enabled": False,
        "paused": False,
        "scheduleCount": 3,
        "endpoints": [endpoint_fields(endpoint("GET", "/a"))],
    }
