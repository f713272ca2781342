"""The command `backfill`."""

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule

from tests.support.stacks.admin_cli import AdminCli, failing_calls
from tests.support.stacks.fires import PlayedQueue
from tests.support.stacks.world import TENANT, World, create_input

ONE = InstallId("install-1")
PERIOD = ("--from", "2026-11-22T08:30Z", "--to", "2026-11-22T09:00:00Z", "--which", "all")


@pytest.fixture
def schedule(world: World) -> Schedule:
    world.register_install(ONE)
    return create_schedule(world.services, ONE, create_input())


def test_a_dry_run_lists_the_occurrences(world: World, admin: AdminCli, schedule: Schedule) -> None:
    result = admin("backfill", ONE, schedule.id, *PERIOD, "--dry-run")

    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines[-1] == "1 occurrence would be run."
    assert result.lines[2].split() == ["2026-11-22T09:00:00Z", "would", "be", "run"]
    assert world.list_executor_events() == []


def test_a_backfill_runs_once_it_is_confirmed(world: World, admin: AdminCli, schedule: Schedule) -> None:
    refused = admin("backfill", ONE, schedule.id, *PERIOD, "--json")
    assert (refused.exit_status, refused.errors) == (2, ["--json does not prompt: add --yes to confirm."])

    result = admin("backfill", ONE, schedule.id, *PERIOD, "--yes", "--json")
    assert result.document == {
        "installId": ONE,
        "scheduleId": schedule.id,
        "from": "2026-11-22T08:30:00.000Z",
        "to": "2026-11-22T09:00:00.000Z",
        "which": "all",
        "dryRun": False,
        "scheduledTimes": ["2026-11-22T09:00:00Z"],
        "leftOut": [],
    }
    waiting = admin("explain", ONE, schedule.id, "2026-11-22T09:00:00Z", "--json").document
    assert waiting["summary"] == "It is waiting: its turn in the backfill."
    assert waiting["reasons"][0] == "It is part of a backfill."

    PlayedQueue(world).deliver_for(minutes=1)
    explained = admin("explain", ONE, schedule.id, "2026-11-22T09:00:00Z", "--json").document
    assert (explained["verdict"], explained["reasons"][0]) == ("succeeded", "A backfill ran it.")
    repeated = admin("backfill", ONE, schedule.id, *PERIOD)
    assert repeated.lines[-1] == "0 occurrences will be run; `schedule` shows the results in its history."
    assert repeated.lines[2].split() == ["2026-11-22T09:00:00Z", "left", "out:", "success"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        pytest.param({"--to": "2026-11-23T10:00Z"}, "--to must not be in the future.", id="future"),
        pytest.param({"--from": "2026-11-22T09:30Z"}, "--from must not be after to.", id="reversed"),
        pytest.param(
            {"--from": "monday"},
            "monday is not a time such as 2026-11-23T09:00:00Z, or 2026-11-23T09:00 in the schedule's zone.",
            id="no time",
        ),
    ],
)
def test_an_invalid_period_is_rejected(
    admin: AdminCli, schedule: Schedule, options: dict[str, str], text: str
) -> None:
    values = {**dict(zip(PERIOD[::2], PERIOD[1::2], strict=True)), **options}
    result = admin("backfill", ONE, schedule.id, *(word for pair in values.items() for word in pair))
    assert (result.exit_status, result.errors) == (2, [text])


def test_a_backfill_of_a_paused_tenant_is_refused(admin: AdminCli, schedule: Schedule) -> None:
    admin("pause", TENANT, "--yes")
    result = admin("backfill", ONE, schedule.id, *PERIOD, "--yes")
    assert (result.exit_status, result.errors) == (4, ["Refused: The tenant is paused."])


def test_an_interrupted_backfill_says_how_to_resume_it(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    with failing_calls(world, "SendMessage"):
        result = admin("backfill", ONE, schedule.id, *PERIOD, "--yes")
    assert result.exit_status == 5
    assert result.errors[0].startswith(
        "The backfill was interrupted after 0 of 1; the same request resumes it. AWS denies SendMessage"
    )
