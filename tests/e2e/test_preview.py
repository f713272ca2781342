"""The preview of a create: its rules and its next fires (contract, section 2)."""

from typing import Any

import httpx
import pytest

from tests.support.stacks.local_stack import HOURLY_SCHEDULE, ApiInstall, LocalStack


def preview_schedule(install: ApiInstall, **fields: object) -> dict[str, Any]:
    """Preview `HOURLY_SCHEDULE` changed by `fields` and return the response."""
    response = post_preview(install, {**HOURLY_SCHEDULE, **fields})
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json"), (
        response.text
    )
    return dict(response.json())


def post_preview(install: ApiInstall, body: object) -> httpx.Response:
    return install.stack.api.post(f"{install.path}/schedules/preview", json=body)


@pytest.mark.local_only("functions in containers use the real time")
def test_preview_matches_created_schedule_and_its_fires(stack: LocalStack, install: ApiInstall) -> None:
    fields = {"endpoint": "/api/both", "cron": "*/15 * * * *", "timezone": "Asia/Kathmandu", "payload": [1]}

    preview_json = preview_schedule(install, **fields)

    schedule_id = install.create_schedule(**fields)
    timer = install.read_timer(schedule_id)
    assert timer is not None
    assert (timer["ScheduleExpression"], timer["ScheduleExpressionTimezone"]) == (
        preview_json["expression"],
        preview_json["timezone"],
    )
    assert (preview_json["endpoint"], preview_json["smallestGapMinutes"], preview_json["skipped"]) == (
        "POST /api/both",
        15,
        [],
    )
    assert all(fire["local"].endswith("+05:45") for fire in preview_json["fires"])
    fired = [fire["scheduledTime"] for fire in stack.advance_clock("PT2H30M")]
    assert fired == [fire["utc"] for fire in preview_json["fires"]]
    assert len(fired) == 10


def test_preview_writes_nothing(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule(name="nightly", payload=[1])
    rows, timers = install.read_rows(), timer_names(stack)

    assert preview_schedule(install, name="new", payload={"a": 1})["valid"]
    assert not preview_schedule(install, name="nightly", cron="* * * * *")["valid"]

    assert (install.read_rows(), timer_names(stack)) == (rows, timers)
    assert schedule_id in timers


def timer_names(stack: LocalStack) -> list[str]:
    pages = (
        stack.aws_client("scheduler").get_paginator("list_schedules").paginate(GroupName=stack.group_name())
    )
    return sorted(timer["Name"] for page in pages for timer in page["Schedules"])


def test_every_broken_rule_is_reported_beside_valid_fields(install: ApiInstall) -> None:
    install.create_schedule(name="nightly")

    preview_json = preview_schedule(
        install,
        endpoint="/none",
        cron="2,58 9,10 * * *",
        timezone="Mars/Olympus",
        enabled="yes",
        name="nightly",
        payload=1,
        colour="red",
    )

    assert preview_json == {
        "valid": False,
        "error": "Endpoint not found or not schedulable",
        "fieldErrors": {
            "endpoint": "Endpoint not found or not schedulable",
            "cron": "Cron too frequent (minimum interval is 5 minutes)",
            "timezone": "Invalid timezone",
            "enabled": "enabled must be true or false",
            "name": "Schedule name already in use for this extension",
            "payload": "Payload must be a JSON object or array",
            "colour": "colour is not a known field",
        },
        "expression": "cron(2,58 9,10 * * ? *)",
        "description": None,
        "timezone": None,
        "endpoint": None,
        "smallestGapMinutes": 4,
        "spreadMinutes": 0,
        "fires": [],
        "skipped": [],
    }


def test_empty_body_reports_the_required_fields(install: ApiInstall) -> None:
    response = post_preview(install, {})

    assert (response.status_code, response.json()["fieldErrors"]) == (
        200,
        {"endpoint": "endpoint is required", "cron": "cron is required"},
    )


def test_skipped_local_times_are_reported(install: ApiInstall) -> None:
    preview_json = preview_schedule(install, cron="30 2 * 3 SUN", timezone="Europe/Berlin")

    assert preview_json["valid"]
    assert len(preview_json["fires"]) == 10
    assert preview_json["skipped"]
    for skipped in preview_json["skipped"]:
        assert skipped["local"].endswith("T02:30:00")
        assert skipped["reason"] == (
            "Clocks in Europe/Berlin go forward by 60 minutes on that day, and there is no 02:30"
        )


@pytest.mark.local_only("one test of the quota is enough in containers")
def test_exceeded_quota_is_reported_without_a_field(install: ApiInstall) -> None:
    for _ in range(50):
        install.create_schedule(enabled=False)

    preview_json = preview_schedule(install)

    assert (preview_json["valid"], preview_json["error"], preview_json["fieldErrors"]) == (
        False,
        "Too many schedules (max 50 per extension install)",
        {},
    )
    assert len(preview_json["fires"]) == 10


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "The body is not valid: "),
        (b"[]", "The body must be a JSON object"),
        (b"{", "The body is not valid"),
    ],
    ids=["empty", "array", "not JSON"],
)
def test_malformed_body_is_refused(install: ApiInstall, body: bytes, detail: str) -> None:
    response = install.stack.api.post(f"{install.path}/schedules/preview", content=body)

    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert response.json()["detail"].startswith(detail)


def test_preview_requires_manage_capability(stack: LocalStack, install: ApiInstall) -> None:
    denied = stack.register_install(grantedCapabilities=[])
    absent = ApiInstall(stack, "absent")
    stack.register_install(install.id, enabled=False)

    responses = [post_preview(each, HOURLY_SCHEDULE) for each in (denied, absent, install)]

    assert [(response.status_code, response.json()["code"]) for response in responses] == [
        (403, "CAPABILITY_DENIED"),
        (404, "NOT_FOUND"),
        (404, "NOT_FOUND"),
    ]
