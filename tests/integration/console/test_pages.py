"""What the pages of the console show."""

from scheduling.domain.runs import RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused

from tests.support.stacks.admin_cli import execute_at
from tests.support.stacks.console import ConsoleClient
from tests.support.stacks.fires import PlayedQueue
from tests.support.stacks.world import ADMIN, TENANT, World


def test_the_overview_lists_installs(console: ConsoleClient, schedule: Schedule) -> None:
    assert schedule.install_id in console.read("/")


def test_the_search_finds_a_schedule_by_its_name(console: ConsoleClient, schedule: Schedule) -> None:
    assert schedule.id in console.get("/", q="hour").text
    assert "1 of 1 schedules" in console.read("/", q="hour")
    assert "No schedule matches." in console.read("/", q="daily")


def test_an_install_has_a_lane_for_each_schedule(
    world: World, console: ConsoleClient, schedule: Schedule
) -> None:
    execute_at(world, schedule, 10)
    execute_at(world, schedule, 11, status=RunStatus.ERROR, http_status=422, error="Refused by the extension")
    page = console.get(f"/installs/{schedule.install_id}").text
    path = f"/installs/{schedule.install_id}/schedules/{schedule.id}/lane"
    assert f'hx-get="{path}"' in page
    lane = console.get(path).text
    assert lane.count('class="mark success"') == 1
    assert lane.count('class="mark error"') == 1
    assert "Refused by the extension" in lane


def test_an_occurrence_is_explained(world: World, console: ConsoleClient, schedule: Schedule) -> None:
    execute_at(world, schedule, 10)
    path = f"/installs/{schedule.install_id}/schedules/{schedule.id}/at/2026-11-23T10:00:00Z"
    assert "It succeeded at attempt 1." in console.read(path)


def test_a_page_that_waits_for_a_run_reads_only_that_until_it_changes(
    world: World, console: ConsoleClient, schedule: Schedule
) -> None:
    target = {"install": schedule.install_id, "schedule": schedule.id, "key": "form-1"}
    path, _, _ = console.post("/actions/run", **target).headers["location"].partition("?")
    page = console.get(path, live="1").text
    polled = f"{path}?part=1&amp;live=1&amp;state=none"
    assert polled in page
    reads = len(world.calls.recorded)
    assert console.get(path, part="1", live="1", state="none").status_code == 204
    operations = [call.operation for call in world.calls.recorded[reads:]]
    assert operations == ["BatchGetItem", "BatchGetItem"]
    PlayedQueue(world).deliver_for(minutes=1)
    response = console.get(path, part="1", live="1", state="none")
    assert 'data-verdict="succeeded"' in response.text
    assert "hx-get" not in response.text


def test_the_health_is_one_line_that_opens(console: ConsoleClient) -> None:
    part, page = console.get("/status", part="1").text, console.get("/status").text
    assert "<details><summary" in part
    assert "<details open><summary" in page
    assert '<p class="health-line">' in console.get("/").text


def test_the_health_names_what_is_stopped(world: World, console: ConsoleClient, schedule: Schedule) -> None:
    set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)
    set_install_enabled(world.services, schedule.install_id, enabled=False, actor=ADMIN)
    text = console.read("/status")
    assert f"Tenant paused: {TENANT} since" in text
    assert f"Install disabled: {schedule.install_id} since" in text
