"""The permissions that docs/operations.md lists, compared with the calls that the commands make."""

import re
from collections.abc import Callable
from pathlib import Path

from scheduling.domain.ids import InstallId
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.schedules.create import create_schedule

from tests.support.aws.calls import Call
from tests.support.faults.cases import (
    Case,
    corrupt_count,
    create_dangling_name,
    create_orphan_timer,
    delete_name_row,
    delete_timer,
    kill_at,
    new_case,
    next_fire_event,
    update_case_schedule,
)
from tests.support.oracles.audit import start_audit
from tests.support.policies.iam_grants import required_grants
from tests.support.stacks.admin_cli import (
    STREAM_ENVIRONMENT,
    AdminCli,
    audit_function,
    create_admin_cli,
    send_unpublished_batch,
)
from tests.support.stacks.world import ADMIN, TENANT, Aws, create_input, new_world

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
ALWAYS_ALLOWED = "sts:GetCallerIdentity"
SINGLE_ACTION_SERVICES = {"cloudformation", "cloudwatch", "sqs", "sts"}
"""Services whose calls each need the one action of that name."""


def read_documented_actions(purpose: str) -> set[str]:
    row = re.search(rf"^\| {purpose} \| (.*) \|$", PAGE, re.MULTILINE)
    assert row is not None
    return set(re.findall(r"`([a-z]+:[A-Za-z]+)`", row[1]))


def find_actions(call: Call) -> set[str]:
    if call.service in SINGLE_ACTION_SERVICES:
        return {f"{call.service}:{call.operation.removesuffix('Batch')}"}
    if call.service == "dynamodbstreams":
        return {f"dynamodb:{call.operation}"}
    return {grant.action for grant in required_grants(call)}


def find_used_actions(*stories: Callable[[AdminCli, Case], object]) -> set[str]:
    """Return the actions of the calls that the commands make; what prepares the world does not count."""
    used_actions: set[str] = set()
    for story in stories:
        aws: Aws = "moto" if story is republish_changes else "mixed"  # only moto has streams
        with new_world(aws=aws) as world, create_admin_cli(world) as admin:
            case = new_case(world)
            story(admin, case)
            used_actions |= {action for call in admin.calls for action in find_actions(call)}
    return used_actions - {ALWAYS_ALLOWED}


def inspect_stack(admin: AdminCli, case: Case) -> None:
    event = next_fire_event(case)
    admin.send_dead_letter(event)
    case.world.advance(hours=2)
    admin("status")
    admin("installs")
    admin("installs", "--tenant", TENANT)
    admin("schedules", "--tenant", TENANT)
    admin("schedules", "--install", case.install_id)
    admin("schedule", case.install_id, case.schedule.id)
    admin("explain", case.install_id, case.schedule.id, event["scheduledTime"])
    admin("replay", "--dry-run")


def change_stack(admin: AdminCli, case: Case) -> None:
    admin("pause", TENANT, "--yes")
    admin("resume", TENANT)
    admin("disable", case.install_id, "--yes")
    admin("enable", case.install_id)
    admin("run", case.install_id, case.schedule.id)
    admin("run", case.install_id, case.schedule.id, "--idempotency-key", "key", "--wait", "--timeout", "1")


def backfill_schedule(admin: AdminCli, case: Case) -> None:
    arguments = ("--from", "2026-11-21T00:00:00Z", "--to", "2026-11-22T12:00:00Z", "--which", "all", "--yes")
    assert admin("backfill", case.install_id, case.schedule.id, *arguments).exit_status == 0


def replay_dead_letter(admin: AdminCli, case: Case) -> None:
    admin.send_dead_letter(next_fire_event(case))
    admin("replay", "--yes")


def republish_changes(admin: AdminCli, case: Case) -> None:
    with start_audit(case.world) as audit:
        update_case_schedule(cron="5 9 * * *")(case)
        records = audit.read_records()
        send_unpublished_batch(admin, records[0], records[-1])
        with audit_function(case.world, lambda _event: {"batchItemFailures": []}):
            assert admin("republish", "--yes", env=STREAM_ENVIRONMENT).exit_status == 0


def repair_drifts(*drifts: Callable[[Case], object]) -> Callable[[AdminCli, Case], object]:
    def story(admin: AdminCli, case: Case) -> None:
        for drift in drifts:
            drift(case)
        case.world.advance(hours=30)
        admin("reconcile", "--sweep")

    return story


def leave_install_pending(case: Case) -> None:
    kill_at("DeleteSchedule", lambda case: delete_install(case.world.services, case.install_id, actor=ADMIN))(
        case
    )


def leave_tenant_pending(case: Case) -> None:
    kill_at(
        "UpdateItem", lambda case: set_tenant_paused(case.world.services, TENANT, paused=True, actor=ADMIN)
    )(case)


def register_other_install(case: Case) -> None:
    other = case.world.register_install(InstallId("install-2"))
    create_schedule(case.world.services, other, create_input())


STORIES = [
    change_stack,
    backfill_schedule,
    replay_dead_letter,
    republish_changes,
    repair_drifts(update_case_schedule(cron="5 9 * * *")),
    repair_drifts(kill_at("UpdateSchedule", update_case_schedule(cron="5 9 * * *"))),
    repair_drifts(create_orphan_timer, delete_timer, corrupt_count, delete_name_row, create_dangling_name),
    repair_drifts(register_other_install, leave_install_pending),
    repair_drifts(leave_tenant_pending),
]


def test_inspecting_needs_exactly_the_documented_actions() -> None:
    assert find_used_actions(inspect_stack) == read_documented_actions("inspect")


def test_changing_needs_exactly_the_documented_actions() -> None:
    assert find_used_actions(inspect_stack, *STORIES) == read_documented_actions(
        "inspect"
    ) | read_documented_actions("change and repair")
