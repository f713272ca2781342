"""What the operator's command line changes: tenants, installs, and runs by hand."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from scheduling import bootstrap
from scheduling.api.triggers import parse_fire
from scheduling.domain.errors import RunFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, Run, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs import tenants
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.schedules.create import create_schedule

from tests.support.aws.calls import Call, client_error
from tests.support.stacks.admin_cli import CALLER, AdminCli
from tests.support.stacks.world import ADMIN, TENANT, World, create_input

ONE = InstallId("install-1")


@pytest.fixture
def schedule(world: World) -> Schedule:
    world.register_install(ONE)
    return create_schedule(world.services, ONE, create_input())


def register_installs(world: World, number: int) -> Sequence[InstallId]:
    return [world.register_install(InstallId(f"install-{index:03}")) for index in range(number)]


def read_paused(world: World, install_ids: Sequence[InstallId]) -> list[bool]:
    installs = [world.services.schedules.read_schedule(each).install for each in install_ids]
    return [each.paused for each in installs if each]


def test_a_tenant_is_paused_and_resumed(world: World, admin: AdminCli, schedule: Schedule) -> None:
    result = admin("pause", TENANT, "--yes")
    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines == ["Tenant tenant-1 is paused, 1 install: nothing of it fires any more."]
    assert schedule.id not in world.read_timers()
    assert admin("pause", TENANT, "--yes").lines == ["Tenant tenant-1 was paused already."]
    resumed = admin("resume", TENANT)
    assert resumed.lines == ["Tenant tenant-1 is resumed, 1 install: its schedules fire again."]
    assert schedule.id in world.read_timers()
    assert admin("resume", TENANT).lines == ["Tenant tenant-1 was not paused already."]


def test_a_paused_tenant_is_reported_as_json(world: World, admin: AdminCli) -> None:
    register_installs(world, 3)
    expected = {"tenantId": TENANT, "paused": True, "changed": True, "installs": 3, "complete": True}
    assert admin("pause", TENANT, "--yes", "--json").document == expected
    assert admin("pause", TENANT, "--yes", "--json").document == {**expected, "changed": False}


def test_a_change_records_the_caller(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    admin("pause", TENANT, "--yes")
    assert world.services.tenants.read_tenant(TENANT).changed_by == CALLER
    admin("disable", ONE, "--yes")
    install = world.services.schedules.read_schedule(ONE).install
    assert install is not None
    assert install.changed_by == CALLER


def test_a_pause_continues_until_every_install_is_propagated(
    world: World, admin: AdminCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call of the operation has time for a page of two installs alone."""
    install_ids = register_installs(world, 7)
    ticks = count(0, tenants.TIME_BUDGET * 0.6)
    slow = replace(world.services, monotonic=lambda: next(ticks))
    monkeypatch.setattr(bootstrap, "services", lambda: slow)
    monkeypatch.setattr(tenants, "PAGE_SIZE", 2)
    result = admin("pause", TENANT, "--yes", "--json")
    assert (result.exit_status, result.document["complete"], result.document["installs"]) == (0, True, 7)
    assert read_paused(world, install_ids) == [True] * 7


def test_a_throttled_pause_says_how_to_continue(world: World, admin: AdminCli) -> None:
    install_ids = register_installs(world, 3)
    update_numbers = iter(range(100))

    def throttle(call: Call) -> None:
        """From the second install on."""
        if call.operation == "UpdateItem" and next(update_numbers):
            raise client_error("ThrottlingException", "UpdateItem")

    world.calls.before = throttle
    result = admin("pause", TENANT, "--yes", "--json")
    world.calls.before = None
    assert (result.exit_status, result.lines) == (5, [])
    assert result.errors[-1:] == [
        "The table is not available, please try again. UpdateItem failed with ThrottlingException: "
        "ThrottlingException. Tenant tenant-1 is not done; the same command goes on where this one stopped."
    ]
    assert read_paused(world, install_ids) == [True, False, False]
    assert admin("pause", TENANT, "--yes").exit_status == 0
    assert read_paused(world, install_ids) == [True, True, True]


def test_a_pause_yields_to_a_concurrent_resume(
    world: World, admin: AdminCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_installs(world, 3)
    ticks = count(0, tenants.TIME_BUDGET * 0.6)
    slow = replace(world.services, monotonic=lambda: next(ticks))
    monkeypatch.setattr(bootstrap, "services", lambda: slow)
    monkeypatch.setattr(tenants, "PAGE_SIZE", 1)
    propagate = tenants.propagate_tenant

    def after_a_resume(services: Any, tenant: Any) -> Any:
        set_tenant_paused(world.services, TENANT, paused=False, actor=ADMIN)
        return propagate(services, tenant)

    monkeypatch.setattr("scheduling_admin.commands.tenants.propagate_tenant", after_a_resume)
    result = admin("pause", TENANT, "--yes")
    assert result.exit_status == 1
    assert result.errors == [
        "The tenant was paused or resumed anew meanwhile. "
        "Tenant tenant-1 is not done; the same command goes on where this one stopped."
    ]
    assert not world.services.tenants.read_tenant(TENANT).paused


@pytest.mark.parametrize(
    ("words", "question"),
    [
        (["pause", TENANT], "Pause tenant tenant-1, with 1 install? [y/N]: "),
        (
            ["pause", "nobody"],
            "Tenant nobody has no installs. Pause it all the same, before it has any? [y/N]: ",
        ),
        (
            ["disable", "install-1"],
            "Disable install install-1 of tenant tenant-1, with its 1 schedule? [y/N]: ",
        ),
    ],
)
def test_what_stops_schedules_asks_for_confirmation(
    world: World, admin: AdminCli, schedule: Schedule, words: list[str], question: str
) -> None:
    for stdin_text in ("n\n", "\n", ""):
        result = admin(*words, stdin_text=stdin_text)
        assert result.exit_status == 4
        assert result.cli_result.stderr.startswith(question.rstrip())
        assert result.errors[-1].endswith("Nothing was done.")
    assert schedule.id in world.read_timers()
    json_result = admin(*words, "--json")
    assert (json_result.exit_status, json_result.errors) == (
        2,
        ["With --json nothing is asked: add --yes to go ahead."],
    )
    assert json_result.lines == []
    assert schedule.id in world.read_timers()
    assert admin(*words, stdin_text="y\n").exit_status == 0
    assert (schedule.id in world.read_timers()) is ("nobody" in words)


def test_an_install_is_disabled_and_enabled(world: World, admin: AdminCli, schedule: Schedule) -> None:
    result = admin("disable", ONE, "--yes")
    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines == ["Install install-1 is disabled: its schedules fire no more."]
    assert schedule.id not in world.read_timers()
    assert admin("disable", ONE).lines == ["Install install-1 was disabled already."]
    assert admin("enable", ONE).lines == [
        "Install install-1 is enabled: those of its schedules that are enabled fire again."
    ]
    assert schedule.id in world.read_timers()
    assert admin("enable", ONE).lines == ["Install install-1 was enabled already."]


def test_an_enabled_install_of_a_paused_tenant_does_not_fire(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    admin("disable", ONE, "--yes")
    admin("pause", TENANT, "--yes")
    result = admin("enable", ONE, "--json")
    assert (result.document["enabled"], result.document["paused"], result.document["changed"]) == (
        True,
        True,
        True,
    )
    assert schedule.id not in world.read_timers()
    admin("disable", ONE, "--yes")
    assert admin("enable", ONE).lines == [
        "Install install-1 is enabled, but its tenant is paused: its schedules do not fire yet."
    ]


def test_unpropagated_timers_are_reported(world: World, admin: AdminCli, schedule: Schedule) -> None:
    def throttle(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            raise client_error("ThrottlingException", "DeleteSchedule")

    world.calls.before = throttle
    result = admin("disable", ONE, "--yes")
    world.calls.before = None
    assert result.exit_status == 1
    assert result.lines == [
        "Install install-1 is disabled: its schedules fire no more.",
        "Some timers have not followed yet; the same again, or the reconciler, finishes it.",
    ]
    assert [line.partition(schedule.id)[0] for line in result.errors] == [
        "schedule ",
        "schedules of install install-1 are left to the reconciler: 1 timers of the install are not changed yet; "
        "they follow shortly",
    ]
    second_result = admin("disable", ONE, "--json", "--yes")
    assert (
        second_result.exit_status,
        second_result.document["changed"],
        second_result.document["complete"],
    ) == (0, False, True)
    assert schedule.id not in world.read_timers()


@pytest.mark.parametrize("command", ["disable", "enable"])
def test_an_absent_install_exits_with_3(admin: AdminCli, command: str) -> None:
    result = admin(command, "nope")
    assert (result.exit_status, result.errors, result.lines) == (3, ["Install not found."], [])


# run


class ExecuteWhileWaiting:
    """Lets a run by hand be executed while the command waits, one attempt at each look."""

    def __init__(self, world: World, outcomes: Sequence[Outcome]) -> None:
        self.world = world
        self.outcomes = list(outcomes)

    def sleep(self, seconds: float) -> None:
        self.world.services.sleep(seconds)
        events = self.world.list_executor_events()
        if events and self.outcomes:
            self.world.runner.outcome = self.outcomes.pop(0)
            try:
                execute_fire(self.world.services, self.world.runner, parse_fire(events[-1]))
            except RunFailed:
                return


def execute_while_waiting(world: World, monkeypatch: pytest.MonkeyPatch, *outcomes: Outcome) -> None:
    services = replace(world.services, sleep=ExecuteWhileWaiting(world, outcomes).sleep)
    monkeypatch.setattr(bootstrap, "services", lambda: services)


SUCCESS = Outcome(status=RunStatus.SUCCESS, http_status=200)
FAILED = Outcome(status=RunStatus.ERROR, http_status=503, error="The extension answered 503", retryable=True)
CLIENT_ERROR = Outcome(status=RunStatus.ERROR, http_status=422, error="The extension answered 422")


def test_a_schedule_is_run_now(world: World, admin: AdminCli, schedule: Schedule) -> None:
    result = admin("run", ONE, schedule.id)
    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines == [
        "Started as 2026-11-23T09:00:00.000Z. What comes of it: --wait, or the history of `schedule`."
    ]
    assert world.list_executor_events() == [
        {
            "installId": ONE,
            "scheduleId": schedule.id,
            "revision": 1,
            "scheduledTime": "2026-11-23T09:00:00.000Z",
            "trigger": "manual",
        }
    ]


def test_the_same_key_is_the_same_run(world: World, admin: AdminCli, schedule: Schedule) -> None:
    first = admin("run", ONE, schedule.id, "--idempotency-key", "key", "--json").document
    world.advance(minutes=5)
    second = admin("run", ONE, schedule.id, "--idempotency-key", "key", "--json").document
    assert first == second
    assert first == {
        "installId": ONE,
        "scheduleId": schedule.id,
        "scheduledTime": "2026-11-23T09:00:00.000Z",
        "idempotencyKey": "key",
        "run": None,
    }
    other = admin("run", ONE, schedule.id, "--json").document
    assert other["scheduledTime"] == "2026-11-23T09:05:00.000Z"
    assert len(other["idempotencyKey"]) == 36


@pytest.mark.parametrize(
    ("outcomes", "exit_status", "status", "attempt"),
    [
        ([SUCCESS], 0, "success", 1),
        ([FAILED, FAILED, SUCCESS], 0, "success", 3),
        ([FAILED, FAILED, FAILED], 1, "error", 3),
        ([CLIENT_ERROR, SUCCESS], 1, "error", 1),
    ],
    ids=["first attempt", "third attempt", "never", "client error"],
)
def test_wait_ends_with_the_run(
    world: World,
    admin: AdminCli,
    schedule: Schedule,
    monkeypatch: pytest.MonkeyPatch,
    outcomes: list[Outcome],
    exit_status: int,
    status: str,
    attempt: int,
) -> None:
    execute_while_waiting(world, monkeypatch, *outcomes)
    result = admin("run", ONE, schedule.id, "--wait", "--json")
    assert result.exit_status == exit_status
    run = result.document["run"]
    assert (run["status"], run["attempt"], run["trigger"]) == (status, attempt, "manual")


def test_an_ended_run_is_listed(
    world: World, admin: AdminCli, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute_while_waiting(world, monkeypatch, SUCCESS)
    result = admin("run", ONE, schedule.id, "--wait")
    assert result.exit_status == 0
    assert result.lines[0].split() == [
        "Scheduled", "time", "Status", "Attempt", "Started", "at", "Duration", "HTTP", "Error",
    ]  # fmt: skip
    assert result.lines[2].startswith("2026-11-23T09:00:00.000Z   success   1")


@pytest.mark.parametrize(
    ("outcomes", "lines"),
    [
        ([], ["The run 2026-11-23T09:00:00.000Z has not begun yet; `explain` tells more."]),
        ([FAILED], ["It has not ended yet; the history of `schedule` tells more."]),
    ],
    ids=["not begun", "not ended"],
)
def test_wait_ends_at_the_timeout(
    world: World,
    admin: AdminCli,
    schedule: Schedule,
    monkeypatch: pytest.MonkeyPatch,
    outcomes: list[Outcome],
    lines: list[str],
) -> None:
    execute_while_waiting(world, monkeypatch, *outcomes)
    result = admin("run", ONE, schedule.id, "--wait", "--timeout", "20")
    assert (result.exit_status, result.lines[-1:]) == (1, lines)


def test_an_overlapping_run_is_reported_as_skipped(
    world: World, admin: AdminCli, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute_while_waiting(world, monkeypatch, SUCCESS)
    document = admin("run", ONE, schedule.id, "--json").document
    fire = parse_fire(world.list_executor_events()[0])
    claimed = Run(
        scheduled_time=document["scheduledTime"],
        status=RunStatus.RUNNING,
        attempt=1,
        started_at=world.clock[0],
        lease_expires_at=world.clock[0].replace(minute=50),
    )
    world.services.runs.claim_run(fire, world.services.runs.read_fire_snapshot(fire), claimed)
    world.advance(seconds=5)
    second = admin("run", ONE, schedule.id, "--wait", "--json")
    assert (second.exit_status, second.document["run"]["status"]) == (1, "skipped")


def test_a_run_of_a_paused_tenant_is_refused(admin: AdminCli, schedule: Schedule) -> None:
    admin("pause", TENANT, "--yes")
    result = admin("run", ONE, schedule.id, "--wait", "--json")
    assert (result.exit_status, result.errors, result.lines) == (4, ["Refused: The tenant is paused."], [])


def test_an_unconfirmed_invocation_names_its_idempotency_key(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    def deny(call: Call) -> None:
        if call.operation == "Invoke":
            raise client_error("AccessDeniedException", "Invoke")

    world.calls.before = deny
    result = admin("run", ONE, schedule.id, "--idempotency-key", "key")
    world.calls.before = None
    assert result.exit_status == 5
    assert result.errors == [
        "The run could not be confirmed; it may still start. AWS does not allow Invoke with these credentials: "
        "AccessDeniedException. docs/operations.md lists what an operator needs to be allowed. "
        "To make sure of this very run: --idempotency-key key"
    ]


@pytest.mark.parametrize("key", ["", "k" * 65])
def test_an_invalid_idempotency_key_is_rejected(admin: AdminCli, schedule: Schedule, key: str) -> None:
    result = admin("run", ONE, schedule.id, "--idempotency-key", key, "--json")
    assert (result.exit_status, result.errors) == (2, ["--idempotency-key must have 1 to 64 characters."])
