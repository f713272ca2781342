"""What commands say of an occurrence that was lost, once the sweep has found its timer wrong and repaired it."""

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule

from tests.integration.maintenance.sweeps import delete_timer
from tests.integration.maintenance.test_sweep import alter_timer
from tests.support.stacks.admin_cli import AdminCli, execute_at
from tests.support.stacks.world import World, create_input

HEADING = "hourly: POST /api/sync, Mon 2026-11-23 11:00 UTC"
FOUND = "the sweep checked it next, on Mon 2026-11-23 12:30 UTC."


@pytest.fixture
def schedule(world: World) -> Schedule:
    """An hourly schedule of install-1."""
    install_id = world.register_install(InstallId("install-1"))
    return create_schedule(world.services, install_id, create_input(name="hourly"))


def sweep_at_half_past_twelve(world: World, admin: AdminCli) -> None:
    world.clock[0] = world.clock[0].replace(hour=12, minute=30)
    assert admin("reconcile", "--sweep").exit_status == 0
    world.advance(hours=2)


def test_an_occurrence_without_a_timer_names_the_find(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    execute_at(world, schedule, 10)
    delete_timer(schedule)
    sweep_at_half_past_twelve(world, admin)
    result = admin("explain", schedule.install_id, "hourly", "2026-11-23T11:00:00Z")
    assert result.lines == [
        HEADING,
        f"It did not run: its timer was missing when {FOUND}",
        "  EventBridge had no timer, but the schedule should have had one.",
        "  Since when is not known; the last one before it in the history is that of 2026-11-23T10:00:00Z.",
        "  What EventBridge sent before is in the queue, and still comes.",
        "  The sweep repaired it then.",
        "  It is not in the dead-letter queue.",
    ]


def test_an_occurrence_with_another_timer_names_the_find(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    execute_at(world, schedule, 10)
    alter_timer(schedule, ScheduleExpression="cron(0 3 1 1 ? *)")
    sweep_at_half_past_twelve(world, admin)
    result = admin("explain", schedule.install_id, "hourly", "2026-11-23T11:00:00Z")
    assert result.lines[:3] == [
        HEADING,
        f"It did not run: its timer was changed when {FOUND}",
        "  The timer's expression was cron(0 3 1 1 ? *) instead of cron(0 * * * ? *).",
    ]


def test_an_occurrence_before_one_that_the_timer_has_delivered_is_not_explained_by_the_find(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    execute_at(world, schedule, 12)
    delete_timer(schedule)
    sweep_at_half_past_twelve(world, admin)
    result = admin("explain", schedule.install_id, "hourly", "2026-11-23T11:00:00Z")
    assert result.lines[1].startswith("It is overdue: ")


@pytest.mark.parametrize("words", [[], ["hourly"]], ids=["install", "schedule"])
def test_a_find_is_among_the_changes(
    world: World, admin: AdminCli, schedule: Schedule, words: list[str]
) -> None:
    alter_timer(schedule, ScheduleExpression="cron(0 3 1 1 ? *)")
    sweep_at_half_past_twelve(world, admin)
    result = admin("changes", schedule.install_id, *words, env={"COLUMNS": "80"})
    assert result.lines[2:] == [
        f"2026-11-23T12:30:00Z   TimerRepaired {schedule.id[-8:]}   timerExpression:",
        "                       by the service           cron(0 3 1 1 ? *)",
        "                                                -> cron(0 * * * ? *)",
    ]
    (change,) = admin("changes", schedule.install_id, *words, "--json").document["changes"]
    assert change == {
        "time": "2026-11-23T12:30:00.000Z",
        "name": "TimerRepaired",
        "installId": schedule.install_id,
        "scheduleId": schedule.id,
        "actor": "system",
        "before": {"timerExpression": "cron(0 3 1 1 ? *)"},
        "after": {"timerExpression": "cron(0 * * * ? *)"},
        "payloadChanged": False,
    }
