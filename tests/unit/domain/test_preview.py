from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from scheduling.domain.install import Limits
from scheduling.domain.preview import Preview, build_preview
from scheduling.domain.rules import ScheduleFields, ScheduleInput, ScheduleRules

from tests.unit.builders import NOW, endpoint, install

RULES = ScheduleRules(
    (endpoint("GET", "/both"), endpoint("POST", "/both"), endpoint("POST", "/post")), Limits(), NOW
)
QUOTA_ERROR = "Too many schedules (max 50 per extension install)"
NAME_TAKEN_ERROR = "Schedule name already in use for this extension"
FULL_INSTALL = install(schedule_count=50)
FOUR_MINUTES = ("09:02", "09:58", "10:02", "10:58")
HOURLY = [f"2026-11-23T{hour:02}:00" for hour in range(10, 20)]


def create_input(**fields: object) -> ScheduleInput:
    return ScheduleInput(cast(ScheduleFields, fields))


def valid_input(**fields: object) -> ScheduleInput:
    return create_input(**{"endpoint": "/post", "cron": "0 * * * *", **fields})


def local_fires(preview: Preview) -> list[str]:
    """Return the fires on the wall clock."""
    return [f"{time.wall_time:%Y-%m-%dT%H:%M}" for time in preview.fire_times]


def cron_results(preview: Preview) -> tuple[str | None, int | None, list[str]]:
    """Return the values that depend on the cron text."""
    return preview.expression, preview.smallest_gap_minutes, local_fires(preview)


def test_valid_schedule_is_previewed() -> None:
    preview = build_preview(
        RULES, install(), valid_input(timezone=" Asia/Kolkata ", name="nightly", payload=[1])
    )

    assert (preview.error, preview.field_errors) == (None, {})
    assert (preview.timezone, preview.endpoint) == ("Asia/Kolkata", "POST /post")
    assert (preview.expression, preview.smallest_gap_minutes) == ("cron(0 * * * ? *)", 60)
    assert [time.wall_time.isoformat() for time in preview.fire_times[:2]] == [
        "2026-11-23T15:00:00+05:30",
        "2026-11-23T16:00:00+05:30",
    ]
    assert [time.utc for time in preview.fire_times] == [
        NOW + timedelta(hours=n, minutes=30) for n in range(10)
    ]
    assert preview.skipped_times == []


def test_timezone_defaults_to_utc_and_disabled_previews_as_enabled() -> None:
    preview = build_preview(RULES, install(), valid_input(enabled=False))

    assert (preview.error, preview.timezone, local_fires(preview)) == (None, "UTC", HOURLY)


@pytest.mark.parametrize(
    ("fields", "endpoint_"),
    [
        ({"endpoint": "post //post"}, "POST /post"),
        ({"endpoint": "/both"}, "GET /both"),
        ({"endpoint": "/both", "payload": {}}, "POST /both"),
        ({"endpoint": "/both", "payload": "broken"}, "POST /both"),
        ({"endpoint": "/none"}, None),
    ],
    ids=["normalized", "bare path", "with a payload", "with a broken payload", "unknown"],
)
def test_endpoint_is_previewed_as_resolved(fields: dict[str, object], endpoint_: str | None) -> None:
    assert build_preview(RULES, install(), valid_input(**fields)).endpoint == endpoint_


def test_every_broken_rule_is_reported_together() -> None:
    types = {"enabled": "enabled must be true or false", "colour": "colour is not a known field"}
    broken = valid_input(endpoint="/x", cron="*/4 * * * *", timezone="x", name="taken", payload=1)

    preview = build_preview(
        replace(RULES, name_taken=True), FULL_INSTALL, ScheduleInput(broken.fields, types)
    )

    assert list(preview.field_errors.items()) == [
        ("endpoint", "Endpoint not found or not schedulable"),
        ("cron", "Cron too frequent (minimum interval is 5 minutes)"),
        ("timezone", "Invalid timezone"),
        ("enabled", "enabled must be true or false"),
        ("name", NAME_TAKEN_ERROR),
        ("payload", "Payload must be a JSON object or array"),
        ("colour", "colour is not a known field"),
    ]
    assert preview.error == "Endpoint not found or not schedulable"
    assert (preview.timezone, preview.endpoint) == (None, None)


@pytest.mark.parametrize(
    ("input_", "errors", "cron_values"),
    [
        pytest.param(
            create_input(),
            {"endpoint": "endpoint is required", "cron": "cron is required"},
            (None, None, []),
            id="no fields",
        ),
        pytest.param(
            ScheduleInput({"endpoint": "/post"}, {"cron": "cron must be a string"}),
            {"cron": "cron must be a string"},
            (None, None, []),
            id="cron of the wrong type",
        ),
        pytest.param(
            valid_input(cron="60 * * * *"),
            {"cron": "Invalid cron expression (minute: 60 is not between 0 and 59)"},
            (None, None, []),
            id="cron that cannot be read",
        ),
        pytest.param(
            valid_input(cron="2,58 9,10 * * *"),
            {"cron": "Cron too frequent (minimum interval is 5 minutes)"},
            (
                "cron(2,58 9,10 * * ? *)",
                4,
                [f"2026-11-{day}T{time}" for day in (23, 24, 25) for time in FOUR_MINUTES][:10],
            ),
            id="too frequent",
        ),
        pytest.param(
            valid_input(cron="0 0 30 2 *"),
            {"cron": "Cron never fires in the next 8 years"},
            ("cron(0 0 30 2 ? *)", None, []),
            id="never fires",
        ),
        pytest.param(
            valid_input(timezone="Mars/Olympus"),
            {"timezone": "Invalid timezone"},
            ("cron(0 * * * ? *)", 60, []),
            id="timezone unknown",
        ),
        pytest.param(
            ScheduleInput(valid_input().fields, {"timezone": "timezone must be a string"}),
            {"timezone": "timezone must be a string"},
            ("cron(0 * * * ? *)", 60, []),
            id="timezone of the wrong type",
        ),
        pytest.param(
            valid_input(endpoint="/none"),
            {"endpoint": "Endpoint not found or not schedulable"},
            ("cron(0 * * * ? *)", 60, HOURLY),
            id="endpoint unknown",
        ),
        pytest.param(
            create_input(cron="0 * * * *"),
            {"endpoint": "endpoint is required"},
            ("cron(0 * * * ? *)", 60, HOURLY),
            id="endpoint missing",
        ),
        pytest.param(
            valid_input(name="n" * 129),
            {"name": "Name too long"},
            ("cron(0 * * * ? *)", 60, HOURLY),
            id="name too long",
        ),
    ],
)
def test_valid_fields_are_previewed_beside_broken_ones(
    input_: ScheduleInput, errors: dict[str, str], cron_values: tuple[str | None, int | None, list[str]]
) -> None:
    preview = build_preview(RULES, install(), input_)

    assert (preview.field_errors, preview.error) == (errors, next(iter(errors.values())))
    assert cron_results(preview) == cron_values


def test_taken_name_is_reported() -> None:
    preview = build_preview(replace(RULES, name_taken=True), install(), valid_input(name="taken"))

    assert (preview.error, preview.field_errors) == (NAME_TAKEN_ERROR, {"name": NAME_TAKEN_ERROR})
    assert local_fires(preview) == HOURLY


def test_the_quota_has_no_field_to_blame() -> None:
    preview = build_preview(RULES, FULL_INSTALL, valid_input())

    assert (preview.error, preview.field_errors) == (QUOTA_ERROR, {})
    assert cron_results(preview) == ("cron(0 * * * ? *)", 60, HOURLY)
