"""The command `run`."""

import pytest
from scheduling.domain.fire_events import parse_fire_event
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Outcome, Run, RunStatus
from scheduling.domain.schedule import Schedule

from tests.support.stacks.admin_cli import AdminCli, failing_calls
from tests.support.stacks.fires import execute_while_waiting
from tests.support.stacks.world import TENANT, World

ONE = InstallId("install-1")


SUCCESS = Outcome(status=RunStatus.SUCCESS, http_status=200)
FAILED = Outcome(status=RunStatus.ERROR, http_status=503, error="The extension answered 503", retryable=True)
CLIENT_ERROR = Outcome(status=RunStatus.ERROR, http_status=422, error="The extension answered 422")


def test_a_schedule_is_run_now(world: World, admin: AdminCli, schedule: Schedule) -> None:
    result = admin("run", ONE, schedule.id)
    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines == [
        "Started as 2026-11-23T09:00:00.000Z. `schedule` shows the result in its history; --wait waits for it."
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
        "Scheduled", "time,", "result", "Started", "at,", "duration", "Error", "Request", "id",
    ]  # fmt: skip
    assert result.lines[2].split()[0] == "2026-11-23T09:00:00.000Z"
    assert result.lines[3].split()[:4] == ["success", "200,", "attempt", "1"]


@pytest.mark.parametrize(
    ("outcomes", "lines"),
    [
        ([], ["The run 2026-11-23T09:00:00.000Z has not started yet; see `explain`."]),
        ([FAILED], ["The run has not ended yet; see the history that `schedule` shows."]),
    ],
    ids=["not started", "not ended"],
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
    fire = parse_fire_event(world.list_executor_events()[0]).fire
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


def test_an_unconfirmed_message_names_its_idempotency_key(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    with failing_calls(world, "SendMessage"):
        result = admin("run", ONE, schedule.id, "--idempotency-key", "key")
    assert result.exit_status == 5
    assert result.errors == [
        "The run could not be confirmed; it may still start. AWS denies SendMessage with these credentials: "
        "AccessDeniedException. docs/operations.md lists the permissions that an operator needs. "
        "To retry this very run, use --idempotency-key key"
    ]


@pytest.mark.parametrize("key", ["", "k" * 65])
def test_an_invalid_idempotency_key_is_rejected(admin: AdminCli, schedule: Schedule, key: str) -> None:
    result = admin("run", ONE, schedule.id, "--idempotency-key", key, "--json")
    assert (result.exit_status, result.errors) == (2, ["--idempotency-key must have 1 to 64 characters."])
