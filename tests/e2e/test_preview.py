"""Contract section 2: what a create would come to, and when it would fire."""

from typing import Any

import httpx
import pytest

from tests.support.local_stack import ApiInstall, LocalStack

WANTED = {"endpoint": "POST /api/sync", "cron": "0 * * * *"}


def previewed(install: ApiInstall, **fields: object) -> dict[str, Any]:
    """The answer of a preview: hourly to POST /api/sync unless `fields` say otherwise."""
    answer = preview(install, {**WANTED, **fields})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    return dict(answer.json())


def preview(install: ApiInstall, body: object) -> httpx.Response:
    return install.stack.api.post(f"{install.path}/schedules/preview", json=body)


@pytest.mark.local_only("functions in containers keep the real time")
def test_what_is_shown_is_what_is_set_and_what_fires(stack: LocalStack, install: ApiInstall) -> None:
    fields = {"endpoint": "/api/both", "cron": "*/15 * * * *", "timezone": "Asia/Kathmandu", "payload": [1]}

    shown = previewed(install, **fields)

    schedule_id = install.created(**fields)
    timer = install.timer(schedule_id)
    assert timer is not None
    assert (timer["ScheduleExpression"], timer["ScheduleExpressionTimezone"]) == (
        shown["expression"],
        shown["timezone"],
    )
    assert (shown["endpoint"], shown["smallestGapMinutes"], shown["skipped"]) == ("POST /api/both", 15, [])
    assert all(fire["local"].endswith("+05:45") for fire in shown["fires"])
    fired = [fire["scheduledTime"] for fire in stack.travel("PT2H30M")]
    assert fired == [fire["utc"] for fire in shown["fires"]]
    assert len(fired) == 10


def test_nothing_is_written(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.created(name="nightly", payload=[1])
    rows, timers = install.rows(), names_of_timers(stack)

    assert previewed(install, name="new", payload={"a": 1})["valid"]
    assert not previewed(install, name="nightly", cron="* * * * *")["valid"]

    assert (install.rows(), names_of_timers(stack)) == (rows, timers)
    assert schedule_id in timers


def names_of_timers(stack: LocalStack) -> list[str]:
    pages = stack.aws("scheduler").get_paginator("list_schedules").paginate(GroupName=stack.group())
    return sorted(found["Name"] for page in pages for found in page["Schedules"])


def test_every_broken_rule_is_told_at_once_beside_what_is_sound(install: ApiInstall) -> None:
    install.created(name="nightly")

    shown = previewed(
        install,
        endpoint="/none",
        cron="2,58 9,10 * * *",
        timezone="Mars/Olympus",
        enabled="yes",
        name="nightly",
        payload=1,
        colour="red",
    )

    assert shown == {
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
        "timezone": None,
        "endpoint": None,
        "smallestGapMinutes": 4,
        "fires": [],
        "skipped": [],
    }


def test_an_empty_body_lacks_what_a_create_needs(install: ApiInstall) -> None:
    answer = preview(install, {})

    assert (answer.status_code, answer.json()["fieldErrors"]) == (
        200,
        {"endpoint": "endpoint is required", "cron": "cron is required"},
    )


def test_skipped_local_times_are_named(install: ApiInstall) -> None:
    shown = previewed(install, cron="30 2 * 3 SUN", timezone="Europe/Berlin")

    assert shown["valid"]
    assert len(shown["fires"]) == 10
    assert shown["skipped"]
    for skipped in shown["skipped"]:
        assert skipped["local"].endswith("T02:30:00")
        assert skipped["reason"] == (
            "Clocks in Europe/Berlin go forward by 60 minutes on that day, and there is no 02:30"
        )


@pytest.mark.local_only("one test of the quota is enough there")
def test_the_quota_has_no_field_to_blame(install: ApiInstall) -> None:
    for _ in range(50):
        install.created(enabled=False)

    shown = previewed(install)

    assert (shown["valid"], shown["error"], shown["fieldErrors"]) == (
        False,
        "Too many schedules (max 50 per extension install)",
        {},
    )
    assert len(shown["fires"]) == 10


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "The body is not valid: "),
        (b"[]", "The body must be a JSON object"),
        (b"{", "The body is not valid"),
    ],
    ids=["none", "an array", "not JSON"],
)
def test_a_body_that_is_no_schedule_at_all_is_refused(install: ApiInstall, body: bytes, detail: str) -> None:
    answer = install.stack.api.post(f"{install.path}/schedules/preview", content=body)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["detail"].startswith(detail)


def test_only_an_install_that_may_manage_schedules_gets_one(stack: LocalStack, install: ApiInstall) -> None:
    denied = stack.register(grantedCapabilities=[])
    absent = ApiInstall(stack, "absent")
    stack.register(install.id, enabled=False)

    answers = [preview(each, WANTED) for each in (denied, absent, install)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (403, "CAPABILITY_DENIED"),
        (404, "NOT_FOUND"),
        (404, "NOT_FOUND"),
    ]
