"""The actions of the console: the operations of the commands, with the operator as the actor."""

from urllib.parse import urlencode

import pytest
from scheduling.domain.schedule import Schedule

from tests.support.stacks.admin_cli import CALLER, AdminCli
from tests.support.stacks.console import ConsoleClient, strip_markup
from tests.support.stacks.world import TENANT, World


def test_a_form_that_is_sent_twice_is_one_run(
    world: World, console: ConsoleClient, schedule: Schedule
) -> None:
    fields = {"install": schedule.install_id, "schedule": schedule.id, "key": "form-1"}
    first, second = console.post("/actions/run", **fields), console.post("/actions/run", **fields)
    assert first.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    events = [each for each in world.list_executor_events() if each.get("trigger") == "manual"]
    assert {each["scheduledTime"] for each in events} == {"2026-11-23T09:00:00.000Z"}


@pytest.mark.parametrize("enabled", [False, True])
def test_the_operator_is_the_actor_of_a_change(
    world: World, console: ConsoleClient, schedule: Schedule, enabled: bool
) -> None:
    action = "enable-schedule" if enabled else "disable-schedule"
    assert (
        console.post(f"/actions/{action}", install=schedule.install_id, schedule=schedule.id).status_code
        == 303
    )
    changed = world.services.schedules.read_snapshot(schedule.install_id, schedule.id).schedule
    assert changed
    assert (changed.definition.enabled, changed.changed_by) == (enabled, CALLER)


def test_an_edit_of_an_older_revision_is_refused(
    world: World, console: ConsoleClient, schedule: Schedule
) -> None:
    fields = {"install": schedule.install_id, "schedule": schedule.id, "revision": "1"}
    assert console.post("/actions/edit", **fields, cron="30 * * * *").status_code == 303
    response = console.post("/actions/edit", **fields, cron="45 * * * *")
    assert response.status_code == 409
    assert "Refused: " in strip_markup(response.text)
    changed = world.services.schedules.read_snapshot(schedule.install_id, schedule.id).schedule
    assert changed
    assert changed.definition.cron == "30 * * * *"


@pytest.fixture
def dead_letters(admin: AdminCli, schedule: Schedule) -> list[str]:
    """Dead letters of three occurrences; their times."""
    times = [f"2026-11-23T{hour:02}:00:00Z" for hour in (6, 7, 8)]
    for time in times:
        event = {
            "installId": schedule.install_id, "scheduleId": schedule.id, "revision": 1, "scheduledTime": time,
        }  # fmt: skip
        admin.send_dead_letter(event, ERROR_MESSAGE=f"{HOSTILE} at {time}")
    return times


HOSTILE = "<script>alert(1)</script>"


def test_the_replay_of_an_occurrence_is_confirmed_and_done_for_it_alone(
    world: World, admin: AdminCli, console: ConsoleClient, schedule: Schedule, dead_letters: list[str]
) -> None:
    target = {"install": schedule.install_id, "schedule": schedule.id, "occurrence": dead_letters[1]}
    page = console.get(f"/installs/{schedule.install_id}/schedules/{schedule.id}/at/{dead_letters[1]}").text
    assert urlencode({"occurrence": dead_letters[1]}) in page
    confirmation = console.get("/actions/replay", **target).text
    text = strip_markup(confirmation)
    assert f"Replay the occurrence {dead_letters[1]} of hourly?" in text
    assert "It runs once more, even if its attempts are used up" in text
    assert f"scheduling-admin replay --schedule {schedule.id} --occurrence {dead_letters[1]}" in text
    assert (confirmation.count("&lt;script&gt;"), "<script>alert" in confirmation) == (1, False)
    response = console.post("/actions/replay", **target)
    assert response.status_code == 303
    assert response.headers["location"].endswith(f"/at/{dead_letters[1]}?live=replay")
    assert [event["scheduledTime"] for event in world.list_executor_events()] == [dead_letters[1]]
    assert len(admin.receive_dead_letters()) == 2


def test_a_replay_that_another_tab_has_made_is_not_made_again(
    world: World, console: ConsoleClient, schedule: Schedule, dead_letters: list[str]
) -> None:
    target = {"install": schedule.install_id, "schedule": schedule.id, "occurrence": dead_letters[0]}
    assert console.post("/actions/replay", **target).status_code == 303
    response = console.post("/actions/replay", **target)
    assert (response.status_code, len(world.list_executor_events())) == (200, 1)
    assert "There is no dead letter of it any more: nothing was replayed." in strip_markup(response.text)
    confirmation = console.get("/actions/replay", **target).text
    assert "There is no dead letter of it: there is nothing to replay." in strip_markup(confirmation)
    assert "<button" not in confirmation


@pytest.mark.parametrize("subject", ["schedule", "install"])
def test_a_replay_of_several_lists_what_will_run(
    world: World, console: ConsoleClient, schedule: Schedule, dead_letters: list[str], subject: str
) -> None:
    target = {"install": str(schedule.install_id)} | (
        {"schedule": str(schedule.id)} if subject == "schedule" else {}
    )
    text = console.read("/actions/replay", **target)
    assert "3 occurrences run once more" in text
    assert all(time in text for time in dead_letters)
    response = console.post("/actions/replay", **target)
    assert "3 occurrences were sent to the queue again." in strip_markup(response.text)
    assert len(world.list_executor_events()) == 3


def test_a_replay_of_a_schedule_that_is_off_says_that_it_would_be_skipped(
    console: ConsoleClient, schedule: Schedule, dead_letters: list[str]
) -> None:
    target = {"install": schedule.install_id, "schedule": schedule.id}
    console.post("/actions/disable-schedule", **target)
    text = console.read("/actions/replay", **target, occurrence=dead_letters[0])
    assert "At present the schedule does not fire, so that it would be skipped: enable it first." in text


@pytest.mark.parametrize("action", ["run", "disable-schedule", "enable-schedule", "delete", "edit", "replay"])
def test_an_action_on_a_deleted_schedule_says_that_it_is_gone(
    console: ConsoleClient, schedule: Schedule, action: str
) -> None:
    target = {"install": schedule.install_id, "schedule": schedule.id}
    assert console.post("/actions/delete", **target).status_code == 200
    confirmation, response = (send(f"/actions/{action}", **target) for send in (console.get, console.post))
    assert (confirmation.status_code, schedule.id in strip_markup(confirmation.text)) == (404, True)
    assert response.status_code == (200 if action == "replay" else 404)


def test_a_confirmation_changes_nothing(world: World, console: ConsoleClient, schedule: Schedule) -> None:
    target = {"install": schedule.install_id, "schedule": schedule.id}
    before = world.services.schedules.read_snapshot(schedule.install_id, schedule.id)
    for action in ("run", "replay", "disable-schedule", "enable-schedule", "delete", "disable", "enable"):
        assert console.get(f"/actions/{action}", **target).status_code == 200
    for action in ("pause", "resume"):
        assert console.get(f"/actions/{action}", tenant=TENANT).status_code == 200
    assert world.services.schedules.read_snapshot(schedule.install_id, schedule.id) == before
    assert world.list_executor_events() == []
