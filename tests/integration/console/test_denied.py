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
        ("/nowhere", 404, "There is no such page."),
    ],
)
def test_a_wrong_address_is_explained(
    console: ConsoleClient, schedule: Schedule, path: str, status: int, text: str
) -> None:
    response = console.get(path.replace("{}", schedule.id))
    assert response.status_code == status
    assert text in strip_markup(response.text)
