"""What `installs` and `schedules` say about what fires and fails, in a terminal of 80 columns."""

from datetime import timedelta
from io import BytesIO, TextIOWrapper

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.schedules.create import create_schedule

from scheduling_admin.output.report import create_console
from scheduling_admin.output.tables import Listing
from tests.integration.maintenance.test_sweep import alter_timer
from tests.support.stacks.admin_cli import AdminCli, CommandResult, build_fire_at, execute_at
from tests.support.stacks.fires import execute_fire
from tests.support.stacks.world import ADMIN, World, create_input

ONE = InstallId("b0bc9dbe-8fe3-53cc-8ec9-09c1803bf4e3")
TWO, EMPTY = InstallId("install-2"), InstallId("install-3")
LINE = "─" * 80
FAILURE = {
    "status": RunStatus.ERROR,
    "http_status": 404,
    "error": "The extension answered 404: no such thing",
}
NO_CAPACITY = Outcome(status=RunStatus.WAITING, error="The runner has no capacity", retryable=True)

Stack = dict[str, Schedule]


@pytest.fixture
def stack(world: World) -> Stack:
    """Schedules of an install that succeed, fail, wait, are disabled and have lost their timer, and a paused tenant."""
    world.register_install(ONE)
    schedules = {
        "hourly": create_schedule(world.services, ONE, create_input(name="hourly", timezone="Europe/Berlin")),
        "rare": create_schedule(world.services, ONE, create_input(cron="30 2 1-7,15 JAN-MAR *")),
        "off": create_schedule(world.services, ONE, create_input(name="off", enabled=False)),
        "gone": create_schedule(world.services, ONE, create_input(name="gone")),
        "failing": create_schedule(world.services, ONE, create_input(name="failing")),
    }
    execute_at(world, schedules["hourly"], 10)
    execute_at(world, schedules["failing"], 11, **FAILURE)
    execute_at(world, schedules["failing"], 12, **FAILURE)
    world.services.timers.delete_timer(schedules["gone"].id)
    world.register_install(TWO, tenantId="tenant-2")
    schedules["other"] = create_schedule(world.services, TWO, create_input(name="hourly"))
    set_tenant_paused(world.services, "tenant-2", paused=True, actor=ADMIN)
    world.register_install(EMPTY)
    return schedules


def at_80_columns(admin: AdminCli, *words: str) -> CommandResult:
    result = admin(*words, env={"COLUMNS": "80"})
    assert result.errors == []
    assert all(len(line) <= 80 for line in result.lines)
    return result


def end(schedule: Schedule) -> str:
    return schedule.id[-8:]


def test_a_schedule_fires_only_where_its_timer_does(admin: AdminCli, stack: Stack) -> None:
    result = at_80_columns(admin, "schedules", "--install", ONE)
    assert result.lines == [
        "Install 00000000-0000-4000-8000-000000000001 of tenant tenant-1, sample 1.0.0",
        "Schedule         Rule                    Fires              Last run, next fire",
        LINE,
        "hourly           0 * * * *               yes                success",
        f"{end(stack['hourly'])}         Europe/Berlin                              2026-11-23T10:00:00Z",
        "POST /api/sync                                              next",
        "                                                            2026-11-23T13:00:00Z",
        "",
        f"{end(stack['rare'])}         30 2 1-7,15 JAN-MAR *   yes                next",
        "POST /api/sync   UTC                                        2027-01-01T02:30:00Z",
        "",
        "off              0 * * * *               no                 -",
        f"{end(stack['off'])}         UTC                     the schedule is",
        "POST /api/sync                           disabled",
        "",
        "gone             0 * * * *               no                 -",
        f"{end(stack['gone'])}         UTC                     EventBridge has",
        "POST /api/sync                           no timer for it",
        "",
        "failing          0 * * * *               yes                error, 2 in a row",
        f"{end(stack['failing'])}         UTC                                        2026-11-23T12:00:00Z",
        "POST /api/sync                                              since",
        "                                                            2026-11-23T11:00:00Z",
        "                                                            next",
        "                                                            2026-11-23T13:00:00Z",
    ]


def test_an_install_fires_only_where_its_schedules_do(admin: AdminCli, stack: Stack) -> None:
    del stack
    lines = at_80_columns(admin, "installs").lines
    assert lines[:2] == [
        "Install, tenant                        Extension      Fires            Schedules",
        LINE,
    ]
    blocks = {block.split()[0]: block for block in "\n".join(lines[2:]).split("\n\n")}
    assert blocks == {
        "00000000-0000-4000-8000-000000000001": (
            "00000000-0000-4000-8000-000000000001   sample 1.0.0   3 of 4           5\n"
            "tenant-1                                              EventBridge\n"
            "                                                      has no timer\n"
            "                                                      for it"
        ),
        "install-2": (
            "install-2                              sample 1.0.0   no               1\n"
            "tenant-2                                              the tenant is\n"
            "                                                      paused"
        ),
        "install-3": (
            "install-3                              sample 1.0.0   no               0\n"
            "tenant-1                                              it has no\n"
            "                                                      schedules"
        ),
    }


@pytest.mark.parametrize(
    "scope", [["--install", ONE], ["--tenant", "tenant-1"], []], ids=["install", "tenant", "all"]
)
def test_failing_schedules_are_listed_with_their_errors(
    admin: AdminCli, stack: Stack, scope: list[str]
) -> None:
    assert at_80_columns(admin, "schedules", "--failing", *scope).lines == [
        "Install 00000000-0000-4000-8000-000000000001 of tenant tenant-1, sample 1.0.0",
        "Schedule         Rule        Last error             Fires   Last run, next fire",
        LINE,
        "failing          0 * * * *   The extension          yes     error, 2 in a row",
        f"{end(stack['failing'])}         UTC         answered 404: no               2026-11-23T12:00:00Z",
        "POST /api/sync               such thing                     since",
        "                                                            2026-11-23T11:00:00Z",
        "                                                            next",
        "                                                            2026-11-23T13:00:00Z",
    ]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--not-firing", "--install", ONE], ["off", "gone"]),
        (["--not-firing", "--tenant", "tenant-2"], ["other"]),
        (["--paused"], ["other"]),
        (["--paused", "--tenant", "tenant-1"], []),
        (["--failing", "--not-firing"], []),
        (["--failing", "--limit", "1", "--install", ONE], ["failing"]),
    ],
    ids=" ".join,
)
def test_schedules_are_filtered(admin: AdminCli, stack: Stack, words: list[str], names: list[str]) -> None:
    listed = admin("schedules", *words, "--json").document["schedules"]
    assert [each["id"] for each in listed] == [stack[name].id for name in names]


@pytest.mark.parametrize(
    ("words", "install_ids"),
    [
        (["--failing"], [ONE]),
        (["--not-firing"], [ONE, TWO, EMPTY]),
        (["--paused"], [TWO]),
        (["--paused", "--tenant", "tenant-1"], []),
    ],
    ids=" ".join,
)
def test_installs_are_filtered(
    admin: AdminCli, stack: Stack, words: list[str], install_ids: list[InstallId]
) -> None:
    del stack
    listed = admin("installs", *words, "--json").document["installs"]
    assert {each["installId"] for each in listed} == set(install_ids)


def test_a_pending_schedule_of_any_tenant_is_not_firing(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    created = create_schedule(world.services, ONE, create_input())
    world.services.schedules.replace_schedule(created, created.marked_pending(world.clock[0]))
    world.services.timers.delete_timer(created.id)
    world.advance(minutes=5)
    result = at_80_columns(admin, "schedules", "--not-firing")
    assert result.lines == [
        "Install 00000000-0000-4000-8000-000000000001 of tenant tenant-1, sample 1.0.0",
        "Schedule         Rule        Fires                           Last run, next fire",
        LINE,
        f"{end(created)}         0 * * * *   no                              -",
        "POST /api/sync   UTC         its timer does not exist yet:",
        "                             EventBridge has not confirmed",
        "                             the latest change",
        "",
        "Timers that others have changed or deleted are found and repaired by the sweep",
        "alone. There was none yet: scheduling-admin reconcile --sweep",
        "What somebody has stopped is not listed: `status` has it.",
    ]
    reconcile(world.services)
    sweep(world.services, timedelta(0))  # plans the first one
    sweep(world.services, timedelta(0))
    world.advance(hours=3)
    assert at_80_columns(admin, "schedules", "--not-firing").lines == [
        "There are no such schedules.",
        "",
        "Timers that others have changed or deleted are found and repaired by the sweep",
        "alone. The last one began 3 h ago, at 2026-11-23T09:05:00Z, and has ended. It",
        "repaired: nothing.",
        "What somebody has stopped is not listed: `status` has it.",
    ]


def test_what_the_sweep_has_found_is_told_apart_from_what_does_not_fire_now(
    world: World, admin: AdminCli, stack: Stack
) -> None:
    world.clock[0] = world.clock[0].replace(hour=12, minute=5)
    admin("reconcile", "--sweep")
    world.advance(hours=1)
    alter_timer(stack["hourly"], ScheduleExpression="cron(0 3 1 1 ? *)")
    admin("reconcile", "--sweep")
    world.services.timers.delete_timer(stack["hourly"].id)
    world.advance(hours=3)
    result = at_80_columns(admin, "schedules", "--not-firing")
    assert result.lines == [
        "Install 00000000-0000-4000-8000-000000000001 of tenant tenant-1, sample 1.0.0",
        "Schedule         Rule            Fires                      Last run, next fire",
        LINE,
        "hourly           0 * * * *       no                         success",
        f"{end(stack['hourly'])}         Europe/Berlin   EventBridge has no timer   2026-11-23T10:00:00Z",
        "POST /api/sync                   for it",
        "",
        "The sweep has found these timers changed or deleted, and repaired them:",
        "",
        "Install 00000000-0000-4000-8000-000000000001 of tenant tenant-1, sample 1.0.0",
        "Schedule         Found                  Timer then              Fires now",
        LINE,
        "hourly           2026-11-23T13:05:00Z   cron(0 3 1 1 ? *)       no",
        f"{end(stack['hourly'])}         3 h ago                not cron(0 * * * ? *)   EventBridge has",
        "POST /api/sync                                                  no timer for it",
        "",
        "gone             2026-11-23T12:05:00Z   no timer                yes",
        f"{end(stack['gone'])}         4 h ago",
        "POST /api/sync",
        "",
        "Timers that others have changed or deleted are found and repaired by the sweep",
        "alone. The last one began 3 h ago, at 2026-11-23T13:05:00Z, and has ended. It",
        "repaired: 1 x different timer.",
        "What somebody has stopped is not listed: `status` has it.",
    ]
    document = admin("schedules", "--not-firing", "--json").document
    assert [each["id"] for each in document["schedules"]] == [stack["hourly"].id]
    assert [(each["name"], each["fires"], each["blockers"]) for each in document["finds"]] == [
        ("hourly", False, ["EventBridge has no timer for it"]),
        ("gone", True, []),
    ]


def test_a_schedule_waits_as_long_as_an_occurrence_does(world: World, admin: AdminCli, stack: Stack) -> None:
    world.runner.outcome = NO_CAPACITY
    fire = build_fire_at(world, stack["hourly"], 14)
    execute_fire(world.services, world.runner, fire)
    (row,) = admin("schedules", "--failing", "--install", ONE, "--json").document["schedules"][:1]
    assert (row["id"], row["failing"], row["waiting"], row["unhealthySince"]) == (
        stack["hourly"].id,
        False,
        True,
        "2026-11-23T14:00:00.000Z",
    )
    lines = at_80_columns(admin, "schedules", "--install", ONE).lines
    assert [line[60:] for line in lines[3:9]] == [
        "success",
        "2026-11-23T10:00:00Z",
        "an occurrence waits",
        "since",
        "2026-11-23T14:00:00Z",
        "next",
    ]


@pytest.mark.parametrize("length", [8, 12, 36])
def test_a_schedule_is_named_by_the_end_of_its_id(admin: AdminCli, stack: Stack, length: int) -> None:
    text = stack["rare"].id[-length:]
    assert admin("schedule", ONE, text, "--json").document["schedule"]["id"] == stack["rare"].id


def test_an_ambiguous_end_of_an_id_is_rejected(admin: AdminCli, stack: Stack) -> None:
    matching = [stack[name].id for name in ("hourly", "rare", "off", "gone", "failing")]
    result = admin("schedule", ONE, "", "--json")
    assert (result.exit_status, result.errors) == (
        3,
        [
            f"Install {ONE} has several schedules whose id ends with '', or with that name: "
            f"{', '.join(matching)}."
        ],
    )


def test_timers_are_read_for_the_page_alone(world: World, admin: AdminCli, stack: Stack) -> None:
    del stack
    world.calls.recorded.clear()
    admin("schedules", "--install", ONE, "--limit", "2")
    assert world.calls.operation_names().count("GetSchedule") == 2


@pytest.mark.parametrize(
    "words", [["--json", "schedules"], ["--stack-name", "extension-scheduler", "schedules", "--json"]]
)
def test_common_options_may_precede_the_command(admin: AdminCli, stack: Stack, words: list[str]) -> None:
    assert len(admin(*words, "--install", ONE).document["schedules"]) == len(stack) - 1


def test_a_later_option_overrides_an_earlier_one(admin: AdminCli) -> None:
    assert admin("--stack-name", "other", "installs", "--stack-name", "extension-scheduler").exit_status == 0
    assert admin("--stack-name", "other", "installs").exit_status == 3


def test_an_ascii_terminal_gets_ascii(world: World, admin: AdminCli) -> None:
    world.register_install(TWO)
    create_schedule(world.services, TWO, create_input(name="Ärger 日本"))
    stream = TextIOWrapper(BytesIO(), encoding="ascii")
    document = admin("schedules", "--install", TWO, "--json").document
    assert document["schedules"][0]["name"] == "Ärger 日本"
    console = create_console(stream)
    console.print(Listing(("Name", "Fires"), [("Ärger 日本", "yes")]))
    stream.flush()
    lines = stream.buffer.getvalue().decode("ascii").splitlines()
    assert [line.rstrip() for line in lines] == [
        "Name         Fires",
        "-" * 18,
        "\\xc4rger \\u65e5\\u672c   yes",
    ]
