"""What the comparison of responses with docs/openapi.json finds."""

import json
from typing import Any

import pytest
from scheduling.domain.endpoints import Endpoint
from scheduling.domain.schedule import LastRun
from scheduling.domain.views import endpoint_fields, schedule_fields

from tests.support.oracles.api_description import (
    find_faults,
    find_response_faults,
    find_route,
    load_description,
)
from tests.unit.builders import NOW, schedule

ENDPOINTS = "GET /v1/installs/{installId}/endpoints"
GET = "GET /v1/installs/{installId}/schedules/{scheduleId}"
JSON, PROBLEM_JSON = {"content-type": "application/json"}, {"content-type": "application/problem+json"}
ENDPOINT = endpoint_fields(
    Endpoint(id="3f0c5a52-8c2e-4f0b-9d6e-6f1f3d9a2b10", method="GET", path="/a", handler="a")
)
NOT_FOUND = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "No", "code": "NOT_FOUND"}


@pytest.mark.parametrize(
    ("route", "status", "headers", "body", "fault"),
    [
        pytest.param(
            ENDPOINTS,
            200,
            JSON,
            {"endpoints": [{**ENDPOINT, "color": 1}]},
            "'color' was unexpected",
            id="field",
        ),
        pytest.param(ENDPOINTS, 200, JSON, {}, "'endpoints' is a required property", id="missing field"),
        pytest.param(
            ENDPOINTS, 200, JSON, {"endpoints": [{**ENDPOINT, "id": "1"}]}, "is not a 'uuid'", id="format"
        ),
        pytest.param(ENDPOINTS, 204, {}, None, "the status is not described", id="status"),
        pytest.param(
            ENDPOINTS, 200, PROBLEM_JSON, {}, "the content type 'application/problem+json'", id="type"
        ),
        pytest.param(
            ENDPOINTS,
            404,
            PROBLEM_JSON,
            {**NOT_FOUND, "code": "NAME_TAKEN"},
            "the code NAME_TAKEN",
            id="code",
        ),
        pytest.param(GET, 200, JSON, {}, "the header etag is missing", id="header"),
    ],
)
def test_fault_is_named(route: str, status: int, headers: dict[str, str], body: Any, fault: str) -> None:
    faults = find_response_faults(route, status, headers, None if body is None else json.dumps(body))

    assert any(fault in each for each in faults), faults
    assert all(each.startswith(f"{route}, {status}: ") for each in faults)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        pytest.param(200, JSON, {"endpoints": [ENDPOINT]}, id="success"),
        pytest.param(404, PROBLEM_JSON, NOT_FOUND, id="problem"),
        pytest.param(403, JSON, {"message": "Forbidden"}, id="gateway"),
    ],
)
def test_described_response_has_no_faults(status: int, headers: dict[str, str], body: Any) -> None:
    assert find_response_faults(ENDPOINTS, status, headers, json.dumps(body)) == []


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/v1/installs/a.b/endpoints", ENDPOINTS),
        ("POST", "/v1/installs/a/schedules/preview", "POST /v1/installs/{installId}/schedules/preview"),
        ("GET", "/v1/installs/a/b/endpoints", None),
        ("PUT", "/v1/installs/a/endpoints", None),
        ("GET", "/_local/health", None),
    ],
)
def test_route_is_found_by_its_path(method: str, path: str, route: str | None) -> None:
    assert find_route(method, path) == route


def test_every_field_of_a_schedule_is_described_and_shown() -> None:
    full = schedule(
        name="daily",
        payload='{"a": 1}',
        last_run=LastRun(started_at=NOW, status="error", error="x"),
        pause_after_failures=3,
        spread_minutes=5,
        not_firing_reason="disabled",
        disabled_reason="completed",
        pending_since=NOW,
        unreadable="x",
        last_success_at=NOW,
    )

    described = load_description()["components"]["schemas"]["Schedule"]["properties"]
    assert set(schedule_fields(full)) == set(described), (
        "see scripts/openapi/responses.py, and run `make docs`"
    )
    assert find_faults({"$ref": "#/components/schemas/EndpointList"}, {"endpoints": [ENDPOINT]}, "list") == []
