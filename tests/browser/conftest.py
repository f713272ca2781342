"""Fixtures of the browser tests: the system's Chromium, and the console on a day of a tenant."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from scheduling.domain.ids import InstallId

from local.settings import PROJECT_ROOT
from scheduling_admin.stack.connection import connect
from scheduling_admin.stack.options import CommonOptions
from tests.browser.browsers import launch_chromium
from tests.browser.scene import create_scene
from tests.support.stacks.admin_cli import AdminCli, create_admin_cli
from tests.support.stacks.console import serve_console
from tests.support.stacks.world import World, new_world

SCREENSHOTS = PROJECT_ROOT / "build" / "browser"
TIMEZONE = "Europe/Berlin"


@dataclass
class Site:
    """A console that a browser can open, and the world behind it."""

    world: World
    admin: AdminCli
    origin: str
    cookie: tuple[str, str]
    install: InstallId

    def open_context(self, browser: Browser, **options: object) -> BrowserContext:
        """Return a signed-in context, on a laptop's screen by default."""
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})  # type: ignore[arg-type]
        name, value = self.cookie
        context.add_cookies([{"name": name, "value": value, "url": self.origin}])
        return context


@dataclass
class Visit:
    """A page, and what it has reported and requested."""

    page: Page
    site: Site
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open a page of the console."""
        self.page.goto(f"{self.site.origin}{path}")
        return self.page


@pytest.fixture(scope="session", autouse=True)
def viewer_timezone() -> Iterator[None]:
    """The viewer's time zone, which is this process's."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = TIMEZONE
    time.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


@contextmanager
def open_site(*, read_only: bool = False, world: World | None = None, install: str = "") -> Iterator[Site]:
    """Serve a world to browsers; by default, a day of a tenant."""
    if world is None:
        with new_world() as created, create_admin_cli(created) as admin:
            yield from _serve(created, admin, create_scene(created), read_only=read_only)
    else:
        with create_admin_cli(world) as admin:
            yield from _serve(world, admin, InstallId(install), read_only=read_only)


def _serve(world: World, admin: AdminCli, install: InstallId, *, read_only: bool) -> Iterator[Site]:
    with serve_console(connect(CommonOptions()), read_only=read_only) as url:
        ((name, value),) = httpx.get(url).cookies.items()
        yield Site(world, admin, url.partition("/?")[0], (name, value), install)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A console that the tests of a module only read."""
    with open_site() as site:
        yield site


@pytest.fixture
def own_site() -> Iterator[Site]:
    """A console of the test's own."""
    with open_site() as site:
        yield site


@contextmanager
def visiting(site: Site, context: BrowserContext, name: str) -> Iterator[Visit]:
    """Open a page that must report no error; its last state is kept as a screenshot."""
    visit = Visit(context.new_page(), site)
    page = visit.page
    page.on("console", lambda message: visit.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on("dialog", lambda dialog: visit.errors.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: visit.requests.append(request.url))
    yield visit
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=screenshot_path(name))
    context.close()
    assert visit.errors == []
    assert [url for url in visit.requests if not url.startswith(site.origin)] == []


def screenshot_path(name: str) -> Path:
    """Return where a test's screenshot is kept."""
    return SCREENSHOTS / f"{name.removeprefix('test_').replace('[', '-').rstrip(']')}.png"


@pytest.fixture
def visit(site: Site, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page of a console that the test only reads."""
    with visiting(site, site.open_context(browser), request.node.name) as visit:
        yield visit


@pytest.fixture
def own_visit(own_site: Site, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page of a console of the test's own."""
    with visiting(own_site, own_site.open_context(browser), request.node.name) as visit:
        yield visit
