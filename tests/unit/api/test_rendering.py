from datetime import UTC, datetime

import pytest
from scheduling.api.rendering import (
    install_response,
    preview_response,
    schedule_page_response,
    tenant_page_response,
)
from scheduling.domain.install import Limits, Version
from scheduling.domain.preview import Preview, build_preview
from scheduling.domain.rules import ScheduleInput, ScheduleRules
from scheduling.domain.tenant import TenantCursor
from scheduling.domain.views import cursor_scope, encode_cursor, endpoint_fields
from scheduling.operations.installs.tenants import TenantPage
from scheduling.store.snapshots import SchedulePage

from tests.unit.builders import (
    INSTALL_ID,
    NOW,
    SCHEDULE_ID,
    endpoint,
    install,
    parse_response_body,
    schedule,
)

SCOPE = cursor_scope("schedules", INSTALL_ID)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_page_has_every_schedule(count: int) -> None:
    page = SchedulePage(install(), [schedule(name=str(number)) for number in range(count)])

    body = parse_response_body(schedule_page_response(page, SCOPE))

    assert [item["name"] for item in body["schedules"]] == [str(number) for number in range(count)]
    assert body["nextCursor"] is None


def test_page_has_the_cursor_of_the_next_one() -> None:
    page = SchedulePage(install(), [schedule()], next_after=SCHEDULE_ID)

    assert parse_response_body(schedule_page_response(page, SCOPE))["nextCursor"] == encode_cursor(
        SCOPE, SCHEDULE_ID
    )


def test_schedule_of_a_tenant_has_its_install_and_ends_with_its_state() -> None:
    position = TenantCursor(INSTALL_ID, SCHEDULE_ID, "2026-11-23T09:00:00.000000+0000")
    page = TenantPage([(install(paused=True), schedule(payload="[1.0]"))], position)

    response = tenant_page_response(page, SCOPE)

    assert '"payload":[1.0],"installId":"install-1","installEnabled":true,"paused":true}]' in response["body"]
    assert parse_response_body(response)["nextCursor"] == encode_cursor(SCOPE, position.position)


def preview_rule(now: datetime, timezone: str) -> Preview:
    """Preview a schedule that fires every half hour from 01:00 to 02:30."""
    input_ = ScheduleInput({"endpoint": "/a", "cron": "*/30 1,2 * * *", "timezone": timezone})
    limits = Limits(default_spread_minutes=10)
    return build_preview(ScheduleRules((endpoint("POST", "/a"),), limits, now), install(), input_)


def test_preview_has_the_fields_of_the_contract() -> None:
    preview = preview_rule(datetime(2027, 3, 27, 23, 0, tzinfo=UTC), "Europe/Berlin")

    fields = parse_response_body(preview_response(preview))

    assert {**fields, "fires": [], "skipped": []} == {
        "valid": True,
        "error": None,
        "fieldErrors": {},
        "expression": "cron(0,30 1,2 * * ? *)",
        "description": "Every 30 minutes, at 01:00 and 02:00, Europe/Berlin",
        "timezone": "Europe/Berlin",
        "endpoint": "POST /a",
        "smallestGapMinutes": 30,
        "spreadMinutes": 10,
        "fires": [],
        "skipped": [],
    }
    assert fields["fires"][1:3] == [
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
    preview = preview_rule(datetime(2026, 10, 24, 23, 45, tzinfo=UTC), "Europe/Berlin")

    fields = parse_response_body(preview_response(preview))

    assert fields["fires"][:3] == [
        {"local": "2026-10-25T02:00:00+02:00", "utc": "2026-10-25T00:00:00Z", "repeated": True},
        {"local": "2026-10-25T02:30:00+02:00", "utc": "2026-10-25T00:30:00Z", "repeated": True},
        {"local": "2026-10-26T01:00:00+01:00", "utc": "2026-10-26T00:00:00Z"},
    ]


def test_refused_preview_has_the_errors() -> None:
    input_ = ScheduleInput({"cron": "0 9 * * *"}, {"x": "x is not a known field"})

    preview = build_preview(ScheduleRules((), Limits(), NOW), install(), input_)
    fields = parse_response_body(preview_response(preview))

    assert (fields["valid"], fields["error"]) == (False, "endpoint is required")
    assert fields["fieldErrors"] == {"endpoint": "endpoint is required", "x": "x is not a known field"}


def test_install_json_has_no_config_and_no_secret() -> None:
    version = Version(id="version-1", manifest_hash="hash", endpoints=(endpoint("GET", "/a"),))

    response = install_response(install(schedule_count=3, enabled=False), version)

    assert parse_response_body(response) == {
        "installId": "install-1",
        "tenantId": "tenant-1",
        "registryId": "registry-1",
        "versionId": "version-1",
        "extensionName": None,
        "extensionVersion": None,
        "contentHash": "sha256:abc",
        "grantedCapabilities": ["cap:context.read", "cap:scheduler.manage"],
        "enabled": False,
        "paused": False,
        "scheduleCount": 3,
        "endpoints": [endpoint_fields(endpoint("GET", "/a"))],
    }
