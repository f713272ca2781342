"""An install with a schedule, and what may befall the two before a test looks: deaths half-way, and drift."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from scheduling.api.triggers import parse_fire
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, RunStatus, build_next_attempt, format_time
from scheduling.domain.schedule import IdempotencyKey, Schedule
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.runs.execute import LEASE_DURATION
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, Killed
from tests.support.stacks.world import (
    ADMIN,
    GROUP,
    TABLE,
    TENANT,
    World,
    aws_client,
    create_input,
    update_input,
)

OTHER_SCHEDULE_ID = "01a20745-4897-4f81-a91e-a0d09962b8d6"


@dataclass
class Case:
    """An install with one schedule that has a name and a timer."""

    world: World
    install_id: InstallId
    schedule: Schedule


CaseAction = Callable[[Case], object]


def new_case(world: World) -> Case:
    """A new install in the world."""
    install_id = world.register_install()
    return Case(
        world,
        install_id,
        create_schedule(world.services, install_id, create_input(name="before", cron="0 9 * * *")),
    )


def next_fire_event(case: Case) -> dict[str, Any]:
    """The event of the schedule's next occurrence, at its time."""
    case.world.advance(hours=1)
    moment = format_time(case.world.clock[0].replace(minute=0))
    ids = {"installId": case.install_id, "scheduleId": case.schedule.id}
    return {**ids, "revision": case.schedule.timer_revision, "scheduledTime": moment, "attempt": "1"}


def kill_at(operation: str, action: CaseAction) -> CaseAction:
    """Act, and die before the first call of that operation."""

    def act_until_killed(case: Case) -> None:
        def kill(call: Call) -> None:
            if call.operation == operation:
                raise Killed

        case.world.calls.before = kill
        with suppress(Killed):
            action(case)
        case.world.calls.before = None

    return act_until_killed


def create_second_schedule(case: Case) -> None:
    """Create a schedule with a name and a key."""
    create_schedule(
        case.world.services, case.install_id, create_input(name="after"), IdempotencyKey("key", "hash")
    )


def update_case_schedule(**fields: object) -> CaseAction:
    """Update the schedule."""
    return lambda case: update_schedule(
        case.world.services, case.install_id, case.schedule.id, update_input(**fields)
    )


def delete_case_schedule(case: Case) -> None:
    """Delete the schedule."""
    delete_schedule(case.world.services, case.install_id, case.schedule.id)


def uninstall_case(case: Case) -> None:
    """Delete the install."""
    delete_install(case.world.services, case.install_id, actor=ADMIN)


def disable_install(case: Case) -> None:
    """Disable the install."""
    case.world.register_install(case.install_id, enabled=False)


def pause_tenant(case: Case) -> None:
    """Pause the tenant."""
    set_tenant_paused(case.world.services, TENANT, paused=True, actor=ADMIN)


def delete_timer(case: Case) -> None:
    """Remove the schedule's timer behind the service's back."""
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=case.schedule.id)


def create_orphan_timer(case: Case) -> None:
    """Set a timer that has no row."""
    client = aws_client("scheduler")
    client.create_schedule(
        GroupName=GROUP,
        Name=str(uuid4()),
        ScheduleExpression="cron(0 * * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=client.get_schedule(GroupName=GROUP, Name=case.schedule.id)["Target"],
    )


def _name_key(case: Case, name: str) -> dict[str, Any]:
    return {"pk": {"S": f"INSTALL#{case.install_id}"}, "sk": {"S": f"UNIQUE#{name}"}}


def delete_name_row(case: Case) -> None:
    """Remove the row of the schedule's name."""
    aws_client("dynamodb").delete_item(TableName=TABLE, Key=_name_key(case, "before"))


def create_dangling_name(case: Case) -> None:
    """Take a name for a schedule that is not there."""
    item = {**_name_key(case, "dangling"), "type": {"S": "name"}, "scheduleId": {"S": OTHER_SCHEDULE_ID}}
    aws_client("dynamodb").put_item(TableName=TABLE, Item=item)


def corrupt_count(case: Case) -> None:
    """Let the install's count be wrong."""
    install = case.world.services.schedules.read_schedule(case.install_id).install
    assert install is not None
    case.world.services.sweeps.save_schedule_count(install, 7)


def start_abandoned_run(case: Case) -> None:
    """An earlier occurrence is under way, in a function that may have died."""
    services, fire = case.world.services, parse_fire(next_fire_event(case))
    services.runs.claim_run(
        fire,
        services.runs.read_fire_snapshot(fire),
        build_next_attempt(fire, None, services.clock(), LEASE_DURATION),
    )
    case.world.advance(hours=-1, seconds=1)


def make_sweep_due(case: Case) -> None:
    """Let the daily sweep be due."""
    sweep(case.world.services, timedelta(hours=24))
    case.world.advance(hours=25)


def make_runner_fail(case: Case) -> None:
    """Let the runner answer 503."""
    case.world.runner.outcome = Outcome(status=RunStatus.ERROR, http_status=503, retryable=True)
