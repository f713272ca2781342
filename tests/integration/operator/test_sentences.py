"""What the commands say where an earlier wording was not so, or did not say what an operator needs."""

from collections.abc import Mapping, Sequence

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.faults.broken_rows import set_attribute
from tests.support.oracles.audit import Audit
from tests.support.stacks.admin_cli import AdminCli, execute_at
from tests.support.stacks.fires import execute_fire, fire_one_time
from tests.support.stacks.world import ADMIN, BUS, TENANT, World, aws_client, create_input, update_input

ONE = InstallId("install-1")
UNGRANTED: Mapping[str, object] = {"grantedCapabilities": []}
FAILURE = {"status": RunStatus.ERROR, "http_status": 404, "error": "no"}


@pytest.fixture
def audit(world: World, audit: Audit) -> Audit:
    del world  # started before
    aws_client("events").create_event_bus(Name=BUS)
    return audit


@pytest.fixture
def schedule(world: World) -> Schedule:
    """An hourly schedule of install-1."""
    return create_schedule(world.services, world.register_install(ONE), create_input(name="hourly"))


@pytest.mark.parametrize(
    ("ungranted", "paused", "sentence"),
    [
        (False, False, "Install install-1 is enabled: its enabled schedules fire again."),
        (
            True,
            False,
            "Install install-1 is enabled, but its schedules do not fire yet: the install is not granted "
            "cap:scheduler.manage.",
        ),
        (
            True,
            True,
            "Install install-1 is enabled, but its schedules do not fire yet: the tenant is paused; the install is "
            "not granted cap:scheduler.manage.",
        ),
    ],
    ids=["enabled", "not granted", "not granted and paused"],
)
@pytest.mark.usefixtures("schedule")
def test_enable_says_what_still_keeps_the_schedules_from_firing(
    world: World, admin: AdminCli, ungranted: bool, paused: bool, sentence: str
) -> None:
    world.register_install(ONE, enabled=False, **(UNGRANTED if ungranted else {}))
    if paused:
        set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)
    assert admin("enable", ONE).lines == [sentence]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["pause", "nope", "--yes"],
            "Tenant nope is paused. It has no installs: those that it gets do not fire.",
        ),
        (["resume", "empty"], "Tenant empty is resumed. It has no installs: those that it gets fire."),
    ],
    ids=["pause", "resume"],
)
def test_a_tenant_without_installs_may_be_mistyped(
    world: World, admin: AdminCli, words: Sequence[str], sentence: str
) -> None:
    set_tenant_paused(world.services, "empty", paused=True, actor=ADMIN)
    assert admin(*words).lines == [sentence]


@pytest.mark.parametrize("command", ["schedule", "explain"])
def test_what_became_of_a_schedule_is_known(
    world: World, audit: Audit, admin: AdminCli, schedule: Schedule, command: str
) -> None:
    time = ["2026-11-23T10:00:00Z"] if command == "explain" else []
    other = create_schedule(world.services, ONE, create_input(name="daily"))
    audit.publish_new_events()
    world.advance(minutes=30)
    delete_schedule(world.services, ONE, schedule.id)
    update_schedule(world.services, ONE, other.id, update_input(name="nightly"))
    audit.publish_new_events()

    for text in (schedule.id, "hourly", schedule.id[-10:]):
        result = admin(command, ONE, text, *time)
        assert (result.exit_status, result.lines, result.errors) == (
            3,
            [],
            [
                f"Install install-1 no longer has a schedule {text!r}: {schedule.id} was deleted on "
                "Mon 2026-11-23 09:30 UTC (by the extension); `changes` lists more."
            ],
        )
    assert admin(command, ONE, "daily", *time).errors == [
        f"Install install-1 no longer has a schedule 'daily': {other.id} was renamed on Mon 2026-11-23 09:30 UTC "
        "(by the extension); `changes` lists more."
    ]
    assert admin(command, ONE, "nightly", *time).errors == []


def test_a_completed_schedule_keeps_its_name_for_operators(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    once = create_schedule(world.services, ONE, create_input(name="once", cron="at(2026-11-23T12:00)"))
    execute_fire(world.services, world.runner, fire_one_time(world, once))

    document = admin("schedule", ONE, "once", "--json").document
    (explanation,) = admin("explain", ONE, "once", "2026-11-23T12:00").lines[1:2]

    assert (document["schedule"]["id"], document["schedule"]["blockers"]) == (
        once.id,
        ["its only time has passed"],
    )
    assert explanation == "It succeeded at attempt 1."


def test_what_failed_and_was_stopped_then_is_no_longer_wrong(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    """An operator disables an extension that does harm, as docs/operations.md advises."""
    execute_at(world, schedule, 10, **FAILURE)

    def codes() -> set[str]:
        return {each["code"] for each in admin("status", "--json").document["problems"]}

    assert "schedules-fail" in codes()
    set_install_enabled(world.services, ONE, enabled=False, actor=ADMIN)
    assert "schedules-fail" not in codes()
    set_install_enabled(world.services, ONE, enabled=True, actor=ADMIN)
    assert "schedules-fail" in codes()
    world.register_install(ONE, **UNGRANTED)
    assert "schedules-fail" not in codes()
    assert admin("status", "--json").document["failing"] == {"complete": True, "items": []}


@pytest.mark.usefixtures("schedule")
def test_a_manual_run_that_is_in_the_queue_is_no_unknown_one(world: World, admin: AdminCli) -> None:
    time = admin("run", ONE, "hourly", "--json").document["scheduledTime"]
    world.advance(minutes=1)
    result = admin("explain", ONE, "hourly", time, "--json")
    assert result.document["reasons"][1:] == [
        "One that was requested is in the history once the queue has delivered it.",
        "The queue of occurrences has 1 ready, 0 running, 0 delayed.",
    ]
    assert result.document["queue"] == {"ready": 1, "running": 0, "delayed": 0, "oldestMessageSeconds": None}


def test_a_replay_of_a_deleted_schedule_is_not_waited_for(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    execute_at(world, schedule, 10, status=RunStatus.ERROR, http_status=503, error="no", retryable=True)
    delete_schedule(world.services, ONE, schedule.id)
    started_at = world.clock[0]
    result = admin("replay", "--yes", "--wait", "--json")
    assert (result.exit_status, result.document["outcomes"]) == (
        1,
        [
            {
                "installId": "install-1",
                "scheduleId": schedule.id,
                "scheduledTime": "2026-11-23T10:00:00Z",
                "status": "skipped",
                "error": "The schedule does not exist any more",
            }
        ],
    )
    assert world.clock[0] == started_at


@pytest.mark.usefixtures("schedule")
def test_an_install_that_cannot_be_read_is_not_called_disabled(admin: AdminCli) -> None:
    set_attribute("INSTALL#install-1", "INSTALL", "enabled", {"S": "maybe"})
    problem = "enabled is not of type BOOL"
    (listed,) = admin("installs", "--json").document["installs"]
    assert listed["reasons"] == [f"the install cannot be read: {problem}"]
    result = admin("disable", ONE, "--yes")
    assert (result.exit_status, result.errors) == (
        4,
        [f"Install install-1 cannot be read: {problem}. To correct it, register it again."],
    )


@pytest.mark.parametrize("command", ["schedules --install", "disable --yes", "schedule", "explain"])
def test_when_an_install_was_deleted_is_known(
    world: World, audit: Audit, admin: AdminCli, schedule: Schedule, command: str
) -> None:
    name, *options = command.split()
    arguments: Mapping[str, Sequence[str]] = {
        "schedule": [schedule.id],
        "explain": ["hourly", "2026-11-23T10:00:00Z"],
    }
    audit.publish_new_events()
    world.advance(minutes=30)
    delete_install(world.services, ONE, actor=ADMIN)
    audit.publish_new_events()
    result = admin(name, *options, ONE, *arguments.get(name, ()))
    assert (result.exit_status, result.errors) == (
        3,
        [
            "Install install-1 was deleted on Mon 2026-11-23 09:30 UTC (by role/platform); "
            "`changes` lists more."
        ],
    )
    assert admin("changes", ONE, "hourly", "--json").document["changes"][0]["scheduleId"] == schedule.id


@pytest.mark.parametrize(
    ("max_unhealthy", "failing"),
    [(10, "hourly of install-1: 1 in a row, for 0 ms"), (2, "none among those read")],
)
def test_what_is_stopped_does_not_hide_what_fails(
    world: World,
    admin: AdminCli,
    schedule: Schedule,
    monkeypatch: pytest.MonkeyPatch,
    max_unhealthy: int,
    failing: str,
) -> None:
    monkeypatch.setattr("scheduling_admin.health.query.MAX_LISTED", 1)
    monkeypatch.setattr("scheduling_admin.health.query.MAX_UNHEALTHY", max_unhealthy)
    other = world.register_install(InstallId("install-2"))
    for hour, name in ((10, "a"), (11, "b"), (12, "c")):
        execute_at(world, create_schedule(world.services, other, create_input(name=name)), hour, **FAILURE)
    set_install_enabled(world.services, other, enabled=False, actor=ADMIN)
    execute_at(world, schedule, 13, **FAILURE)
    lines = admin("status").lines
    assert [line for line in lines if line.startswith("Failing ")] == [f"Failing            {failing}"]


def test_the_failure_of_a_one_time_schedule_is_news_for_a_day(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    once = create_schedule(world.services, ONE, create_input(name="once", cron="at(2026-11-23T12:00)"))
    world.runner.outcome = Outcome(status=RunStatus.ERROR, http_status=404, error="no")
    execute_fire(world.services, world.runner, fire_one_time(world, once))

    def list_failing() -> list[str]:
        return [each["name"] for each in admin("status", "--json").document["failing"]["items"]]

    assert list_failing() == ["once"]
    world.advance(days=1, minutes=1)
    assert list_failing() == []
    (listed,) = admin("installs", "--json").document["installs"]
    assert listed["reasons"] == ["its schedules are disabled, or their only time has passed"]
