"""Lets only the operator's own browser in, and no other page that it shows.

Other programs of the machine and other pages can send requests to a port of 127.0.0.1. So each request needs the
cookie that the printed URL's one-time token was exchanged for; its Host must be this server's, since a foreign name
that resolves to 127.0.0.1 would make a foreign page same-origin (DNS rebinding); and what changes something must come
from a page of this server (CSRF). A page runs no script but those of this server.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import cookie_parser

TOKEN_PARAMETER = "token"  # noqa: S105 - the name of a query parameter
LOOPBACK = "127.0.0.1"
SAFE_METHODS = frozenset({"GET", "HEAD"})
RESPONSE_HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # With `no-referrer`, browsers would send the Origin `null` with the console's own forms.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
NO_STORE = {"cache-control": "no-store"}

WRONG_HOST = "This address is not the console's: use the URL that it printed."
WRONG_ORIGIN = "The request does not come from a page of this console, and nothing was changed."
NOT_SIGNED_IN = (
    "This browser is not signed in, or the URL was already used: it signs in one browser, once. "
    "Start the console again, and open the URL that it prints."
)


@dataclass
class Gate:
    """Decides on requests; `one_time_token` is in the printed URL, and is None once it was used."""

    port: int
    one_time_token: str | None = field(default_factory=lambda: secrets.token_urlsafe(32))
    _session_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def url(self) -> str:
        """The URL to open."""
        token = f"/?{TOKEN_PARAMETER}={self.one_time_token}" if self.one_time_token else "/"
        return f"http://{LOOPBACK}:{self.port}{token}"

    @property
    def cookie_name(self) -> str:
        """The cookie's name; cookies are shared by all ports of a host."""
        return f"scheduling-console-{self.port}"

    @property
    def cookie(self) -> str:
        """The header that signs a browser in, until the browser or the console ends."""
        return f"{self.cookie_name}={self._session_token}; Path=/; HttpOnly; SameSite=Strict"

    def is_host_allowed(self, headers: Mapping[str, str]) -> bool:
        """Return whether the request was sent to this server by one of its own names."""
        return headers.get("host") in {f"{LOOPBACK}:{self.port}", f"localhost:{self.port}"}

    def is_origin_allowed(self, method: str, headers: Mapping[str, str]) -> bool:
        """Return whether the request comes from a page of this server, or is one that a link from elsewhere may make.

        Browsers send Origin with each POST, and Sec-Fetch-Site with each request.
        """
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None and origin != f"http://{headers.get('host')}":
            return False
        if method in SAFE_METHODS:
            # A page of another port is "same-site", so that it would send the cookie.
            is_navigation = headers.get("sec-fetch-mode") in (None, "navigate")
            return is_navigation or site in (None, "none", "same-origin")
        return origin is not None and site in (None, "same-origin")

    def is_signed_in(self, headers: Mapping[str, str]) -> bool:
        """Return whether the request has the cookie."""
        # As browsers send them: other servers of this machine may have set cookies that are not well-formed.
        value = cookie_parser(headers.get("cookie", "")).get(self.cookie_name, "")
        return secrets.compare_digest(value.encode(), self._session_token.encode())

    def use_token(self, token: str) -> bool:
        """Return whether the token signs its bearer in; it does so once."""
        expected = self.one_time_token
        if expected is None or not secrets.compare_digest(token.encode(), expected.encode()):
            return False
        self.one_time_token = None
        return True
