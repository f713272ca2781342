"""The command `replay --wait`, and its groups."""

import pytest
from scheduling.domain.runs import Outcome, RunStatus
from scheduling.domain.schedule import Schedule

from tests.integration.admin.test_replay import send_dead_letters
from tests.support.stacks.admin_cli import AdminCli
from tests.support.stacks.fires import execute_while_waiting
from tests.support.stacks.world import World

TIMES = ("2026-11-23T06:00:00Z", "2026-11-23T07:00:00Z", "2026-11-23T08:00:00Z")
SUCCESS = Outcome(status=RunStatus.SUCCESS, http_status=200)
CLIENT_ERROR = Outcome(status=RunStatus.ERROR, http_status=422, error="The extension answered 422")


@pytest.mark.parametrize(
    ("outcomes", "outcome", "error"),
    [([CLIENT_ERROR], "error", "The extension answered 422"), ([], "not ended yet", "-")],
    ids=["failed again", "not delivered"],
)
def test_what_has_not_succeeded_is_reported(
    world: World,
    admin: AdminCli,
    schedule: Schedule,
    monkeypatch: pytest.MonkeyPatch,
    outcomes: list[Outcome],
    outcome: str,
    error: str,
) -> None:
    send_dead_letters(admin, schedule, *TIMES)
    execute_while_waiting(world, monkeypatch, *outcomes)

    result = admin("replay", "--yes", "--wait", "--timeout", "20")

    assert result.exit_status == 1
    header, _, first, last, *sentences = result.lines[-6:]
    assert header.split() == ["Count", "Schedule", "Install", "Scheduled", "time", "Outcome", "Error"]
    assert first.split() == ["3", schedule.id[-8:], "install-1", TIMES[0], *f"{outcome} {error}".split()]
    assert last.strip() == TIMES[2]
    assert sentences == ["", "0 of 3 replayed occurrences succeeded."]


def test_a_replay_whose_runs_succeed_exits_with_zero(
    world: World, admin: AdminCli, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_dead_letters(admin, schedule, TIMES[0])
    execute_while_waiting(world, monkeypatch, SUCCESS)

    result = admin("replay", "--yes", "--wait", "--json")

    assert result.exit_status == 0
    assert result.document["outcomes"] == [
        {
            "installId": schedule.install_id,
            "scheduleId": schedule.id,
            "scheduledTime": TIMES[0],
            "status": "success",
            "error": None,
        }
    ]


def test_a_success_is_not_waited_for_again(
    world: World, admin: AdminCli, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        send_dead_letters(admin, schedule, TIMES[0])
        execute_while_waiting(world, monkeypatch, SUCCESS)
        result = admin("replay", "--yes", "--wait")
        assert (result.exit_status, result.lines[-1]) == (0, "1 of 1 replayed occurrences succeeded.")
