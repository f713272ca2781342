"""An install with a schedule, and the accidents that tests let happen to it: killed functions, and drift."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from scheduling.domain.fire_events import parse_fire_event
from scheduling.domain.ids import MAX_INLINE_PAYLOAD_BYTES, InstallId
from scheduling.domain.requests.idempotency import IdempotencyKey
from scheduling.domain.runs import Outcome, Run, RunStatus, build_next_attempt, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, Killed
from tests.support.faults.broken_rows import set_attribute
from tests.support.stacks.fires import execute_fire
from tests.support.stacks.world import (
    ADMIN,
    GROUP,
    TABLE,
    TENANT,
    UNKNOWN_SCHEDULE_ID,
    World,
    aws_client,
    create_input,
    update_input,
)


@dataclass
class Case:
    """An install with one schedule that has a name and a timer."""

    world: World
    install_id: InstallId
    schedule: Schedule


CaseAction = Callable[[Case], object]


def new_case(world: World) -> Case:
    """Register an install and create its schedule."""
    install_id = world.register_install()
    return Case(
        world,
        install_id,
        create_schedule(world.services, install_id, create_input(name="before", cron="0 9 * * *")),
    )


def next_fire_event(case: Case) -> dict[str, Any]:
    """Advance the clock to the schedule's next occurrence and return its event."""
    case.world.advance(hours=1)
    moment = format_time(case.world.clock[0].replace(minute=0))
    ids = {"installId": case.install_id, "scheduleId": case.schedule.id}
    return {**ids, "revision": case.schedule.timer_revision, "scheduledTime": moment, "attempt": "1"}


def fire_message(event: object) -> dict[str, Any]:
    """Return the event of the queue of occurrences for a message with that body."""
    attributes = {"MessageGroupId": TENANT}
    return {"Records": [{"messageId": "message-1", "body": json.dumps(event), "attributes": attributes}]}


def next_fire_message(case: Case) -> dict[str, Any]:
    """Advance the clock to the schedule's next occurrence and return the event of the queue for it."""
    return fire_message(next_fire_event(case))


def record_two_attempts(case: Case) -> None:
    """Record that two attempts at the schedule's next occurrence have failed."""
    scheduled_time = format_time((case.world.clock[0] + timedelta(hours=1)).replace(minute=0))
    run = Run(
        scheduled_time=scheduled_time,
        status=RunStatus.ERROR,
        attempt=2,
        started_at=case.world.clock[0],
        retryable=True,
    )
    case.world.services.runs.record_run(case.schedule, run)


def kill_at(operation: str, action: CaseAction) -> CaseAction:
    """Return the action, killed before its first call of that AWS operation."""

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
    """Create a schedule with a name and an idempotency key."""
    create_schedule(
        case.world.services, case.install_id, create_input(name="after"), IdempotencyKey("key", "hash")
    )


def update_case_schedule(**fields: object) -> CaseAction:
    """Return the action that updates the schedule."""
    return lambda case: update_schedule(
        case.world.services, case.install_id, case.schedule.id, update_input(**fields)
    )


def make_one_time(case: Case) -> None:
    """Let the schedule fire once, an hour later."""
    moment = case.world.clock[0] + timedelta(hours=1)
    update_case_schedule(cron=f"at({moment:%Y-%m-%dT%H}:00)")(case)


def pass_its_time(case: Case) -> None:
    """Advance the clock over the time of the one-time schedule."""
    case.world.advance(hours=2)


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
    """Delete the schedule's timer, bypassing the service."""
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=case.schedule.id)


def create_orphan_timer(case: Case) -> None:
    """Create a timer without a schedule row."""
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
    """Delete the row of the schedule's name."""
    aws_client("dynamodb").delete_item(TableName=TABLE, Key=_name_key(case, "before"))


def create_dangling_name(case: Case) -> None:
    """Reserve a name for a schedule that does not exist."""
    item = {**_name_key(case, "dangling"), "type": {"S": "name"}, "scheduleId": {"S": UNKNOWN_SCHEDULE_ID}}
    aws_client("dynamodb").put_item(TableName=TABLE, Item=item)


def create_orphaned_payload(case: Case) -> None:
    """Store a payload for a schedule that does not exist."""
    key = f"INSTALL#{case.install_id}", f"SCHEDULE#{UNKNOWN_SCHEDULE_ID}#PAYLOAD"
    for name, text in {"type": "payload", "payload": "[1]", "digest": "d"}.items():
        set_attribute(*key, name, {"S": text})


def store_payload_in_row(case: Case) -> None:
    """Store a large payload in the schedule's row, as earlier releases have done."""
    payload = {"S": json.dumps(["x" * MAX_INLINE_PAYLOAD_BYTES])}
    set_attribute(f"INSTALL#{case.install_id}", f"SCHEDULE#{case.schedule.id}", "payload", payload)


def corrupt_count(case: Case) -> None:
    """Store a wrong schedule count on the install."""
    install = case.world.services.schedules.read_snapshot(case.install_id).install
    assert install is not None
    case.world.services.sweeps.save_schedule_count(install, 7)


def remove_index_entries(case: Case) -> None:
    """Pause the tenant and let the schedule wait, without their entries in the index of what is unhealthy."""
    pause_tenant(case)
    set_attribute(f"INSTALL#{case.install_id}", f"SCHEDULE#{case.schedule.id}", "waiting", {"BOOL": True})
    for name in ("unhealthyShard", "unhealthySince"):
        set_attribute(f"TENANT#{TENANT}", "TENANT", name, None)


def start_abandoned_run(case: Case) -> None:
    """Claim an earlier occurrence and never finish it, as a killed function does."""
    services, fire = case.world.services, parse_fire_event(next_fire_event(case)).fire
    services.runs.claim_run(
        fire,
        services.runs.read_fire_snapshot(fire),
        build_next_attempt(fire, None, services.clock(), services.lease),
    )
    case.world.advance(hours=-1, seconds=1)


def lose_message(case: Case) -> None:
    """Let an occurrence wait for a message that never comes, until nobody expects it any more."""
    outcome = Outcome(status=RunStatus.ERROR, error="busy", retryable=True, retry_after=timedelta())
    fire = parse_fire_event(next_fire_event(case)).fire
    execute_fire(case.world.services, lambda _execution: outcome, fire)
    case.world.advance(hours=150)


def make_sweep_due(case: Case) -> None:
    """Advance the clock until the daily sweep is due."""
    sweep(case.world.services, timedelta(hours=24))
    case.world.advance(hours=25)


def make_runner_fail(case: Case) -> None:
    """Let the runner fail with status 503."""
    case.world.runner.outcome = Outcome(status=RunStatus.ERROR, http_status=503, retryable=True)
