"""What docs/operations.md says that an operator needs to be allowed, against the calls that the commands make."""

import re
from collections.abc import Callable
from pathlib import Path

from scheduling.domain.ids import InstallId
from scheduling.operations.installs.tenants import turn_tenant
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.schedules.create import create

from tests.support.admin import Admin, admin_of
from tests.support.aws_calls import Call
from tests.support.cases import (
    Case,
    dangling_name,
    drop_timer,
    killed_at,
    lost_name,
    new_case,
    next_fire,
    orphan,
    update_it,
    wrong_count,
)
from tests.support.iam_calls import needed
from tests.support.world import ADMIN, TENANT, new_world, wanted

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
ALWAYS_ALLOWED = "sts:GetCallerIdentity"
PLAIN = {"cloudformation", "sqs", "sts"}
"""Services each of whose calls is the one action of its name."""


def documented(to: str) -> set[str]:
    row = re.search(rf"^\| {to} \| (.*) \|$", PAGE, re.MULTILINE)
    assert row is not None
    return set(re.findall(r"`([a-z]+:[A-Za-z]+)`", row[1]))


def actions(call: Call) -> set[str]:
    if call.service in PLAIN:
        return {f"{call.service}:{call.operation.removesuffix('Batch')}"}
    return {grant.action for grant in needed(call)}


def used(*stories: Callable[[Admin, Case], object]) -> set[str]:
    """The actions of the commands' calls alone."""
    found: set[str] = set()
    for story in stories:
        with new_world() as world, admin_of(world) as admin:
            case = new_case(world)
            story(admin, case)
            found |= {action for call in admin.calls for action in actions(call)}
    return found - {ALWAYS_ALLOWED}


def look(admin: Admin, case: Case) -> None:
    event = next_fire(case)
    admin.letter(event)
    case.world.advance(hours=2)
    admin("installs")
    admin("installs", "--tenant", TENANT)
    admin("schedules", "--tenant", TENANT)
    admin("schedules", "--install", case.install_id)
    admin("schedule", case.install_id, case.schedule.id)
    admin("explain", case.install_id, case.schedule.id, event["scheduledTime"])
    admin("replay", "--dry-run")


def change(admin: Admin, case: Case) -> None:
    admin("pause", TENANT, "--yes")
    admin("resume", TENANT)
    admin("disable", case.install_id, "--yes")
    admin("enable", case.install_id)
    admin("run", case.install_id, case.schedule.id)
    admin("run", case.install_id, case.schedule.id, "--idempotency-key", "key", "--wait", "--timeout", "1")


def replayed(admin: Admin, case: Case) -> None:
    admin.letter(next_fire(case))
    admin("replay", "--yes")


def mended(*drifts: Callable[[Case], object]) -> Callable[[Admin, Case], object]:
    def story(admin: Admin, case: Case) -> None:
        for drift in drifts:
            drift(case)
        case.world.advance(hours=30)
        admin("reconcile", "--sweep")

    return story


def install_left_behind(case: Case) -> None:
    killed_at("DeleteSchedule", lambda case: delete_install(case.world.services, case.install_id, by=ADMIN))(
        case
    )


def tenant_left_behind(case: Case) -> None:
    killed_at("UpdateItem", lambda case: turn_tenant(case.world.services, TENANT, paused=True, by=ADMIN))(
        case
    )


def install_of_another(case: Case) -> None:
    other = case.world.register(InstallId("install-2"))
    create(case.world.services, other, wanted())


STORIES = [
    change,
    replayed,
    mended(update_it(cron="5 9 * * *")),
    mended(killed_at("UpdateSchedule", update_it(cron="5 9 * * *"))),
    mended(orphan, drop_timer, wrong_count, lost_name, dangling_name),
    mended(install_of_another, install_left_behind),
    mended(tenant_left_behind),
]


def test_who_only_looks_needs_exactly_what_the_page_says() -> None:
    assert used(look) == documented("look")


def test_who_changes_needs_exactly_what_the_page_says() -> None:
    assert used(look, *STORIES) == documented("look") | documented("change and mend")
