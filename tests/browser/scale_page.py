"""Ten thousand schedules, and two hundred on a page."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import htpy as h
import pytest
from playwright.sync_api import Browser, expect
from scheduling.domain.deliveries.firing import as_read
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Limits
from scheduling.operations.schedules.create import create_schedule

from scheduling_admin.console.pages.lanes import render_timeline
from scheduling_admin.console.reads import SchedulePage
from scheduling_admin.console.timeline.window import TimeWindow
from tests.browser.conftest import Site, Visit, open_site, visiting
from tests.browser.scene import NOW, register
from tests.support.stacks.world import TABLE, World, create_input, new_world

INSTALLS, SCHEDULES_PER_INSTALL = 50, 200
MAX_REQUESTS = 16
MAX_BARE_MULTIPLE = 3
"""How much longer a page of 200 schedules may take than a template that writes as many elements and texts."""


@pytest.fixture(scope="module")
def large_site() -> Iterator[Site]:
    """A site with 10,000 schedules, 200 in each install."""
    limits = Limits(writes_per_minute=10_000, max_schedules_per_install=SCHEDULES_PER_INSTALL)
    with new_world(limits) as world:
        world.clock[0] = NOW
        create_install(world, InstallId("install-00"))
        for number in range(1, INSTALLS):
            copy_install(world, f"install-{number:02}")
        with open_site(world=world, install="install-00") as site:
            yield site


def create_install(world: World, install_id: InstallId) -> None:
    register(world, install_id, "extension", "1.0.0", tenant="tenant-00")
    for number in range(SCHEDULES_PER_INSTALL):
        schedule_input = create_input(name=f"nightly-{number:03}", cron=f"{number % 60} * * * *")
        create_schedule(world.services, install_id, schedule_input)


def copy_install(world: World, install_id: str) -> None:
    """Copy the rows of the first install, with which a create of each schedule would take minutes."""
    assert world.memory
    table = world.memory.tables[TABLE]
    for row in [row for row in table.items.values() if row["pk"]["S"] == "INSTALL#install-00"]:
        text = json.dumps(row).replace("install-00", install_id).replace("tenant-00", f"tenant-{install_id}")
        copy = json.loads(text)
        table.store_item(table.item_key(copy), copy)


@pytest.fixture
def visit(large_site: Site, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    with visiting(large_site, large_site.open_context(browser), request.node.name) as visit:
        yield visit


@contextmanager
def count_concurrent_calls(world: World) -> Iterator[list[int]]:
    """Record how many AWS calls are under way at once, each of which takes a moment."""
    lock, under_way, counts = threading.Lock(), [0], []

    def before(_: object) -> None:
        with lock:
            under_way[0] += 1
            counts.append(under_way[0])
        time.sleep(0.005)
        with lock:
            under_way[0] -= 1

    world.calls.before = before
    try:
        yield counts
    finally:
        world.calls.before = None


def test_ten_thousand_schedules_are_searched_with_16_requests_at_once(visit: Visit) -> None:
    with count_concurrent_calls(visit.site.world) as counts:
        page = visit.open("/?q=nightly-007&refresh=1")
    expect(page.get_by_text("50 of 10,000 schedules")).to_be_visible()
    assert 1 < max(counts) <= MAX_REQUESTS
    page = visit.open("/?q=nightly")
    expect(page.locator(".results tbody tr")).to_have_count(50)
    expect(page.get_by_text("Page 1 of 200")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("10,000 of 10,000 schedules, 51 to 100 shown")).to_be_visible()


def test_lanes_are_loaded_as_they_come_into_view(visit: Visit) -> None:
    with count_concurrent_calls(visit.site.world) as counts:
        page = visit.open(f"/installs/{visit.site.install}")
        expect(page.locator(".lane a.mark").first).to_be_attached()
        page.wait_for_load_state("networkidle")
        in_view = len(lane_requests(visit))
        assert 5 < in_view < 30
        page.locator(".lane").last.scroll_into_view_if_needed()
        expect(page.locator(".lane").last.locator("a.mark").first).to_be_attached()
        page.wait_for_load_state("networkidle")
    assert in_view < len(lane_requests(visit)) < 100
    assert max(counts) <= MAX_REQUESTS
    assert len(set(lane_requests(visit))) == len(lane_requests(visit))


def lane_requests(visit: Visit) -> list[str]:
    return [url for url in visit.requests if re.search(r"/lane\b", url)]


def test_a_page_of_200_schedules_takes_a_small_multiple_of_a_bare_template(large_site: Site) -> None:
    schedules = large_site.world.services.schedules.read_all_schedules(large_site.install)
    install = large_site.world.services.installs.read_install(large_site.install)
    assert install
    pairs = [(install, as_read(each, install, NOW)) for each in schedules]
    window = TimeWindow("24h", NOW, NOW)
    page = SchedulePage(pairs, None)
    timeline = str(render_timeline(page, window, "/installs/install-00", {}))
    elements, texts = timeline.count("<") // 2, re.findall(r">([^<]+)<", timeline)

    def render_bare() -> str:
        rows = [
            h.div(class_="lane", id=str(number), data_url="x" * 80)[texts[number % len(texts)]]
            for number in range(elements)
        ]
        return str(h.section[rows])

    bare = measure(render_bare)
    ours = measure(lambda: str(render_timeline(page, window, "/installs/install-00", {})))
    print(
        f"200 schedules: {ours * 1000:.0f} ms, {ours / bare:.1f} x a bare template, {len(timeline):,} bytes"
    )
    assert ours / bare < MAX_BARE_MULTIPLE
    assert len(timeline) < 400_000


def measure(render: Callable[[], str]) -> float:
    """Return the shortest of five measurements of CPU time."""
    times = []
    for _ in range(5):
        before = time.process_time()
        render()
        times.append(time.process_time() - before)
    return min(times)
