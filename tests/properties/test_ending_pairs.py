"""Ends of runs that complete or pause their schedule, and admins' changes, each beside another operation.

The first operation is suspended after each of its AWS calls while the other continues.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from scheduling.domain.errors import SchedulingError
from scheduling.domain.ids import HOST_API, InstallId
from scheduling.domain.install import Limits
from scheduling.domain.runs import Execution, Outcome, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.faults.interleaving import CallResult, Interleaving, InterleavingPlan
from tests.support.oracles.consistency import assert_consistent
from tests.support.oracles.event_replica import assert_events_match_table
from tests.support.stacks.fires import create_fire, execute_fire
from tests.support.stacks.world import (
    ADMIN,
    GROUP,
    START,
    TENANT,
    FakeRunner,
    World,
    aws_client,
    create_input,
    new_world,
    update_input,
)

INSTALL = InstallId("install-1")
TIME = START + timedelta(hours=1)
SUCCESS = Outcome(status=RunStatus.SUCCESS, http_status=200)
FINAL_ERROR = Outcome(status=RunStatus.ERROR, http_status=404, error="404")
Operation = Callable[[World, Schedule], object]
Action = Callable[[], object]
_ALL_CALLS = 12
"""More AWS calls than any of the operations makes."""


class SuspendedRunner(FakeRunner):
    """A runner during whose calls the other operation may continue."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome
        self.pause: Callable[[], None] = lambda: None

    def __call__(self, execution: Execution) -> Outcome:
        self.pause()
        return super().__call__(execution)


def update(actor: str = HOST_API, **fields: object) -> Operation:
    """Return a change by the extension, or by an admin."""
    return lambda world, schedule: update_schedule(
        world.services, INSTALL, schedule.id, update_input(**fields), actor=actor
    )


def fire(world: World, schedule: Schedule) -> object:
    """Deliver the occurrence."""
    return execute_fire(world.services, world.runner, create_fire(schedule, f"{TIME:%Y-%m-%dT%H:%M:%SZ}"))


FIRST: dict[str, tuple[str, Outcome, Operation]] = {
    "completes": (f"at({TIME:%Y-%m-%dT%H:%M})", SUCCESS, fire),
    "completes by a failure": (f"at({TIME:%Y-%m-%dT%H:%M})", FINAL_ERROR, fire),
    "pauses": ("0 * * * *", FINAL_ERROR, fire),
    "extension updates": ("0 * * * *", SUCCESS, update(name="of the extension")),
}
"""The rule of the schedule, the outcome of its run, and the first operation."""
SECOND: dict[str, Operation] = {
    "extension updates": update(payload={"n": 1}),
    "admin changes the rule": update(ADMIN, cron="30 * * * *"),
    "admin disables": update(ADMIN, enabled=False),
    "admin enables": update(ADMIN, enabled=True),
    "admin deletes": lambda world, schedule: delete_schedule(
        world.services, INSTALL, schedule.id, actor=ADMIN
    ),
    "admin creates": lambda world, _: create_schedule(
        world.services, INSTALL, create_input(name="of the admin"), actor=ADMIN
    ),
    "tenant is paused": lambda world, _: set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN),
    "install is deleted": lambda world, _: delete_install(world.services, INSTALL, actor=ADMIN),
    "is delivered again": fire,
    "is reconciled": lambda world, _: reconcile(world.services),
}


def run_concurrently(world: World, runner: SuspendedRunner, steps: int, *actions: Action) -> list[CallResult]:
    """Suspend the first action after some calls, run the second one to its end, and then the rest of the first."""
    assert world.memory
    plan = InterleavingPlan([(0, steps), (1, _ALL_CALLS), (0, _ALL_CALLS)])
    interleaving = Interleaving(world.calls, world.memory, plan)
    runner.pause = interleaving.yield_control
    return interleaving.run_actions(actions)


@pytest.mark.parametrize("steps", range(1, 6))
@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("first", FIRST)
def test_both_systems_agree_after_concurrent_operations(first: str, second: str, steps: int) -> None:
    rule, outcome, operation = FIRST[first]
    with new_world(Limits(pause_after_failures=1), aws="memory") as world:
        assert world.memory
        world.runner = runner = SuspendedRunner(outcome)
        world.register_install(INSTALL)
        schedule = create_schedule(world.services, INSTALL, create_input(cron=rule, name="first"))
        world.clock[0] = TIME
        if rule.startswith("at("):  # EventBridge deletes such a timer as it fires
            aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=schedule.id)
        results = run_concurrently(
            world,
            runner,
            steps,
            lambda: operation(world, schedule),
            lambda: SECOND[second](world, schedule),
        )
        errors = [result.error for result in results if result.error]
        assert all(isinstance(error, SchedulingError) for error in errors), errors

        world.advance(seconds=61)
        reconcile(world.services)
        assert reconcile(world.services).failed == 0
        assert_consistent(world)
        assert_events_match_table(world.memory)
        assert len(runner.executions) <= 1
        if first != "extension updates" and second in ("is delivered again", "is reconciled"):
            assert len(runner.executions) == 1
            stored = world.services.schedules.read_snapshot(INSTALL, schedule.id).schedule
            assert stored
            assert stored.completed is first.startswith("completes")
            assert not stored.definition.enabled
