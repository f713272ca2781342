"""A response names every invalid field of a request at once, wherever the field is (contract, section 2)."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from scheduling.domain.ids import InstallId

from tests.support.stacks.functions import Context, deploy_functions, http_event, load_function
from tests.support.stacks.world import UNKNOWN_SCHEDULE_ID, World, registration_body

LONG_KEY = {"Idempotency-Key": "k" * 65}
BAD_PAGE = {"cursor": "x", "limit": "0"}
NEW_SCHEDULE = {"endpoint": "/nowhere", "cron": "0 * * * *", "enabled": "yes"}
GRANTED = registration_body(
    contentHash="x",
    grantedCapabilities=["cap:secrets.get"],
    config={"key": "x" * 100_001},
    secretEnvelope={"version": "1"},
)


@pytest.mark.parametrize(
    ("function", "request_", "fields"),
    [
        pytest.param("list", {"query": BAD_PAGE}, ["cursor", "limit"], id="page of schedules"),
        pytest.param("runs", {"query": BAD_PAGE}, ["cursor", "limit"], id="page of runs"),
        pytest.param(
            "tenant_schedules", {"query": BAD_PAGE}, ["cursor", "limit"], id="page of a tenant's schedules"
        ),
        pytest.param("installs", {"query": BAD_PAGE}, ["cursor", "limit"], id="page of installs"),
        pytest.param(
            "installs", {"query": {"tenant": "", "limit": "0"}}, ["tenant", "limit"], id="page of a tenant"
        ),
        pytest.param("changes", {"query": BAD_PAGE}, ["cursor", "limit"], id="page of changes"),
        pytest.param(
            "changes", {"query": {"schedule": "x", "limit": "0"}}, ["schedule", "limit"], id="schedule's page"
        ),
        pytest.param(
            "create",
            {"body": NEW_SCHEDULE, "headers": LONG_KEY},
            ["endpoint", "enabled", "Idempotency-Key"],
            id="create",
        ),
        pytest.param(
            "admin_create",
            {"body": NEW_SCHEDULE, "headers": LONG_KEY},
            ["endpoint", "enabled", "Idempotency-Key"],
            id="create by an admin",
        ),
        pytest.param(
            "install_put",
            {"body": GRANTED, "query": {"onMissingEndpoint": "x", "dryRun": "x"}},
            [
                "onMissingEndpoint",
                "dryRun",
                "contentHash",
                "secretEnvelope.ciphertext_b64",
                "grantedCapabilities",
                "config",
            ],
            id="registration",
        ),
    ],
)
def test_every_invalid_field_is_named(
    world: World, install_id: InstallId, function: str, request_: dict[str, Any], fields: Sequence[str]
) -> None:
    path: dict[str, Any] = {
        "installId": install_id,
        "tenantId": "tenant-1",
        "scheduleId": UNKNOWN_SCHEDULE_ID,
    }
    with deploy_functions(world):
        response = load_function(function).handler(http_event(**request_, **path), Context())

    assert response["statusCode"] == 400
    assert field_names(response) == fields


def test_an_invalid_install_id_is_named_with_the_fields_of_its_registration(world: World) -> None:
    with deploy_functions(world):
        event = http_event({**registration_body(), "tenantId": 5}, installId="-x")
        response = load_function("install_put").handler(event, Context())

    assert field_names(response) == ["installId", "tenantId"]


def field_names(response: dict[str, Any]) -> list[str]:
    """Return the names of the invalid fields, in the order of the response."""
    return list(json.loads(response["body"])["fieldErrors"])
