"""What `explain` says of an occurrence after the state that kept it from running has changed again."""

import pytest
from scheduling.domain.install import SCHEDULER_MANAGE
from scheduling.domain.runs import RunStatus, SkipReason
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.schedules.update import update_schedule

from tests.support.oracles.audit import Audit
from tests.support.stacks.admin_cli import AdminCli, build_fire_at, execute_at
from tests.support.stacks.fires import execute_fire
from tests.support.stacks.world import BUS, TENANT, World, aws_client, update_input

ALICE = "admin:arn:aws:sts::123456789012:assumed-role/support/alice"
BOB = "admin:arn:aws:iam::123456789012:user/bob"


@pytest.fixture
def audit(world: World, audit: Audit) -> Audit:
    del world  # started before
    aws_client("events").create_event_bus(Name=BUS)
    return audit


def stop_and_start(world: World, audit: Audit, schedule: Schedule, subject: str) -> None:
    """Stop the schedule at 09:30 and start it again at 10:30, by the state of the subject."""
    for active, actor in ((False, ALICE), (True, BOB)):
        world.advance(minutes=30 if not active else 60)
        if subject == "tenant":
            set_tenant_paused(world.services, TENANT, paused=not active, actor=actor)
        elif subject == "install":
            set_install_enabled(world.services, schedule.install_id, enabled=active, actor=actor)
        else:
            update_schedule(
                world.services, schedule.install_id, schedule.id, update_input(enabled=active), actor=actor
            )
        audit.publish_new_events()


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("schedule", "the schedule was disabled"),
        ("install", "the install was disabled"),
        ("tenant", "the tenant was paused"),
    ],
)
def test_what_was_stopped_is_named_from_when_to_when_and_by_whom(
    world: World, audit: Audit, admin: AdminCli, schedule: Schedule, subject: str, words: str
) -> None:
    stop_and_start(world, audit, schedule, subject)
    world.advance(hours=1)
    result = admin("explain", schedule.install_id, "hourly", "2026-11-23T10:00:00Z")
    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines == [
        "hourly: POST /api/sync, Mon 2026-11-23 10:00 UTC",
        f"It did not run: {words}.",
        f"  {words.capitalize()} from Mon 2026-11-23 09:30 UTC (by support/alice) "
        "to Mon 2026-11-23 10:30 UTC (by user/bob).",
    ]


def test_a_revoked_capability_is_no_overlap(
    world: World, audit: Audit, admin: AdminCli, schedule: Schedule
) -> None:
    execute_at(world, schedule, 10)
    world.advance(minutes=30)
    fire = build_fire_at(world, schedule, 11)
    world.register_install(schedule.install_id, grantedCapabilities=[])
    audit.publish_new_events()
    execute_fire(world.services, world.runner, fire)
    page = world.services.runs.read_run_page(schedule.install_id, schedule.id, before=None, limit=5)
    newest = page.runs[0]
    assert (newest.status, newest.skip_reason) == (RunStatus.SKIPPED, SkipReason.CAPABILITY_REVOKED)
    world.advance(minutes=5)
    assert admin("explain", schedule.install_id, "hourly", "2026-11-23T11:00:00Z").lines[1:] == [
        f"It was skipped: the install no longer has {SCHEDULER_MANAGE}.",
        f"  The install was not granted {SCHEDULER_MANAGE}, since Mon 2026-11-23 11:00 UTC (by role/platform).",
    ]
