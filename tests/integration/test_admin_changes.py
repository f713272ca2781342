"""What the operator's command line changes: tenants, installs, and runs by hand."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from scheduling import bootstrap
from scheduling.api.triggers import fire_of
from scheduling.domain.errors import RunFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, Run, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs import tenants
from scheduling.operations.installs.tenants import turn_tenant
from scheduling.operations.runs.execute import execute
from scheduling.operations.schedules.create import create

from tests.support.admin import CALLER, Admin
from tests.support.aws_calls import Call, refused
from tests.support.world import ADMIN, TENANT, World, wanted

ONE = InstallId("install-1")


@pytest.fixture
def schedule(world: World) -> Schedule:
    world.register(ONE)
    return create(world.services, ONE, wanted())


def installs(world: World, number: int) -> Sequence[InstallId]:
    return [world.register(InstallId(f"install-{index:03}")) for index in range(number)]


def paused(world: World, of: Sequence[InstallId]) -> list[bool]:
    found = [world.services.schedules.read(each).install for each in of]
    return [each.paused for each in found if each]


def test_a_tenant_is_paused_and_resumed(world: World, admin: Admin, schedule: Schedule) -> None:
    told = admin("pause", TENANT, "--yes")
    assert (told.ends_with, told.errors) == (0, [])
    assert told.lines == ["Tenant tenant-1 is paused, 1 install: nothing of it fires any more."]
    assert schedule.id not in world.timers()
    assert admin("pause", TENANT, "--yes").lines == ["Tenant tenant-1 was paused already."]
    resumed = admin("resume", TENANT)
    assert resumed.lines == ["Tenant tenant-1 is resumed, 1 install: its schedules fire again."]
    assert schedule.id in world.timers()
    assert admin("resume", TENANT).lines == ["Tenant tenant-1 was not paused already."]


def test_a_tenant_is_told_to_machines(world: World, admin: Admin) -> None:
    installs(world, 3)
    expected = {"tenantId": TENANT, "paused": True, "changed": True, "installs": 3, "complete": True}
    assert admin("pause", TENANT, "--yes", "--json").document == expected
    assert admin("pause", TENANT, "--yes", "--json").document == {**expected, "changed": False}


def test_a_change_is_kept_under_the_caller_s_name(world: World, admin: Admin) -> None:
    world.register(ONE)
    admin("pause", TENANT, "--yes")
    assert world.services.tenants.read(TENANT).changed_by == CALLER
    admin("disable", ONE, "--yes")
    install = world.services.schedules.read(ONE).install
    assert install is not None
    assert install.changed_by == CALLER


def test_a_pause_goes_on_until_every_install_has_followed(
    world: World, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call of the operation has time for a page of two installs alone."""
    known = installs(world, 7)
    ticks = count(0, tenants.SECONDS * 0.6)
    slow = replace(world.services, monotonic=lambda: next(ticks))
    monkeypatch.setattr(bootstrap, "services", lambda: slow)
    monkeypatch.setattr(tenants, "PAGE", 2)
    told = admin("pause", TENANT, "--yes", "--json")
    assert (told.ends_with, told.document["complete"], told.document["installs"]) == (0, True, 7)
    assert paused(world, known) == [True] * 7


def test_a_pause_that_is_throttled_says_how_it_goes_on(world: World, admin: Admin) -> None:
    known = installs(world, 3)
    made = iter(range(100))

    def throttle(call: Call) -> None:
        """From the second install on."""
        if call.operation == "UpdateItem" and next(made):
            raise refused("ThrottlingException", "UpdateItem")

    world.calls.before = throttle
    told = admin("pause", TENANT, "--yes", "--json")
    world.calls.before = None
    assert (told.ends_with, told.lines) == (5, [])
    assert told.errors[-1:] == [
        "The table is not available, please try again. UpdateItem failed with ThrottlingException: "
        "ThrottlingException. Tenant tenant-1 is not done; the same command goes on where this one stopped."
    ]
    assert paused(world, known) == [True, False, False]
    assert admin("pause", TENANT, "--yes").ends_with == 0
    assert paused(world, known) == [True, True, True]


def test_a_pause_does_not_fight_with_somebody_who_resumes(
    world: World, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    installs(world, 3)
    ticks = count(0, tenants.SECONDS * 0.6)
    slow = replace(world.services, monotonic=lambda: next(ticks))
    monkeypatch.setattr(bootstrap, "services", lambda: slow)
    monkeypatch.setattr(tenants, "PAGE", 1)
    follow = tenants.follow_tenant

    def after_a_resume(services: Any, tenant: Any) -> Any:
        turn_tenant(world.services, TENANT, paused=False, by=ADMIN)
        return follow(services, tenant)

    monkeypatch.setattr("scheduling_admin.commands.tenants.follow_tenant", after_a_resume)
    told = admin("pause", TENANT, "--yes")
    assert told.ends_with == 1
    assert told.errors == [
        "The tenant was paused or resumed anew meanwhile. "
        "Tenant tenant-1 is not done; the same command goes on where this one stopped."
    ]
    assert not world.services.tenants.read(TENANT).paused


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
def test_what_stops_schedules_is_asked_about(
    world: World, admin: Admin, schedule: Schedule, words: list[str], question: str
) -> None:
    for answer in ("n\n", "\n", ""):
        told = admin(*words, answer=answer)
        assert told.ends_with == 4
        assert told.result.stderr.startswith(question.rstrip())
        assert told.errors[-1].endswith("Nothing was done.")
    assert schedule.id in world.timers()
    asked = admin(*words, "--json")
    assert (asked.ends_with, asked.errors) == (2, ["With --json nothing is asked: add --yes to go ahead."])
    assert asked.lines == []
    assert schedule.id in world.timers()
    assert admin(*words, answer="y\n").ends_with == 0
    assert (schedule.id in world.timers()) is ("nobody" in words)


def test_an_install_is_disabled_and_enabled(world: World, admin: Admin, schedule: Schedule) -> None:
    told = admin("disable", ONE, "--yes")
    assert (told.ends_with, told.errors) == (0, [])
    assert told.lines == ["Install install-1 is disabled: its schedules fire no more."]
    assert schedule.id not in world.timers()
    assert admin("disable", ONE).lines == ["Install install-1 was disabled already."]
    assert admin("enable", ONE).lines == [
        "Install install-1 is enabled: those of its schedules that are enabled fire again."
    ]
    assert schedule.id in world.timers()
    assert admin("enable", ONE).lines == ["Install install-1 was enabled already."]


def test_an_install_of_a_paused_tenant_stays_still(world: World, admin: Admin, schedule: Schedule) -> None:
    admin("disable", ONE, "--yes")
    admin("pause", TENANT, "--yes")
    told = admin("enable", ONE, "--json")
    assert (told.document["enabled"], told.document["paused"], told.document["changed"]) == (True, True, True)
    assert schedule.id not in world.timers()
    admin("disable", ONE, "--yes")
    assert admin("enable", ONE).lines == [
        "Install install-1 is enabled, but its tenant is paused: its schedules do not fire yet."
    ]


def test_timers_that_do_not_follow_are_told(world: World, admin: Admin, schedule: Schedule) -> None:
    def throttle(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            raise refused("ThrottlingException", "DeleteSchedule")

    world.calls.before = throttle
    told = admin("disable", ONE, "--yes")
    world.calls.before = None
    assert told.ends_with == 1
    assert told.lines == [
        "Install install-1 is disabled: its schedules fire no more.",
        "Some timers have not followed yet; the same again, or the reconciler, finishes it.",
    ]
    assert [line.partition(schedule.id)[0] for line in told.errors] == [
        "schedule ",
        "schedules of install install-1 are left to the reconciler: 1 timers of the install are not changed yet; "
        "they follow shortly",
    ]
    again = admin("disable", ONE, "--json", "--yes")
    assert (again.ends_with, again.document["changed"], again.document["complete"]) == (0, False, True)
    assert schedule.id not in world.timers()


@pytest.mark.parametrize("command", ["disable", "enable"])
def test_an_install_that_is_not_there_ends_with_3(admin: Admin, command: str) -> None:
    told = admin(command, "nope")
    assert (told.ends_with, told.errors, told.lines) == (3, ["Install not found."], [])


# run


class Executed:
    """Lets a run by hand be executed while the command waits, one attempt at each look."""

    def __init__(self, world: World, outcomes: Sequence[Outcome]) -> None:
        self.world = world
        self.outcomes = list(outcomes)

    def sleep(self, seconds: float) -> None:
        self.world.services.sleep(seconds)
        events = self.world.handed_over()
        if events and self.outcomes:
            self.world.runner.outcome = self.outcomes.pop(0)
            try:
                execute(self.world.services, self.world.runner, fire_of(events[-1]))
            except RunFailed:
                return


def following(world: World, monkeypatch: pytest.MonkeyPatch, *outcomes: Outcome) -> None:
    services = replace(world.services, sleep=Executed(world, outcomes).sleep)
    monkeypatch.setattr(bootstrap, "services", lambda: services)


SUCCESS = Outcome(status=RunStatus.SUCCESS, http_status=200)
FAILED = Outcome(status=RunStatus.ERROR, http_status=503, error="The extension answered 503", retryable=True)
REFUSED = Outcome(status=RunStatus.ERROR, http_status=422, error="The extension answered 422")


def test_a_schedule_is_run_now(world: World, admin: Admin, schedule: Schedule) -> None:
    told = admin("run", ONE, schedule.id)
    assert (told.ends_with, told.errors) == (0, [])
    assert told.lines == [
        "Handed over, as 2026-11-23T09:00:00.000Z. What comes of it: --wait, or the history of `schedule`."
    ]
    assert world.handed_over() == [
        {
            "installId": ONE,
            "scheduleId": schedule.id,
            "revision": 1,
            "scheduledTime": "2026-11-23T09:00:00.000Z",
            "trigger": "manual",
        }
    ]


def test_the_same_key_is_the_same_run(world: World, admin: Admin, schedule: Schedule) -> None:
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
    ("outcomes", "ends_with", "status", "attempt"),
    [
        ([SUCCESS], 0, "success", 1),
        ([FAILED, FAILED, SUCCESS], 0, "success", 3),
        ([FAILED, FAILED, FAILED], 1, "error", 3),
        ([REFUSED, SUCCESS], 1, "error", 1),
    ],
    ids=["at once", "at the third attempt", "never", "the extension's own answer"],
)
def test_a_run_is_followed_to_its_end(
    world: World,
    admin: Admin,
    schedule: Schedule,
    monkeypatch: pytest.MonkeyPatch,
    outcomes: list[Outcome],
    ends_with: int,
    status: str,
    attempt: int,
) -> None:
    following(world, monkeypatch, *outcomes)
    told = admin("run", ONE, schedule.id, "--wait", "--json")
    assert told.ends_with == ends_with
    run = told.document["run"]
    assert (run["status"], run["attempt"], run["trigger"]) == (status, attempt, "manual")


def test_a_run_is_shown_when_it_has_ended(
    world: World, admin: Admin, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    following(world, monkeypatch, SUCCESS)
    told = admin("run", ONE, schedule.id, "--wait")
    assert told.ends_with == 0
    assert told.lines[0].split() == [
        "Scheduled", "time", "Status", "Attempt", "Began", "Took", "HTTP", "Error",
    ]  # fmt: skip
    assert told.lines[2].startswith("2026-11-23T09:00:00.000Z   success   1")


@pytest.mark.parametrize(
    ("outcomes", "lines"),
    [
        ([], ["The run 2026-11-23T09:00:00.000Z has not begun yet; `explain` tells more."]),
        ([FAILED], ["It has not ended yet; the history of `schedule` tells more."]),
    ],
    ids=["not begun", "not ended"],
)
def test_a_run_that_takes_too_long_is_left(
    world: World,
    admin: Admin,
    schedule: Schedule,
    monkeypatch: pytest.MonkeyPatch,
    outcomes: list[Outcome],
    lines: list[str],
) -> None:
    following(world, monkeypatch, *outcomes)
    told = admin("run", ONE, schedule.id, "--wait", "--timeout", "20")
    assert (told.ends_with, told.lines[-1:]) == (1, lines)


def test_a_run_that_meets_another_is_told_as_skipped(
    world: World, admin: Admin, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    following(world, monkeypatch, SUCCESS)
    told = admin("run", ONE, schedule.id, "--json").document
    fire = fire_of(world.handed_over()[0])
    claimed = Run(
        scheduled_time=told["scheduledTime"],
        status=RunStatus.RUNNING,
        attempt=1,
        started_at=world.clock[0],
        lease_until=world.clock[0].replace(minute=50),
    )
    world.services.runs.claim(fire, world.services.runs.read(fire), claimed)
    world.advance(seconds=5)
    second = admin("run", ONE, schedule.id, "--wait", "--json")
    assert (second.ends_with, second.document["run"]["status"]) == (1, "skipped")


def test_what_would_not_run_is_refused(admin: Admin, schedule: Schedule) -> None:
    admin("pause", TENANT, "--yes")
    told = admin("run", ONE, schedule.id, "--wait", "--json")
    assert (told.ends_with, told.errors, told.lines) == (4, ["Refused: The tenant is paused."], [])


def test_a_hand_over_that_is_not_certain_names_its_key(
    world: World, admin: Admin, schedule: Schedule
) -> None:
    def deny(call: Call) -> None:
        if call.operation == "Invoke":
            raise refused("AccessDeniedException", "Invoke")

    world.calls.before = deny
    told = admin("run", ONE, schedule.id, "--idempotency-key", "key")
    world.calls.before = None
    assert told.ends_with == 5
    assert told.errors == [
        "The run could not be confirmed; it may still start. AWS does not allow Invoke with these credentials: "
        "AccessDeniedException. docs/operations.md lists what an operator needs to be allowed. "
        "To make sure of this very run: --idempotency-key key"
    ]


@pytest.mark.parametrize("key", ["", "k" * 65])
def test_a_key_has_its_form(admin: Admin, schedule: Schedule, key: str) -> None:
    told = admin("run", ONE, schedule.id, "--idempotency-key", key, "--json")
    assert (told.ends_with, told.errors) == (2, ["--idempotency-key must have 1 to 64 characters."])
