"""What an operator reads: overview, search, timelines, explanations."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from scheduling.domain.runs import Run, RunStatus
from scheduling.domain.schedule import Schedule

from tests.browser.conftest import Site, Visit, visiting
from tests.browser.scene import HOSTILE_NAME, NOW
from tests.support.stacks.fires import list_history

CONTRAST = """
(selector) => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const luminance = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const background = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color.length === 3 || color[3] > 0.99) return color;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll(selector)].filter((node) => node.offsetParent).map((node) => {
    const [one, two] = [parse(getComputedStyle(node).color), background(node)].map(luminance).sort();
    return [node.textContent.trim().slice(0, 30), (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05)];
  });
}
"""
TEXTS = "h1, h2, p, a, li, td, th, dt, dd, summary, label, .chip, .lane-rule, .muted, .button"
UNLABELLED = """
() => [...document.querySelectorAll("input:not([type=hidden]), button, a, img, svg[role], nav, section")]
  .filter((node) => !(node.getAttribute("aria-label") || node.getAttribute("title") || node.textContent.trim()
    || node.closest("label") || node.hasAttribute("alt") || node.getAttribute("aria-hidden")))
  .map((node) => node.outerHTML.slice(0, 120))
"""
LAYOUT_SHIFT = """
() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) sum += each.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(sum), 300);
})
"""
_CLASSES = {
    (RunStatus.SUCCESS, False): "success",
    (RunStatus.SKIPPED, False): "skipped",
    (RunStatus.MISSED, False): "missed",
    (RunStatus.WAITING, False): "waiting",
    (RunStatus.ERROR, False): "error",
    (RunStatus.ERROR, True): "dead-letter",
}


def open_install(visit: Visit) -> Page:
    page = visit.open(f"/installs/{visit.site.install}")
    expect(page.locator(".lane.loading")).to_have_count(0)
    return page


def lane_of(page: Page, name: str) -> Locator:
    return page.locator(".lane", has=page.get_by_role("link", name=name, exact=True))


def find_schedule(site: Site, name: str) -> Schedule:
    schedules = site.world.services.schedules.read_all_schedules(site.install)
    (schedule,) = (each for each in schedules if each.definition.name == name)
    return schedule


def list_classes(lane: Locator) -> list[tuple[str, str]]:
    """Return the time and the outcome of each mark."""
    return [
        (str(each.get_attribute("data-time")), str(each.get_attribute("class")).removeprefix("mark "))
        for each in lane.locator("a.mark").all()
    ]


def expected_class(run: Run) -> str:
    """Return the outcome that a run of the history has to be drawn with."""
    if run.status is RunStatus.ERROR and run.retryable and run.attempt < 3:
        return "retrying"
    return _CLASSES[run.status, run.status is RunStatus.ERROR and run.retryable]


def test_the_overview_leads_to_an_install(visit: Visit) -> None:
    page = visit.open("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.get_by_role("link", name="invoice-sync 2.4.0").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("invoice-sync 2.4.0")


@pytest.mark.parametrize(
    ("query", "count"),
    [("ledger", 1), ("ACME", 9), ("POST /api/sync", 9), ("crm contacts", 1), ("no such", 0)],
    ids=["name", "tenant", "endpoint", "two-words", "nothing"],
)
def test_the_search_finds_schedules(visit: Visit, query: str, count: int) -> None:
    page = visit.open("/")
    page.get_by_role("searchbox").fill(query)
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{count} of 9 schedules")).to_be_visible()
    expect(page.locator(".results tbody tr")).to_have_count(count)


def test_the_search_finds_a_schedule_by_its_id_and_filters_by_state(visit: Visit) -> None:
    page = visit.open(f"/?q={find_schedule(visit.site, 'Sync invoices').id}")
    expect(page.locator(".results tbody tr")).to_have_count(1)
    page = visit.open("/?q=acme")
    page.get_by_role("link", name=re.compile("^Disabled")).click()
    expect(page.locator(".results tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name="Export to ledger")).to_be_visible()


def test_marks_are_those_of_the_history(visit: Visit) -> None:
    page = open_install(visit)
    schedule = find_schedule(visit.site, "Send reminders")
    start = NOW - timedelta(hours=24)
    history = [
        (run.scheduled_time, expected_class(run))
        for run in reversed(list_history(visit.site.world, schedule))
        if run.scheduled_time >= f"{start:%Y-%m-%dT%H:%M:%SZ}"
    ]
    drawn = list_classes(lane_of(page, "Send reminders"))
    assert drawn[: len(history)] == history
    upcoming = drawn[len(history) :]
    assert {kind for _, kind in upcoming} == {"upcoming"}
    assert [time for time, _ in upcoming[:2]] == ["2026-11-23T15:15:00Z", "2026-11-23T17:15:00Z"]
    assert len(upcoming) == 12


def test_gaps_and_late_starts_are_drawn(visit: Visit) -> None:
    page = open_install(visit)
    expect(lane_of(page, "Export to ledger").locator(".gap.disabled title")).to_have_text(
        re.compile(r"Disabled, since Mon 23 Nov 00:20\. It is disabled, by ")
    )
    expect(lane_of(page, "Rebuild search index").locator(".gap.no-timer")).to_have_count(1)
    assert lane_of(page, "Fetch exchange rates").locator(".late").count() >= 3


def test_a_table_says_what_the_timeline_draws(visit: Visit) -> None:
    schedule = find_schedule(visit.site, "Send reminders")
    page = visit.open(f"/installs/{visit.site.install}/schedules/{schedule.id}/table")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(24)
    expect(rows.filter(has_text="dead letter")).to_have_count(2)
    expect(rows.filter(has_text="The extension answered 422: no such customer")).to_have_count(1)


def test_a_click_on_a_mark_explains_it_and_escape_leads_back(visit: Visit) -> None:
    page = open_install(visit)
    schedule = find_schedule(visit.site, "Send reminders")
    mark = lane_of(page, "Send reminders").locator("a.mark.dead-letter").first
    time = str(mark.get_attribute("data-time"))
    mark.click()
    explanation = visit.site.admin("explain", visit.site.install, schedule.id, time, "--json").document
    panel = page.locator("#panel")
    for text in (explanation["summary"], *explanation["reasons"], explanation["run"]["requestId"]):
        expect(panel).to_contain_text(text)
    expect(panel).to_contain_text("HTTP 503")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(mark).to_be_focused()


def test_the_keyboard_reaches_marks_lanes_and_search(visit: Visit) -> None:
    page = open_install(visit)
    lane = lane_of(page, "Send reminders")
    expect(lane.locator("a.mark[tabindex='0']")).to_have_count(1)
    lane.locator("a.mark[tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    focused = page.locator("a.mark:focus")
    expect(focused).to_have_class("mark retrying")
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("failed at attempt 2")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowUp")
    expect(lane_of(page, "Close the day").locator("a.mark:focus")).to_have_count(1)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_the_span_and_the_time_can_be_chosen(visit: Visit) -> None:
    page = open_install(visit)
    page.get_by_role("link", name="±6h").click()
    expect(page.locator(".lane.loading")).to_have_count(0)
    assert len(list_classes(lane_of(page, "Sync invoices"))) == 13
    page.get_by_role("link", name="Earlier").click()
    expect(page.get_by_text("Mon 23 Nov 03:20 to Mon 23 Nov 15:20, your time")).to_be_visible()


def test_a_hostile_name_is_a_text_everywhere(visit: Visit) -> None:
    schedule = find_schedule(visit.site, HOSTILE_NAME[:128])
    path = f"/installs/{visit.site.install}/schedules/{schedule.id}"
    for page_path in (
        f"/installs/{visit.site.install}",
        path,
        "/?q=script",
        f"{path}/at/2026-11-23T05:10:00Z",
    ):
        page = visit.open(page_path)
        expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", page.content())
        assert page.locator("script:not([src])").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_are_readable_in_both_color_schemes(
    site: Site, browser: Browser, scheme: str, request: pytest.FixtureRequest
) -> None:
    context = site.open_context(browser, color_scheme=scheme)
    with visiting(site, context, request.node.name) as visit:
        schedule = find_schedule(site, "Send reminders")
        for path in ("/", f"/installs/{site.install}/schedules/{schedule.id}", f"/installs/{site.install}"):
            page = visit.open(path)
            expect(page.locator(".lane.loading")).to_have_count(0)
            low = [each for each in page.evaluate(CONTRAST, TEXTS) if each[1] < 4.5]
            assert low == [], path
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", color))) < 200) == (scheme == "dark")


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_their_width_and_name_every_control(
    site: Site, browser: Browser, width: int, request: pytest.FixtureRequest
) -> None:
    context = site.open_context(browser, viewport={"width": width, "height": 844})
    with visiting(site, context, request.node.name) as visit:
        schedule = find_schedule(site, "Send reminders")
        for path in ("/", "/?q=acme", f"/installs/{site.install}/schedules/{schedule.id}", "/tenant?id=acme"):
            page = visit.open(path)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
            assert page.evaluate(UNLABELLED) == [], path


def test_nothing_moves_while_a_page_loads(visit: Visit) -> None:
    page = open_install(visit)
    assert page.evaluate(LAYOUT_SHIFT) < 0.01
    page = visit.open("/")
    expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
    assert page.evaluate(LAYOUT_SHIFT) < 0.01


def test_the_overview_shows_the_health_of_the_stack(visit: Visit) -> None:
    page = visit.open("/")
    page.get_by_text("Nothing is wrong.").click()
    expect(page.get_by_role("heading", name="Dead letters by reason")).to_be_visible()


def test_everything_but_the_live_parts_works_without_javascript(
    site: Site, browser: Browser, request: pytest.FixtureRequest
) -> None:
    context = site.open_context(browser, java_script_enabled=False)
    with visiting(site, context, request.node.name) as visit:
        page = visit.open(f"/installs/{site.install}")
        page.get_by_role("link", name="Show all lanes").click()
        lane = lane_of(page, "Send reminders")
        assert len(list_classes(lane)) == 24
        lane.locator("a.mark.error").click()
        expect(page.locator(".summary")).to_have_text("It failed at attempt 1 and is not retried.")
