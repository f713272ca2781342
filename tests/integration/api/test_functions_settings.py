"""The functions with stack parameters that change how they register installs and report broken rules."""

import json
from typing import Any

import pytest

from tests.support.stacks.functions import Context, deploy_functions, http_event, load_function
from tests.support.stacks.world import World, registration_body

UUID = "12345678-9abc-4def-8123-456789abcdef"
UNKNOWN_SCHEDULE_ID = "0f4a0000-0000-4000-8000-000000000001"


def put_install(install_id: str, **fields: object) -> tuple[int, dict[str, Any]]:
    event = http_event(registration_body(**fields), installId=install_id)
    response = load_function("install_put").handler(event, Context())
    return response["statusCode"], json.loads(response["body"])


def call_callback(install_id: str, **body: object) -> tuple[int, dict[str, Any]]:
    response = load_function("callback").handler(http_event(body, installId=install_id), Context())
    return response["statusCode"], json.loads(response["body"])


def manifest(*capabilities: str) -> dict[str, Any]:
    return {**registration_body()["manifest"], "capabilities": list(capabilities)}


def test_unknown_capabilities_are_named_in_the_response(world: World) -> None:
    names = ["cap:scheduler.manage", "CAP:extra.Two", "cap:extra.one"]
    fields = {"manifest": manifest(*names), "grantedCapabilities": names}
    with deploy_functions(world, ADDITIONAL_CAPABILITIES="cap:extra.one,cap:extra.three"):
        status, install = put_install("install-1", **fields)

    assert status == 201
    assert install["ignoredCapabilities"] == ["cap:extra.two"]
    assert {"cap:scheduler.manage", "cap:extra.one"} <= set(install["grantedCapabilities"])
    assert "cap:extra.two" not in install["grantedCapabilities"]


def test_no_capability_is_ignored_if_all_are_known(world: World) -> None:
    with deploy_functions(world):
        status, install = put_install("install-1")

    assert (status, install["ignoredCapabilities"]) == (201, [])


def test_uuid_in_another_case_is_the_same_install(world: World) -> None:
    with deploy_functions(world):
        statuses = [put_install(install_id)[0] for install_id in (UUID, UUID.upper())]
        _, install = put_install(UUID.upper())

    assert statuses == [201, 200]
    assert install["installId"] == UUID


def test_registry_and_version_with_the_separator_are_kept_apart(world: World) -> None:
    other_manifest = {**registration_body()["manifest"], "version": "2.0.0"}
    with deploy_functions(world):
        first, _ = put_install("install-1", registryId="a#b", versionId="c")
        second, _ = put_install("install-2", registryId="a", versionId="b#c", manifest=other_manifest)

    assert (first, second) == (201, 201)


@pytest.mark.parametrize(("variable", "rule_status"), [("", 400), ("400", 400), ("200", 200)])
def test_broken_rules_have_the_configured_status(world: World, variable: str, rule_status: int) -> None:
    install_id = world.register_install()
    valid = {"endpoint": "POST /api/sync", "cron": "0 * * * *"}
    with deploy_functions(world, CALLBACK_RULE_ERROR_STATUS=variable):
        created = call_callback(install_id, operation="create", **valid, name="taken", unknown=1)
        broken = call_callback(install_id, operation="create", **{**valid, "cron": "* * * * *"})
        taken = call_callback(install_id, operation="create", **valid, name="taken")
        absent = call_callback(install_id, operation="delete", scheduleId=UNKNOWN_SCHEDULE_ID)
        missing = call_callback(install_id, operation="create", endpoint="POST /api/sync")
        mistyped = call_callback(install_id, operation="create", **{**valid, "enabled": "yes"})
        unknown = call_callback("install-x", operation="list")

    assert created[0] == 201
    assert [status for status, _ in (broken, taken, absent)] == [rule_status] * 3
    assert broken[1] == {
        "success": False,
        "error": "Cron too frequent (minimum interval is 5 minutes)",
        "fieldErrors": {"cron": "Cron too frequent (minimum interval is 5 minutes)"},
        "code": "VALIDATION_FAILED",
    }
    assert (taken[1]["code"], absent[1]["code"]) == ("NAME_TAKEN", "NOT_FOUND")
    assert [status for status, _ in (missing, mistyped, unknown)] == [400, 400, 404]


def test_callback_lists_no_more_than_fits_into_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    install_id = world.register_install()
    monkeypatch.setattr("scheduling.api.callback.MAX_LIST_BYTES", 1_000)
    with deploy_functions(world):
        valid = {"endpoint": "POST /api/sync", "cron": "0 * * * *", "payload": ["x" * 600]}
        listed = []
        for _ in range(3):
            call_callback(install_id, operation="create", **valid)
            listed.append(call_callback(install_id, operation="list"))

    assert [status for status, _ in listed] == [200, 200, 413]
    assert [len(body["schedules"]) for _, body in listed[:2]] == [1, 2]
    assert listed[2][1]["error"] == (
        f"The answer is too large; page through GET /v1/installs/{install_id}/schedules"
    )
