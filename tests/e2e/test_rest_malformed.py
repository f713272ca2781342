"""Malformed requests to the resource API."""

import json
from collections.abc import Callable

import pytest

from tests.support.stacks.local_stack import HOURLY_SCHEDULE, ApiInstall, LocalStack, assert_problem
from tests.support.stacks.world import UNKNOWN_SCHEDULE_ID


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        pytest.param(b"", "The body is not valid: ", id="empty"),
        pytest.param(b"{'a': 1}", "The body is not valid: ", id="not JSON"),
        pytest.param(b"null", "The body must be a JSON object", id="null"),
        pytest.param(b"[1]", "The body must be a JSON object", id="array"),
        pytest.param(b'{"cron":NaN}', "The body is not valid: ", id="NaN"),
        pytest.param("﻿{}".encode(), "The body is not valid: ", id="byte order mark"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_malformed_body_is_refused(
    stack: LocalStack, install: ApiInstall, method: str, body: bytes, detail: str
) -> None:
    paths = {
        "POST": f"{install.path}/schedules",
        "PATCH": f"{install.path}/schedules/{install.create_schedule()}",
        "PUT": f"/admin/v1/installs/{install.id}",
    }

    response = stack.api.request(method, paths[method], content=body)

    assert str(assert_problem(response, 400, "VALIDATION_FAILED")["detail"]).startswith(detail)


@pytest.mark.parametrize(
    "schedule_id",
    ["x", UNKNOWN_SCHEDULE_ID, UNKNOWN_SCHEDULE_ID.replace("-4", "-7"), "%00", "%F0%9F%92%A9", "a" * 500],
)
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_malformed_schedule_id_is_not_found(
    stack: LocalStack, install: ApiInstall, method: str, schedule_id: str
) -> None:
    response = stack.api.request(method, f"{install.path}/schedules/{schedule_id}", json={"enabled": True})

    assert_problem(response, 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "install_id", ["x", UNKNOWN_SCHEDULE_ID, "%2e%2e", "a" * 65, "%F0%9F%92%A9", "INSTALL%23x"]
)
def test_malformed_install_id_is_not_found(stack: LocalStack, install_id: str) -> None:
    for path in (
        "schedules",
        "endpoints",
        f"schedules/{UNKNOWN_SCHEDULE_ID}",
        f"schedules/{UNKNOWN_SCHEDULE_ID}/runs",
    ):
        assert_problem(stack.api.get(f"/v1/installs/{install_id}/{path}"), 404, "NOT_FOUND")


HALF_A_MILLION = 400_000
FIVE_MEGABYTES = 5_000_000


def build_large_payload() -> dict[str, object]:
    return {**HOURLY_SCHEDULE, "payload": {"a": "x" * FIVE_MEGABYTES}}


def build_many_fields() -> dict[str, object]:
    return {f"x{number}": 1 for number in range(HALF_A_MILLION)}


@pytest.mark.parametrize("build", [build_large_payload, build_many_fields], ids=["payload", "unknown fields"])
def test_body_of_five_megabytes_is_refused(
    stack: LocalStack, install: ApiInstall, build: Callable[[], dict[str, object]]
) -> None:
    body = json.dumps(build())
    schedule_path = f"{install.path}/schedules/{install.create_schedule()}"
    responses = [
        stack.api.post(f"{install.path}/schedules", content=body),
        stack.api.post(f"{install.path}/schedules/preview", content=body),
        stack.api.patch(schedule_path, content=body),
    ]

    for response in responses:
        problem = assert_problem(response, 400, "VALIDATION_FAILED")
        assert problem["fieldErrors"] == {"payload": "Payload too large"}
    registration = stack.api.put(f"/admin/v1/installs/{install.id}", content=body)
    detail = assert_problem(registration, 400, "VALIDATION_FAILED")["detail"]
    assert detail == "The body is larger than 1820000 bytes"


def test_callback_with_half_a_million_fields_is_refused(install: ApiInstall) -> None:
    response = install.call_callback("create", **build_many_fields())

    assert (response.status_code, response.json()) == (
        400,
        {
            "success": False,
            "error": "Payload too large",
            "fieldErrors": {"payload": "Payload too large"},
            "code": "VALIDATION_FAILED",
        },
    )
