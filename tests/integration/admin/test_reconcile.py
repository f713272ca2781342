"""The command `reconcile`."""

from datetime import timedelta

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import SweepPhase, SweepState

from tests.support.aws.calls import Call
from tests.support.faults.cases import (
    Case,
    corrupt_count,
    create_orphan_timer,
    delete_timer,
    kill_at,
    update_case_schedule,
)
from tests.support.stacks.admin_cli import AdminCli, before_each_call, failing_calls
from tests.support.stacks.world import World

ONE = InstallId("install-1")


def leave_pending(world: World, schedule: Schedule) -> None:
    """Leave an update pending, by a death before EventBridge, for more than a minute."""
    kill_at("UpdateSchedule", update_case_schedule(cron="5 * * * *"))(Case(world, ONE, schedule))
    world.advance(minutes=2)


@pytest.mark.usefixtures("schedule")
def test_nothing_pending_is_reported(admin: AdminCli) -> None:
    result = admin("reconcile")
    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines == ["No change has been pending for over a minute."]
    assert admin("reconcile", "--sweep").lines == [
        "No change has been pending for over a minute.",
        "The sweep found no drift.",
    ]


def test_pending_changes_are_synced(world: World, admin: AdminCli, schedule: Schedule) -> None:
    leave_pending(world, schedule)
    result = admin("reconcile")
    assert (result.exit_status, result.lines) == (0, ["Synced 1 pending change."])
    assert world.read_timers()[schedule.id]["ScheduleExpression"] == "cron(5 * * * ? *)"


def test_unsynced_changes_are_reported(world: World, admin: AdminCli, schedule: Schedule) -> None:
    leave_pending(world, schedule)
    with failing_calls(world, "UpdateSchedule"):
        result = admin("reconcile")
    assert result.exit_status == 1
    assert result.lines == [
        "Synced 0 pending changes.",
        "1 pending change could not be synced; the reconciler retries. See the messages above.",
    ]
    assert result.errors == [
        f"schedule {schedule.id} of install install-1 is still pending: "
        "UpdateSchedule: AccessDeniedException: AccessDeniedException"
    ]


def test_a_sweep_repairs_all_drift(world: World, admin: AdminCli, schedule: Schedule) -> None:
    case = Case(world, ONE, schedule)
    for drift in (create_orphan_timer, delete_timer, corrupt_count):
        drift(case)
    result = admin("reconcile", "--sweep", "--json")
    assert result.exit_status == 0
    assert result.document == {
        "synced": 0,
        "failed": 0,
        "swept": True,
        "repaired": {"count": 1, "missing timer": 1, "orphaned timer": 1},
    }
    assert list(world.read_timers()) == [schedule.id]
    kinds = sorted(line.partition(": ")[2].partition(" of ")[0] for line in result.errors)
    assert kinds == ["count", "missing timer", "orphaned timer"]
    delete_timer(case)
    assert admin("reconcile", "--sweep").lines == [
        "No change has been pending for over a minute.",
        "The sweep repaired:",
        "Repair          Count",
        "─────────────────────",
        "missing timer   1",
    ]


def test_a_sweep_counts_as_the_last_one(world: World, admin: AdminCli, schedule: Schedule) -> None:
    delete_timer(Case(world, ONE, schedule))
    started_at = world.clock[0]
    admin("reconcile", "--sweep")
    expected = SweepState(
        next_sweep_at=started_at + timedelta(hours=24), started_at=started_at, repairs={"missing timer": 1}
    )
    assert world.services.sweeps.read_sweep_state() == expected
    assert admin("status", "--json").document["sweep"]["finds"] == {"missing timer": 1}


@pytest.mark.usefixtures("schedule")
def test_the_sweep_of_the_reconciler_stays_the_last_one(world: World, admin: AdminCli) -> None:
    under_way = SweepState(
        next_sweep_at=world.clock[0], phase=SweepPhase.TIMERS, started_at=world.clock[0] - timedelta(hours=1)
    )
    world.services.sweeps.save_sweep_state(None, under_way)
    assert admin("reconcile", "--sweep").exit_status == 0
    assert world.services.sweeps.read_sweep_state() == under_way


@pytest.mark.usefixtures("schedule")
def test_a_sweep_that_ended_meanwhile_stays_the_last_one(world: World, admin: AdminCli) -> None:
    later = SweepState(
        next_sweep_at=world.clock[0] + timedelta(hours=24), started_at=world.clock[0] + timedelta(minutes=1)
    )
    before = SweepState(next_sweep_at=world.clock[0], started_at=world.clock[0] - timedelta(hours=24))
    world.services.sweeps.save_sweep_state(None, before)

    def end_another_sweep(call: Call) -> None:
        if call.operation == "ListSchedules":
            world.services.sweeps.save_sweep_state(before, later)

    with before_each_call(world, end_another_sweep):
        assert admin("reconcile", "--sweep").exit_status == 0
    assert world.services.sweeps.read_sweep_state() == later


@pytest.mark.usefixtures("schedule")
def test_a_throttled_sweep_is_reported(world: World, admin: AdminCli) -> None:
    with failing_calls(world, "GetSchedule", "ThrottlingException"):
        result = admin("reconcile", "--sweep", "--json")
    assert (result.exit_status, result.lines) == (5, [])
    assert result.errors == [
        "GetSchedule failed with ThrottlingException: ThrottlingException. "
        "The sweep is incomplete: its repairs are kept, and the same command starts over."
    ]
    assert world.services.sweeps.read_sweep_state() is None
