"""The actions of the console: the operations of the commands, with the operator as the actor."""

import pytest
from scheduling.domain.schedule import Schedule

from tests.support.stacks.admin_cli import CALLER
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


def test_a_confirmation_changes_nothing(world: World, console: ConsoleClient, schedule: Schedule) -> None:
    target = {"install": schedule.install_id, "schedule": schedule.id}
    before = world.services.schedules.read_snapshot(schedule.install_id, schedule.id)
    for action in ("run", "replay", "disable-schedule", "enable-schedule", "delete", "disable", "enable"):
        assert console.get(f"/actions/{action}", **target).status_code == 200
    for action in ("pause", "resume"):
        assert console.get(f"/actions/{action}", tenant=TENANT).status_code == 200
    assert world.services.schedules.read_snapshot(schedule.install_id, schedule.id) == before
    assert world.list_executor_events() == []
