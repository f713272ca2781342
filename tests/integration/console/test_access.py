"""Who gets in: every route, by every wrong way."""

import threading

import httpx
import pytest
from scheduling.domain.schedule import Schedule

from scheduling_admin.console.actions.routes import READ_ONLY
from scheduling_admin.console.security import NOT_SIGNED_IN, WRONG_HOST, WRONG_ORIGIN
from tests.support.stacks.admin_cli import AdminCli
from tests.support.stacks.console import ConsoleClient, open_console, strip_markup
from tests.support.stacks.world import TENANT, World


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("path", ["/", "/?token=guess", "/installs/install-1", "/actions/pause?tenant=t"])
def test_a_browser_that_is_not_signed_in_sees_nothing(path: str) -> None:
    with open_console(sign_in=False) as console:
        response = console.get(path)
    assert response.status_code == 403
    assert NOT_SIGNED_IN in strip_markup(response.text)


@pytest.mark.parametrize(
    ("headers", "status", "text"),
    [
        ({"host": "evil.example"}, 421, WRONG_HOST),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, 403, WRONG_ORIGIN),
    ],
    ids=["dns-rebinding", "page-of-another-port"],
)
def test_requests_of_other_pages_are_refused(
    console: ConsoleClient, headers: dict[str, str], status: int, text: str
) -> None:
    response = console.http.get("/", headers=headers)
    assert response.status_code == status
    assert text in strip_markup(response.text)


def test_a_form_of_another_page_changes_nothing(world: World, console: ConsoleClient) -> None:
    for headers in ({}, {"origin": "http://127.0.0.1:1"}, {"origin": "null"}):
        response = console.http.post("/actions/pause", data={"tenant": TENANT}, headers=headers)
        assert response.status_code == 403
        assert WRONG_ORIGIN in strip_markup(response.text)
    assert not world.services.tenants.read_tenant(TENANT).paused


@pytest.mark.usefixtures("admin")
def test_a_read_only_console_refuses_every_action_and_offers_none(world: World, schedule: Schedule) -> None:
    with open_console(read_only=True) as console:
        page = console.get(f"/installs/{schedule.install_id}/schedules/{schedule.id}").text
        assert "read-only" in page
        assert "/actions/" not in page
        for response in (
            console.get("/actions/pause", tenant=TENANT),
            console.post("/actions/pause", tenant=TENANT),
        ):
            assert response.status_code == 403
            assert READ_ONLY in strip_markup(response.text)
    assert not world.services.tenants.read_tenant(TENANT).paused


@pytest.mark.parametrize(
    "other",
    ['foo={"a":1}', "a[b]=c", 'x="unclosed', "=", "\xff"],
    ids=["json", "brackets", "quote", "empty", "latin"],
)
def test_cookies_of_other_servers_of_the_machine_sign_nobody_out(console: ConsoleClient, other: str) -> None:
    ((name, value),) = console.http.cookies.items()
    cookie = f"{other}; {name}={value}".encode("latin-1")
    assert httpx.get(console.origin, headers={b"cookie": cookie}).status_code == 200
    assert httpx.get(console.origin, headers={b"cookie": other.encode("latin-1")}).status_code == 403


def test_a_part_of_a_page_that_is_no_longer_signed_in_reloads_the_page(console: ConsoleClient) -> None:
    response = httpx.get(f"{console.origin}/status?part=1", headers={"hx-request": "true"})
    assert (response.status_code, response.headers["hx-refresh"]) == (403, "true")


def test_every_response_has_the_security_headers(console: ConsoleClient) -> None:
    responses: list[httpx.Response] = [
        console.get(path) for path in ("/", "/nothing", "/assets/console.css", "/installs/unknown")
    ]
    assert [response.status_code for response in responses] == [200, 404, 200, 404]
    for response in responses:
        assert "script-src 'self'" in response.headers["content-security-policy"]
        assert response.headers["x-frame-options"] == "DENY"
    assert responses[0].headers["cache-control"] == "no-store"


def test_the_thread_that_has_the_profile_reads_first(world: World, admin: AdminCli) -> None:
    """A client that another thread makes would have another session, without the operator's profile and region."""
    threads: list[threading.Thread] = []
    admin.world.calls.before = lambda _: threads.append(threading.current_thread())
    with open_console() as console:
        console.get("/")
    world.calls.before = None
    assert threads[0] is threading.main_thread()
    assert len(set(threads)) > 1
