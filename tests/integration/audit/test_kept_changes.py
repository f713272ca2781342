"""The command `changes`, and what the audit keeps for it."""

import json
from datetime import timedelta

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import RunStatus
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from local.lambda_.patterns import matches_pattern
from tests.support.oracles.audit import Audit, stream_patterns
from tests.support.stacks.admin_cli import AdminCli, execute_at
from tests.support.stacks.functions import Context, deploy_functions, http_event, load_function
from tests.support.stacks.world import (
    ADMIN,
    BUS,
    START,
    TENANT,
    World,
    aws_client,
    create_input,
    update_input,
)

ONE = InstallId("install-1")
OPERATOR = "admin:arn:aws:sts::123456789012:assumed-role/support/alice"


@pytest.fixture(autouse=True)
def _bus(world: World) -> None:
    del world  # started before
    aws_client("events").create_event_bus(Name=BUS)


@pytest.fixture
def ids(world: World, audit: Audit) -> list[str]:
    """An install with two schedules that were changed, disabled, paused and deleted; return the schedules' ids."""
    world.register_install(ONE)
    first = create_schedule(world.services, ONE, create_input(name="hourly", payload={"n": 1}))
    other = create_schedule(world.services, ONE, create_input())
    audit.publish_new_events()
    world.advance(minutes=5)
    update_schedule(world.services, ONE, first.id, update_input(cron="30 2 * * *", payload={"n": 2}))
    audit.publish_new_events()
    world.advance(minutes=5)
    set_install_enabled(world.services, ONE, enabled=False, actor=OPERATOR)
    audit.publish_new_events()
    world.advance(minutes=5)
    set_install_enabled(world.services, ONE, enabled=True, actor=OPERATOR)
    audit.publish_new_events()
    world.advance(minutes=5)
    set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)
    delete_schedule(world.services, ONE, other.id)
    audit.publish_new_events()
    return [first.id, other.id]


def test_changes_are_listed_with_their_actors(admin: AdminCli, ids: list[str]) -> None:
    result = admin("changes", ONE, "hourly", env={"COLUMNS": "80"})
    assert (result.exit_status, result.errors) == (0, [])
    first, other = (each[-8:] for each in ids)
    assert result.lines == [
        "Time                   Event, by                  Change",
        "─" * 79,
        "2026-11-23T09:20:00Z   InstallChanged             paused: no -> yes",
        "                       by role/platform",
        "",
        "2026-11-23T09:15:00Z   InstallChanged             enabled: no -> yes",
        "                       by support/alice",
        "",
        "2026-11-23T09:10:00Z   InstallChanged             enabled: yes -> no",
        "                       by support/alice",
        "",
        f"2026-11-23T09:05:00Z   ScheduleUpdated {first}   cron: 0 * * * * -> 30 2 * * *",
        "                       by the extension           payload changed",
        "",
        f"2026-11-23T09:00:00Z   ScheduleCreated {first}   POST /api/sync",
        "                       by the extension           0 * * * *",
        "                                                  UTC",
        "",
        "2026-11-23T09:00:00Z   InstallRegistered          sample 1.0.0",
        "                       by role/platform",
    ]
    lines = "\n".join(admin("changes", ONE).lines)
    assert f"ScheduleDeleted {other}" in lines
    assert f"ScheduleCreated {other}" in lines


def test_changes_are_reported_as_json_page_by_page(admin: AdminCli, ids: list[str]) -> None:
    pages, cursor = [], ""
    while cursor is not None:
        options = ["--cursor", cursor] if cursor else []
        document = admin("changes", ONE, ids[0], "--limit", "2", "--json", *options).document
        pages.append([each["name"] for each in document["changes"]])
        cursor = document["nextCursor"]
    assert pages == [
        ["InstallChanged", "InstallChanged"],
        ["InstallChanged", "ScheduleUpdated"],
        ["ScheduleCreated", "InstallRegistered"],
    ]
    (newest, *_) = admin("changes", ONE, "--limit", "8", "--json").document["changes"][2:]
    assert newest == {
        "time": "2026-11-23T09:15:00.000Z",
        "name": "InstallChanged",
        "installId": ONE,
        "scheduleId": None,
        "actor": OPERATOR,
        "before": {"enabled": False},
        "after": {"enabled": True},
        "payloadChanged": False,
    }


def test_no_change_is_known_of_an_unknown_install(admin: AdminCli) -> None:
    result = admin("changes", "nobody")
    assert (result.exit_status, result.lines) == (0, ["No change of nobody is known."])


def test_a_change_is_kept_once_and_for_30_days(world: World, audit: Audit, ids: list[str]) -> None:
    del ids
    (first, *_) = rows = world.scan_rows_of_type(ONE, "change")
    assert int(first["expiresAt"]) == int((START + timedelta(days=30)).timestamp())
    audit.publish_events(audit.all_records)
    assert world.scan_rows_of_type(ONE, "change") == rows


def test_the_audit_does_not_invoke_itself(audit: Audit, ids: list[str]) -> None:
    del ids
    records = audit.read_records()
    kept = [each for each in records if each["dynamodb"]["Keys"]["sk"]["S"].startswith("CHANGE#")]
    assert len(kept) == len(records) > 0
    assert not any(matches_pattern(pattern, each) for pattern in stream_patterns() for each in kept)


def test_the_end_of_a_run_is_no_change(world: World, audit: Audit, admin: AdminCli) -> None:
    world.register_install(ONE)
    schedule = create_schedule(world.services, ONE, create_input())
    execute_at(world, schedule, 10, status=RunStatus.ERROR, http_status=404, error="no")
    audit.publish_new_events()
    names = [each["name"] for each in admin("changes", ONE, "--json").document["changes"]]
    assert names == ["ScheduleCreated", "InstallRegistered"]


def test_the_api_lists_the_same_changes(world: World, admin: AdminCli, ids: list[str]) -> None:
    with deploy_functions(world):
        handler = load_function("changes").handler
        response = handler(http_event(installId=ONE, query={"schedule": ids[0], "limit": "3"}), Context())
        page = json.loads(response["body"])
        refused = handler(http_event(installId=ONE, query={"schedule": "hourly"}), Context())
    assert (response["statusCode"], page) == (
        200,
        admin("changes", ONE, ids[0], "--limit", "3", "--json").document,
    )
    assert page["nextCursor"]
    assert (refused["statusCode"], json.loads(refused["body"])["fieldErrors"]) == (
        400,
        {"schedule": "schedule must be a UUID of version 1 to 5"},
    )
