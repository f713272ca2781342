from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from scheduling.domain.install import Limits
from scheduling.domain.preview import Preview, build_preview
from scheduling.domain.rules import Rules, ScheduleFields, ScheduleInput

from tests.unit.builders import NOW, endpoint, install

RULES = Rules((endpoint("GET", "/both"), endpoint("POST", "/both"), endpoint("POST", "/post")), Limits(), NOW)
QUOTA = "Too many schedules (max 50 per extension install)"
NAME_TAKEN = "Schedule name already in use for this extension"
FULL = install(schedule_count=50)
FOUR_MINUTES = ("09:02", "09:58", "10:02", "10:58")
HOURLY = [f"2026-11-23T{hour:02}:00" for hour in range(10, 20)]


def given(**fields: object) -> ScheduleInput:
    return ScheduleInput(cast(ScheduleFields, fields))


def wanted(**fields: object) -> ScheduleInput:
    return given(**{"endpoint": "/post", "cron": "0 * * * *", **fields})


def local(preview: Preview) -> list[str]:
    """The fires on the wall clock."""
    return [f"{time.wall_time:%Y-%m-%dT%H:%M}" for time in preview.fire_times]


def of_cron(preview: Preview) -> tuple[str | None, int | None, list[str]]:
    """What depends on the cron text."""
    return preview.expression, preview.smallest_gap_minutes, local(preview)


def test_a_valid_schedule_is_shown_as_it_would_fire() -> None:
    preview = build_preview(RULES, install(), wanted(timezone=" Asia/Kolkata ", name="nightly", payload=[1]))

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


def test_the_timezone_is_utc_unless_given_and_a_disabled_one_is_shown_as_if_it_were_not() -> None:
    preview = build_preview(RULES, install(), wanted(enabled=False))

    assert (preview.error, preview.timezone, local(preview)) == (None, "UTC", HOURLY)


@pytest.mark.parametrize(
    ("fields", "endpoint_"),
    [
        ({"endpoint": "post //post"}, "POST /post"),
        ({"endpoint": "/both"}, "GET /both"),
        ({"endpoint": "/both", "payload": {}}, "POST /both"),
        ({"endpoint": "/both", "payload": "broken"}, "POST /both"),
        ({"endpoint": "/none"}, None),
    ],
    ids=["put right", "bare path", "with a payload", "with a broken payload", "unknown"],
)
def test_the_endpoint_is_shown_as_resolved(fields: dict[str, object], endpoint_: str | None) -> None:
    assert build_preview(RULES, install(), wanted(**fields)).endpoint == endpoint_


def test_every_broken_rule_is_told_at_once() -> None:
    types = {"enabled": "enabled must be true or false", "colour": "colour is not a known field"}
    broken = wanted(endpoint="/x", cron="*/4 * * * *", timezone="x", name="taken", payload=1)

    preview = build_preview(replace(RULES, name_taken=True), FULL, ScheduleInput(broken.fields, types))

    assert list(preview.field_errors.items()) == [
        ("endpoint", "Endpoint not found or not schedulable"),
        ("cron", "Cron too frequent (minimum interval is 5 minutes)"),
        ("timezone", "Invalid timezone"),
        ("enabled", "enabled must be true or false"),
        ("name", NAME_TAKEN),
        ("payload", "Payload must be a JSON object or array"),
        ("colour", "colour is not a known field"),
    ]
    assert preview.error == "Endpoint not found or not schedulable"
    assert (preview.timezone, preview.endpoint) == (None, None)


@pytest.mark.parametrize(
    ("input_", "errors", "shown"),
    [
        pytest.param(
            given(),
            {"endpoint": "endpoint is required", "cron": "cron is required"},
            (None, None, []),
            id="nothing given",
        ),
        pytest.param(
            ScheduleInput({"endpoint": "/post"}, {"cron": "cron must be a string"}),
            {"cron": "cron must be a string"},
            (None, None, []),
            id="cron of the wrong type",
        ),
        pytest.param(
            wanted(cron="60 * * * *"),
            {"cron": "Invalid cron expression (minute: 60 is not between 0 and 59)"},
            (None, None, []),
            id="cron that cannot be read",
        ),
        pytest.param(
            wanted(cron="2,58 9,10 * * *"),
            {"cron": "Cron too frequent (minimum interval is 5 minutes)"},
            (
                "cron(2,58 9,10 * * ? *)",
                4,
                [f"2026-11-{day}T{time}" for day in (23, 24, 25) for time in FOUR_MINUTES][:10],
            ),
            id="too frequent",
        ),
        pytest.param(
            wanted(cron="0 0 30 2 *"),
            {"cron": "Cron never fires in the next 8 years"},
            ("cron(0 0 30 2 ? *)", None, []),
            id="never",
        ),
        pytest.param(
            wanted(timezone="Mars/Olympus"),
            {"timezone": "Invalid timezone"},
            ("cron(0 * * * ? *)", 60, []),
            id="timezone unknown",
        ),
        pytest.param(
            ScheduleInput(wanted().fields, {"timezone": "timezone must be a string"}),
            {"timezone": "timezone must be a string"},
            ("cron(0 * * * ? *)", 60, []),
            id="timezone of the wrong type",
        ),
        pytest.param(
            wanted(endpoint="/none"),
            {"endpoint": "Endpoint not found or not schedulable"},
            ("cron(0 * * * ? *)", 60, HOURLY),
            id="endpoint unknown",
        ),
        pytest.param(
            given(cron="0 * * * *"),
            {"endpoint": "endpoint is required"},
            ("cron(0 * * * ? *)", 60, HOURLY),
            id="endpoint missing",
        ),
        pytest.param(
            wanted(name="n" * 129),
            {"name": "Name too long"},
            ("cron(0 * * * ? *)", 60, HOURLY),
            id="name too long",
        ),
    ],
)
def test_what_is_sound_is_shown_beside_what_is_broken(
    input_: ScheduleInput, errors: dict[str, str], shown: tuple[str | None, int | None, list[str]]
) -> None:
    preview = build_preview(RULES, install(), input_)

    assert (preview.field_errors, preview.error) == (errors, next(iter(errors.values())))
    assert of_cron(preview) == shown


def test_a_taken_name_is_told() -> None:
    preview = build_preview(replace(RULES, name_taken=True), install(), wanted(name="taken"))

    assert (preview.error, preview.field_errors) == (NAME_TAKEN, {"name": NAME_TAKEN})
    assert local(preview) == HOURLY


def test_the_quota_has_no_field_to_blame() -> None:
    preview = build_preview(RULES, FULL, wanted())

    assert (preview.error, preview.field_errors) == (QUOTA, {})
    assert of_cron(preview) == ("cron(0 * * * ? *)", 60, HOURLY)
