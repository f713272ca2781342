"""The command `reconcile`."""

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule

from tests.support.faults.cases import (
    Case,
    corrupt_count,
    create_orphan_timer,
    delete_timer,
    kill_at,
    update_case_schedule,
)
from tests.support.stacks.admin_cli import AdminCli, failing_calls
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
    (error,) = result.errors
    assert schedule.id in error
    assert error.endswith(" is still pending: UpdateSchedule: AccessDeniedException: AccessDeniedException")


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


@pytest.mark.usefixtures("schedule")
def test_a_sweep_does_not_move_the_daily_sweep(world: World, admin: AdminCli) -> None:
    admin("reconcile", "--sweep")
    assert world.services.sweeps.read_sweep_state() is None


@pytest.mark.usefixtures("schedule")
def test_a_throttled_sweep_is_reported(world: World, admin: AdminCli) -> None:
    with failing_calls(world, "GetSchedule", "ThrottlingException"):
        result = admin("reconcile", "--sweep", "--json")
    assert (result.exit_status, result.lines) == (5, [])
    assert result.errors == [
        "GetSchedule failed with ThrottlingException: ThrottlingException. "
        "The sweep is incomplete: its repairs are kept, and the same command starts over."
    ]
