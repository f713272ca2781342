"""Who may use the console: the browser that has used the one-time token, from a page of the console itself."""

import hashlib
import re
from collections.abc import Mapping

import pytest

from local.settings import PROJECT_ROOT
from scheduling_admin.console.security import RESPONSE_HEADERS, Gate

HOST = "127.0.0.1:4580"
ORIGIN = f"http://{HOST}"
ASSETS = PROJECT_ROOT / "scheduling_admin" / "console" / "assets"
HTMX_VERSION = "2.0.11"
HTMX_SHA256 = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        (HOST, True),
        ("localhost:4580", True),
        ("127.0.0.1", False),
        ("127.0.0.1:3000", False),
        ("evil.example:4580", False),
        ("127.0.0.1.evil.example:4580", False),
        (None, False),
    ],
)
def test_only_the_servers_own_names_are_allowed_as_host(host: str | None, allowed: bool) -> None:
    assert Gate(4580).is_host_allowed({} if host is None else {"host": host}) is allowed


@pytest.mark.parametrize(
    ("method", "headers", "allowed"),
    [
        ("GET", {}, True),
        ("GET", {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}, True),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True),
        ("GET", {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, True),
        ("GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}, False),
        ("GET", {"origin": "http://evil.example"}, False),
        ("POST", {}, False),
        ("POST", {"sec-fetch-site": "same-origin"}, False),
        ("POST", {"origin": "null", "sec-fetch-site": "cross-site"}, False),
        ("POST", {"origin": "http://127.0.0.1:3000", "sec-fetch-site": "same-site"}, False),
        ("POST", {"origin": ORIGIN, "sec-fetch-site": "cross-site"}, False),
        ("POST", {"origin": ORIGIN, "sec-fetch-site": "same-origin"}, True),
        ("POST", {"origin": ORIGIN}, True),
    ],
)
def test_changes_come_from_pages_of_the_console_only(
    method: str, headers: Mapping[str, str], allowed: bool
) -> None:
    assert Gate(4580).is_origin_allowed(method, {"host": HOST, **headers}) is allowed


def test_the_token_signs_in_once() -> None:
    gate = Gate(4580)
    token = gate.url.partition("token=")[2]
    assert not gate.use_token("")
    assert not gate.use_token(f"{token}x")
    assert gate.use_token(token)
    assert not gate.use_token(token)
    assert gate.url == f"{ORIGIN}/"


def test_the_cookie_signs_in_and_no_other() -> None:
    gate, other = Gate(4580), Gate(4580)
    cookie, *attributes = gate.cookie.split("; ")
    assert attributes == ["Path=/", "HttpOnly", "SameSite=Strict"]
    assert gate.is_signed_in({"cookie": f"theme=dark; {cookie}"})
    for header in ({}, {"cookie": other.cookie}, {"cookie": f"{gate.cookie_name}="}, {"cookie": "\x00;=;"}):
        assert not gate.is_signed_in(header)


def test_pages_run_no_script_but_the_consoles_own() -> None:
    policy = RESPONSE_HEADERS["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'; script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


def test_htmx_is_the_pinned_release_with_its_license() -> None:
    script = (ASSETS / "htmx.min.js").read_bytes()
    assert hashlib.sha256(script).hexdigest() == HTMX_SHA256
    assert f'version:"{HTMX_VERSION}"'.encode() in script
    assert "Zero-Clause BSD" in (ASSETS / "htmx-LICENSE.txt").read_text(encoding="utf-8")


def test_no_asset_refers_to_another_host() -> None:
    for path in (*ASSETS.glob("console.*"), *ASSETS.glob("*.svg")):
        urls = re.findall(
            r"(?:https?:)?//[a-z]\S+", re.sub(r"(?m)//.*$", "", path.read_text(encoding="utf-8"))
        )
        assert [url for url in urls if "www.w3.org/2000/svg" not in url] == []
