"""What an operator does: run now, pause, disable, edit, delete; each behind a confirmation."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect
from scheduling.domain.runs import format_manual_time

from tests.browser.conftest import Site, Visit, open_site, visiting
from tests.browser.reading_page import LAYOUT_SHIFT, find_schedule, lane_of, list_classes, open_install
from tests.browser.scene import NOW
from tests.support.stacks.fires import PlayedQueue


def test_run_now_shows_its_mark_and_its_outcome_as_it_happens(own_visit: Visit) -> None:
    world = own_visit.site.world
    schedule = find_schedule(own_visit.site, "Close the day")
    queue = PlayedQueue(world, len(world.list_sent_messages()))
    page = own_visit.open(f"/installs/{own_visit.site.install}/schedules/{schedule.id}")
    page.get_by_role("link", name="Run now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Run Close the day now?")
    assert world.list_executor_events()[queue.collected_count :] == []
    page.get_by_role("button", name="Run now").click()
    expect(page.locator(".occurrence")).to_have_attribute("data-verdict", "unknown")
    queue.deliver_until(world.clock[0] + timedelta(seconds=1))
    expect(page.locator(".occurrence")).to_have_attribute("data-verdict", "succeeded")
    open_install(own_visit)
    marks = list_classes(lane_of(page, "Close the day"))
    assert (format_manual_time(NOW), "success") in marks
    expect(lane_of(page, "Close the day").locator("a.mark .manual")).to_have_count(1)


def test_pause_says_what_will_happen_and_cancel_changes_nothing(own_visit: Visit) -> None:
    tenants = own_visit.site.world.services.tenants
    page = own_visit.open("/tenant?id=acme")
    page.get_by_role("link", name="Pause tenant").click()
    expect(page.get_by_text("None of its schedules fires")).to_be_visible()
    expect(page.get_by_text("Same as scheduling-admin pause acme")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    assert not tenants.read_tenant("acme").paused
    page.get_by_role("link", name="Pause tenant").click()
    page.get_by_role("button", name="Pause tenant").click()
    expect(
        page.get_by_text("Tenant acme (2 installs) is paused: its schedules no longer fire.")
    ).to_be_visible()
    assert tenants.read_tenant("acme").paused
    page.get_by_role("link", name="Continue").click()
    expect(page.locator(".lane.loading")).to_have_count(0)
    expect(lane_of(page, "Sync invoices").locator(".gap.paused")).to_have_count(1)
    expect(lane_of(page, "Sync invoices").locator("a.mark.upcoming")).to_have_count(0)
    page.get_by_role("link", name="Resume tenant").click()
    page.get_by_role("button", name="Resume tenant").click()
    assert not tenants.read_tenant("acme").paused


def test_an_install_and_a_schedule_are_disabled_and_enabled(own_visit: Visit) -> None:
    site = own_visit.site
    page = own_visit.open(f"/installs/{site.install}")
    page.get_by_role("link", name="Disable install").click()
    page.get_by_role("button", name="Disable install").click()
    expect(page.get_by_text("is disabled: its schedules no longer fire.")).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("link", name="Enable install").click()
    page.get_by_role("button", name="Enable install").click()
    schedule = find_schedule(site, "Sync invoices")
    page = own_visit.open(f"/installs/{site.install}/schedules/{schedule.id}")
    page.get_by_role("link", name="Disable", exact=True).click()
    page.get_by_role("button", name="Disable schedule").click()
    expect(page.get_by_text("It does not fire: the schedule is disabled.")).to_be_visible()
    assert not find_schedule(site, "Sync invoices").definition.enabled
    page.get_by_role("link", name="Enable", exact=True).click()
    page.get_by_role("button", name="Enable schedule").click()
    expect(page.get_by_role("link", name="Disable", exact=True)).to_be_visible()


def test_an_edit_is_previewed_before_it_is_made(own_visit: Visit) -> None:
    site = own_visit.site
    schedule = find_schedule(site, "Sync invoices")
    page = own_visit.open(f"/installs/{site.install}/schedules/{schedule.id}")
    page.get_by_label("Rule (five fields").fill("*/2 * * * *")
    expect(page.locator("#preview")).to_contain_text("Cron too frequent (minimum interval is 5 minutes)")
    expect(page.get_by_role("button", name="Save the change")).to_have_count(0)
    page.get_by_label("Rule (five fields").fill("30 2 * * *")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    expect(page.locator("#preview")).to_contain_text("Tue 24 Nov 02:30 CET")
    assert find_schedule(site, "Sync invoices").definition.cron == "0 * * * *"
    page.get_by_role("button", name="Save the change").click()
    expect(page.get_by_role("heading", name="At 02:30, Europe/Berlin")).to_be_visible()
    assert find_schedule(site, "Sync invoices").definition.cron == "30 2 * * *"


def test_a_schedule_is_deleted_after_a_confirmation(own_visit: Visit) -> None:
    site = own_visit.site
    schedule = find_schedule(site, "Sync invoices")
    page = own_visit.open(f"/installs/{site.install}/schedules/{schedule.id}")
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_text("This cannot be undone.")).to_be_visible()
    page.get_by_role("button", name="Delete schedule").click()
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_role("link", name="Send reminders")).to_be_visible()
    expect(page.get_by_role("link", name="Sync invoices")).to_have_count(0)


def test_one_occurrence_is_replayed_and_its_page_shows_the_new_attempt(own_visit: Visit) -> None:
    site = own_visit.site
    schedule = find_schedule(site, "Send reminders")
    fire = {"installId": site.install, "scheduleId": schedule.id, "revision": 1}
    for hour in ("05", "07"):
        site.admin.send_dead_letter(
            {**fire, "scheduledTime": f"2026-11-23T{hour}:15:00Z"}, ERROR_MESSAGE=f"Failed at {hour}"
        )
    queue = PlayedQueue(site.world, len(site.world.list_sent_messages()))
    page = own_visit.open(f"/installs/{site.install}")
    expect(page.locator(".lane.loading")).to_have_count(0)
    lane_of(page, "Send reminders").locator("a.mark.dead-letter").first.click()
    page.locator("#panel").get_by_role("link", name="Replay this occurrence").click()
    expect(page.locator(".confirm")).to_contain_text("Failed at 05")
    expect(page.locator(".confirm")).not_to_contain_text("Failed at 07")
    assert len(site.admin.receive_dead_letters()) == 2
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("It was sent to the queue again.")).to_be_visible()
    (remaining,) = site.admin.receive_dead_letters()
    assert "07:15" in remaining["Body"]
    queue.deliver_until(site.world.clock[0] + timedelta(seconds=1))
    expect(page.locator(".occurrence")).to_have_attribute("data-verdict", "succeeded")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_moves_when_much_is_wrong(
    own_site: Site, browser: Browser, width: int, request: pytest.FixtureRequest
) -> None:
    schedule = find_schedule(own_site, "Send reminders")
    for number in range(20):
        own_site.admin.send_dead_letter(
            {
                "installId": schedule.install_id,
                "scheduleId": schedule.id,
                "revision": 1,
                "scheduledTime": f"2026-11-23T05:{number:02}:00Z",
            },
            ERROR_MESSAGE=f"reason {number} " * 40,
        )
    context = own_site.open_context(browser, viewport={"width": width, "height": 844})
    with visiting(own_site, context, request.node.name) as visit:
        page = visit.open("/")
        summary = page.get_by_text("There are 20 dead letters.").first
        expect(summary).to_be_visible()
        assert page.evaluate(LAYOUT_SHIFT) < 0.01
        summary.click()
        expect(page.locator(".groups li")).to_have_count(20)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_read_only_console_offers_no_action(browser: Browser, request: pytest.FixtureRequest) -> None:
    with (
        open_site(read_only=True) as site,
        visiting(site, site.open_context(browser), request.node.name) as visit,
    ):
        page = visit.open(f"/installs/{visit.site.install}")
        expect(page.get_by_text("read-only", exact=True)).to_be_visible()
        expect(page.locator(".lane.loading")).to_have_count(0)
        page.locator("a.mark.error").first.click()
        expect(page.locator("#panel .summary")).to_be_visible()
        expect(page.locator("[href*='/actions/'], form[method=post]")).to_have_count(0)
