"""A console whose operator lacks permissions, and pages of what is not there: they say so, and never answer 500."""

import pytest
from scheduling.domain.schedule import Schedule

from tests.support.stacks.admin_cli import execute_at, failing_calls
from tests.support.stacks.console import ConsoleClient, strip_markup
from tests.support.stacks.world import World

DENIED = "AWS denies"


@pytest.mark.parametrize(
    ("operation", "page", "status"),
    [
        ("GetSchedule", "", 200),
        ("Query", "", 502),
        ("BatchGetItem", "", 502),
        ("ReceiveMessage", "/at/2026-11-23T07:00:00Z", 502),
    ],
)
def test_a_page_says_what_its_operator_may_not_read(
    world: World, console: ConsoleClient, schedule: Schedule, operation: str, page: str, status: int
) -> None:
    execute_at(world, schedule, 10)
    with failing_calls(world, operation):
        response = console.get(f"/installs/{schedule.install_id}/schedules/{schedule.id}{page}")
    assert response.status_code == status, strip_markup(response.text)
    assert DENIED in strip_markup(response.text)


@pytest.mark.parametrize(
    ("operation", "text"),
    [("Query", "AWS denies"), ("GetQueueAttributes", "AWS denies GetQueueAttributes")],
)
def test_the_overview_and_the_health_say_what_cannot_be_read(
    world: World, console: ConsoleClient, schedule: Schedule, operation: str, text: str
) -> None:
    assert schedule.install_id in console.read("/")
    with failing_calls(world, operation):
        overview, health = console.get("/"), console.get("/status")
    assert (overview.status_code, health.status_code) == (200, 200)
    assert text in strip_markup(health.text)
    assert (operation != "Query") or text in strip_markup(overview.text)


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/installs/unknown", 404, "Install not found"),
        ("/installs/-", 404, "Install not found"),
        ("/installs/install-1/schedules/unknown", 404, "Schedule not found"),
        ("/installs/install-1/schedules/{}/at/yesterday", 400, "yesterday is not a time such as"),
        ("/tenant?id=", 404, "This is not a tenant's id."),
        ("/tenant?id=tenant-1&cursor=x", 400, "is not of this list"),
        ("/actions/explode?tenant=tenant-1", 404, "There is no such action."),
        ("/actions/pause", 404, "There is no such action."),
        (
            "/actions/edit?install=install-1&schedule={}&cron=x&revision=" + "9" * 5000,
            404,
            "There is no such action.",
        ),
        ("/actions/replay?install=install-1&schedule={}&occurrence=x", 400, "x is not a time such as"),
        ("/nowhere", 404, "There is no such page."),
    ],
)
def test_a_wrong_address_is_explained(
    console: ConsoleClient, schedule: Schedule, path: str, status: int, text: str
) -> None:
    response = console.get(path.replace("{}", schedule.id))
    assert response.status_code == status
    assert text in strip_markup(response.text)


@pytest.mark.parametrize("page", ["9" * 5000, "0", "-1", "x", "99999999"])
def test_a_page_number_that_makes_no_sense_is_harmless(
    console: ConsoleClient, schedule: Schedule, page: str
) -> None:
    assert schedule.id
    assert console.get("/", q="hour", page=page).status_code == 200


@pytest.mark.parametrize("error", ["AccessDeniedException", "ProvisionedThroughputExceededException"])
def test_a_lane_that_cannot_be_read_says_why_in_its_row_and_tries_again(
    world: World, console: ConsoleClient, schedule: Schedule, error: str
) -> None:
    path = f"/installs/{schedule.install_id}/schedules/{schedule.id}/lane"
    with failing_calls(world, "Query", error):
        response = console.get(path)
    assert response.status_code == 200
    assert response.text.startswith('<p class="lane-error"')
    assert response.headers["hx-retarget"] == f"#lane-{schedule.id} .lane-body"
    assert "AWS denies" in response.text or error in response.text
    assert "<html" not in response.text


def test_a_failed_action_is_not_called_a_page_that_cannot_be_shown(
    world: World, console: ConsoleClient, schedule: Schedule
) -> None:
    target = {"install": schedule.install_id, "schedule": schedule.id}
    with failing_calls(world, "TransactWriteItems"):
        response = console.post("/actions/disable-schedule", **target)
    assert response.status_code == 502
    assert "This was not completed" in strip_markup(response.text)


def test_a_fault_of_the_console_is_a_page_without_traceback(
    console: ConsoleClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("scheduling_admin.console.routes.list_installs", fail)
    response = console.get("/")
    assert response.status_code == 500
    assert "This is a fault of the console." in strip_markup(response.text)
    assert "ZeroDivisionError" not in response.text
    assert response.headers["x-frame-options"] == "DENY"
