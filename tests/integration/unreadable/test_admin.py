"""The operator's commands show what cannot be read, and all else."""

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule

from tests.integration.maintenance.sweeps import delete_timer
from tests.support.faults.broken_rows import (
    INSTALLS,
    LEFT_OUT,
    LISTED,
    TIMERS,
    BrokenRow,
    replace_timer,
    set_attribute,
)
from tests.support.stacks.admin_cli import AdminCli
from tests.support.stacks.fires import create_fire, execute_fire
from tests.support.stacks.world import TENANT, UNKNOWN_SCHEDULE_ID, World, aws_client, create_input, on_moto

ONE = InstallId("install-1")
TIME = "2026-11-23T10:00:00Z"


@pytest.fixture
def schedules(world: World) -> list[Schedule]:
    world.register_install(ONE)
    return [create_schedule(world.services, ONE, create_input(name=f"n{n}")) for n in range(2)]


NOT_INDEXED = ("no creation time", "malformed creation time")
"""The index of tenants sorts by creation time (decision 038); the list of the install has these, too."""
LISTINGS = {
    **{f"{name}, by install": (row, ["--install", ONE]) for name, row in LISTED.items()},
    **{
        f"{name}, by tenant": (row, ["--tenant", TENANT])
        for name, row in LISTED.items()
        if name not in NOT_INDEXED
    },
}


@pytest.mark.parametrize(("broken_row", "options"), LISTINGS.values(), ids=LISTINGS)
def test_schedules_lists_a_damaged_one_with_the_reason(
    admin: AdminCli, schedules: list[Schedule], broken_row: BrokenRow, options: list[str]
) -> None:
    broken_row.damage_schedule(schedules[0])

    document = admin("schedules", *options, "--json").document
    text = admin("schedules", *options)

    assert [fields["fires"] for fields in document["schedules"]] == [False, True]
    assert document["schedules"][0]["unreadable"] == broken_row.reason
    assert text.exit_status == 0
    assert "the schedule cannot be read:" in "\n".join(text.lines)


@pytest.mark.parametrize("options", [["--tenant", TENANT], ["--install", ONE]], ids=["tenant", "install"])
def test_schedules_names_what_it_leaves_out(
    admin: AdminCli, schedules: list[Schedule], options: list[str]
) -> None:
    LEFT_OUT["no rule"].damage_schedule(schedules[0])
    item_id = f"{schedules[0].id} of install install-1"

    result = admin("schedules", *options)

    assert result.exit_status == 1
    assert [line.partition(" of ")[2] for line in result.lines if line.startswith("Left out: schedule")] == [
        "install install-1 cannot be used: cron is missing."
    ]
    document = admin("schedules", *options, "--json").document
    assert document["leftOut"] == [{"kind": "schedule", "id": item_id, "reason": "cron is missing"}]
    assert [fields["id"] for fields in document["schedules"]] == [schedules[1].id]


@pytest.mark.parametrize("broken_row", [*LISTED.values(), *LEFT_OUT.values()], ids=[*LISTED, *LEFT_OUT])
def test_schedule_and_explain_say_that_it_cannot_be_read(
    world: World, admin: AdminCli, schedules: list[Schedule], broken_row: BrokenRow
) -> None:
    broken_row.damage_schedule(schedules[0])
    world.advance(hours=3)

    shown = admin("schedule", ONE, schedules[0].id, "--json")
    explained = admin("explain", ONE, schedules[0].id, TIME, "--json")

    assert shown.exit_status == explained.exit_status == 1
    assert shown.document["schedule"]["unreadable"] == broken_row.reason
    assert explained.document["verdict"] == "not-run"
    assert explained.document["reasons"] == [f"The schedule cannot be read: {broken_row.reason}."]
    for command in (("schedule", ONE, schedules[0].id), ("explain", ONE, schedules[0].id, TIME)):
        assert admin(*command).exit_status == 1


def test_a_run_that_cannot_be_read_is_named(world: World, admin: AdminCli, schedules: list[Schedule]) -> None:
    fire = create_fire(schedules[0])
    execute_fire(world.services, world.runner, fire)
    pk = f"INSTALL#{ONE}#SCHEDULE#{schedules[0].id}"
    set_attribute(pk, f"RUN#{fire.scheduled_time}", "startedAt", None)

    shown = admin("schedule", ONE, schedules[0].id)
    explained = admin("explain", ONE, schedules[0].id, fire.scheduled_time)

    assert [line.partition(" cannot ")[2] for line in shown.lines if line.startswith("Left out: run")] == [
        "be used: startedAt is missing."
    ]
    assert "The history has the occurrence, but its row cannot be read." in explained.lines


@pytest.mark.parametrize("broken_row", INSTALLS.values(), ids=INSTALLS)
def test_installs_lists_a_damaged_one_with_the_reason(
    world: World, admin: AdminCli, schedules: list[Schedule], broken_row: BrokenRow
) -> None:
    del schedules
    world.register_install(InstallId("install-2"))
    broken_row.damage_install(ONE)

    result = admin("installs")

    assert result.exit_status == 0
    assert "install-2" in "\n".join(result.lines)
    assert "the install cannot be read:" in "\n".join(result.lines)


@pytest.mark.parametrize("broken_row", INSTALLS.values(), ids=INSTALLS)
def test_pause_and_resume_pass_a_damaged_install(
    world: World, admin: AdminCli, schedules: list[Schedule], broken_row: BrokenRow
) -> None:
    broken_row.damage_install(ONE)
    LISTED["dropped zone"].damage_schedule(schedules[0])

    assert admin("pause", TENANT, "--yes").exit_status == 0
    assert world.read_timers() == {}
    assert admin("resume", TENANT).exit_status == 0


@on_moto
def test_reconcile_repairs_all_else_and_counts_what_cannot_be_read(
    world: World, admin: AdminCli, schedules: list[Schedule]
) -> None:
    LISTED["refused rule"].damage_schedule(schedules[0])
    replace_timer(UNKNOWN_SCHEDULE_ID, **TIMERS["input 5"])
    delete_timer(schedules[1])

    result = admin("reconcile", "--sweep")

    assert result.exit_status == 1
    assert "2 items cannot be read. See the messages above." in result.lines
    assert f"timer {UNKNOWN_SCHEDULE_ID} cannot be used: its input is not a JSON object" in result.errors
    assert schedules[1].id in world.read_timers()
    LISTED["refused rule"].damage_schedule(schedules[0])
    document = admin("reconcile", "--sweep", "--json").document
    assert (document["unreadable"], document["repaired"]) == (1, {})


@pytest.mark.parametrize(
    "body",
    [
        "5",
        "not JSON",
        '{"DDBStreamBatchInfo": 5}',
        '{"DDBStreamBatchInfo": {"streamArn": 1, "shardId": 2, "startSequenceNumber": "x", "endSequenceNumber": "y"}}',
    ],
    ids=["number", "no JSON", "no object", "wrong types"],
)
def test_republish_keeps_a_message_that_cannot_be_read(admin: AdminCli, body: str) -> None:
    aws_client("sqs").send_message(QueueUrl=admin.unpublished_queue_url, MessageBody=body)

    result = admin("republish", "--yes", "--json")

    assert result.exit_status == 1
    assert [batch["problem"] for batch in result.document["batches"]] == [
        "The message names no records of a stream."
    ]
