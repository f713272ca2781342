"""Callbacks exactly as a deployed runner sends them (contract, section 1)."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.stacks.local_stack import RUNNER_TOKEN, ApiInstall, LocalStack, start_local_stack
from tests.support.stacks.world import UNKNOWN_SCHEDULE_ID

Response = tuple[int, Any]
NEVER_NULL = {"id", "endpointPath", "endpointMethod", "cron", "timezone", "enabled"}
"""A runner drops a schedule without one of these fields."""


def send_callback(install: ApiInstall, operation: str, **fields: object) -> Response:
    """Send the headers of a deployed runner and no others: it has no user-agent."""
    body = json.dumps({"operation": operation, **fields}).encode()
    connection = HTTPConnection(urlsplit(str(install.stack.api.base_url)).netloc, timeout=30)
    connection.putrequest("POST", install.callback_path, skip_accept_encoding=True)
    headers = {
        "content-type": "application/json",
        "x-runner-auth": RUNNER_TOKEN,
        "accept": "*/*",
        "content-length": str(len(body)),
    }
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, json.loads(content)


def test_every_operation_works_without_user_agent(install: ApiInstall) -> None:
    status, created = send_callback(install, "create", endpoint="POST /api/sync", cron="0 * * * *")
    assert (status, created["success"]) == (201, True)
    schedule_id = created["scheduleId"]

    status, listed = send_callback(install, "list")
    assert (status, [each["id"] for each in listed["schedules"]]) == (200, [schedule_id])
    assert send_callback(install, "get", scheduleId=schedule_id) == (
        200,
        {"schedule": listed["schedules"][0]},
    )
    assert send_callback(install, "update", scheduleId=schedule_id, enabled=False) == (200, {"success": True})
    assert send_callback(install, "getEndpoints")[0] == 200
    assert send_callback(install, "delete", scheduleId=schedule_id) == (200, {"success": True})
    assert send_callback(install, "get", scheduleId=schedule_id) == (200, {"schedule": None})


def test_no_schedule_lacks_a_field_that_runners_require(install: ApiInstall) -> None:
    for fields in (
        {},
        {"enabled": False},
        {"name": "nightly", "payload": [1]},
        {"endpoint": "GET /api/both"},
    ):
        install.create_schedule(**fields)

    _, listed = send_callback(install, "list")

    assert len(listed["schedules"]) == 4
    for schedule in listed["schedules"]:
        assert all(schedule[name] is not None for name in NEVER_NULL)


@pytest.mark.parametrize("operation", ["list", "get", "create", "update", "delete", "getEndpoints"])
def test_unknown_body_fields_are_ignored(install: ApiInstall, operation: str) -> None:
    schedule_id = install.create_schedule()
    fields = {
        "create": {"endpoint": "/api/sync", "cron": "0 * * * *"},
        **{name: {"scheduleId": schedule_id} for name in ("get", "update", "delete")},
    }

    status, _ = send_callback(
        install, operation, **fields.get(operation, {}), installId="x", requestId=7, colour=["red"]
    )

    assert status == (201 if operation == "create" else 200)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param({"enabled": "yes"}, "enabled", id="enabled as text"),
        pytest.param({"cron": 5}, "cron", id="cron as number"),
        pytest.param({"name": ["a"]}, "name", id="name as array"),
        pytest.param({"timezone": 1}, "timezone", id="timezone as number"),
        pytest.param({"endpoint": {}}, "endpoint", id="endpoint as object"),
    ],
)
def test_known_field_of_wrong_type_is_refused(
    install: ApiInstall, fields: dict[str, object], field: str
) -> None:
    body = {"endpoint": "/api/sync", "cron": "0 * * * *", **fields}

    status, response = send_callback(install, "create", **body)

    assert (status, response["success"], response["code"]) == (400, False, "VALIDATION_FAILED")
    assert field in response["fieldErrors"]


@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        pytest.param({"timezone": "europe/berlin"}, {"timezone": "Europe/Berlin"}, id="zone in lower case"),
        pytest.param({"timezone": "EUROPE/BERLIN"}, {"timezone": "Europe/Berlin"}, id="zone in upper case"),
        pytest.param({"timezone": "US/Eastern"}, {"timezone": "US/Eastern"}, id="zone alias"),
        pytest.param({"timezone": ""}, {"timezone": "UTC"}, id="empty zone"),
        pytest.param({"timezone": None}, {"timezone": "UTC"}, id="null zone"),
        pytest.param({"cron": "0\t9 \t* * *"}, {}, id="tabs in cron"),
    ],
)
def test_values_that_deployed_runners_let_through_are_accepted(
    install: ApiInstall, fields: dict[str, object], stored: dict[str, object]
) -> None:
    body = {"endpoint": "/api/sync", "cron": "0 9 * * *", **fields}

    status, created = send_callback(install, "create", **body)

    assert status == 201, created
    schedule = install.read_schedule(created["scheduleId"])
    assert {name: schedule[name] for name in stored} == stored


@pytest.fixture(scope="module")
def explaining_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that answers broken rules with 200, since runners drop the body of other statuses."""
    with start_local_stack(tmp_path_factory.mktemp("rules"), CALLBACK_RULE_ERROR_STATUS="200") as stack:
        yield stack


@pytest.mark.parametrize(
    ("operation", "fields", "text"),
    [
        pytest.param(
            "create",
            {"endpoint": "/api/none", "cron": "0 * * * *"},
            "Endpoint not found or not schedulable",
            id="rule",
        ),
        pytest.param("update", {"scheduleId": UNKNOWN_SCHEDULE_ID}, "Schedule not found", id="update"),
        pytest.param("delete", {"scheduleId": UNKNOWN_SCHEDULE_ID}, "Schedule not found", id="delete"),
    ],
)
def test_extension_learns_why_a_rule_refused_its_call(
    explaining_stack: LocalStack, operation: str, fields: dict[str, object], text: str
) -> None:
    install = explaining_stack.register_install()

    status, response = send_callback(install, operation, **fields)

    assert (status, response["success"], response["error"]) == (200, False, text)


def test_other_failures_keep_their_status(explaining_stack: LocalStack) -> None:
    installs = {
        403: explaining_stack.register_install(grantedCapabilities=[]),
        404: ApiInstall(explaining_stack, UNKNOWN_SCHEDULE_ID),
    }

    for status, install in installs.items():
        assert send_callback(install, "list")[0] == status
