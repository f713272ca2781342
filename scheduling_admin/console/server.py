"""The console's web server: what each URL shows. Everything is read when a page needs it."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

import anyio.to_thread
import htpy as h
from htpy import Node
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from scheduling_admin.console import security
from scheduling_admin.console.index import ScheduleIndex
from scheduling_admin.console.pages.layout import ASSET_PATHS, Frame, render_notice, render_page
from scheduling_admin.console.security import Gate
from scheduling_admin.console.times import format_moment, format_zone
from scheduling_admin.errors import EXPECTED_ERRORS, ExitStatus, convert_to_admin_error
from scheduling_admin.stack.session import AdminSession

ASSETS = Path(__file__).parent / "assets"
REQUESTS_AT_ONCE = 8
"""Further requests wait; each reads from AWS one thing after the other."""
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STATUSES = {
    ExitStatus.USAGE: 400,
    ExitStatus.NOT_FOUND: 404,
    ExitStatus.REFUSED: 409,
    ExitStatus.AWS: 502,
    ExitStatus.NEEDS_ATTENTION: 503,
}
_FORBIDDEN, _SERVER_ERRORS = 403, 500
Handler = Callable[["Console", Request], Response]


@cache
def asset_version() -> str:
    """Return what changes with the assets, which browsers may therefore keep."""
    digest = hashlib.sha256()
    for name in ASSET_PATHS:
        digest.update((ASSETS / name).read_bytes())
    return digest.hexdigest()[:12]


@dataclass
class Console:
    """What all pages share."""

    session: AdminSession
    gate: Gate
    read_only: bool = False
    index: ScheduleIndex = field(init=False)

    def __post_init__(self) -> None:
        self.index = ScheduleIndex(self.session)

    def page(
        self,
        request: Request,
        title: str,
        *content: Node,
        status: int = 200,
        has_search: bool = False,
        crumbs: Sequence[tuple[str, str]] = (),
    ) -> Response:
        """Return a page; for a part of one, only its content."""
        if request.query_params.get("part"):
            return HTMLResponse(str(h.fragment[content]), status)
        now = self.session.now
        frame = Frame(
            stack_name=self.session.stack.name,
            region=self.session.stack.region,
            now_text=format_moment(now),
            zone=format_zone(now),
            read_only=self.read_only,
            asset_version=asset_version(),
        )
        page = render_page(frame, title, *content, has_search=has_search, crumbs=crumbs)
        return HTMLResponse(str(page), status)

    def problem(self, request: Request, error: Exception) -> Response:
        """Return a page that says what failed, and what to do."""
        admin_error = convert_to_admin_error(error)
        status = _STATUSES.get(admin_error.exit_status, 500)
        notice = render_notice(str(admin_error), "error")
        if request.query_params.get("part") or is_partial(request):
            return HTMLResponse(str(notice), status)
        if request.method not in security.SAFE_METHODS:
            return plain_page("This was not completed", notice, status)
        url = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        again = h.a(".button.primary", href=url)["Try again"] if status >= _SERVER_ERRORS else None
        return plain_page("This cannot be shown", notice, status, again)


def is_partial(request: Request) -> bool:
    """Return whether a page that is shown has sent the request, so that the response replaces a part of it."""
    return "hx-request" in request.headers


def plain_page(title: str, content: Node, status: int, action: Node = None) -> Response:
    """Return a page that reads nothing from the stack, with an action besides the link to the overview."""
    links = h.div(".actions")[action, h.a(".button", href="/")["Overview"]]
    document = h.html(lang="en")[
        h.head[
            h.meta(charset="utf-8"),
            h.meta(name="viewport", content="width=device-width, initial-scale=1"),
            h.meta(name="color-scheme", content="light dark"),
            h.title[f"{title} · Scheduler console"],
            h.link(rel="icon", href=f"/assets/icon.svg?v={asset_version()}", type="image/svg+xml"),
            h.link(rel="stylesheet", href=f"/assets/console.css?v={asset_version()}"),
        ],
        h.body[h.main("#content.plain")[h.h1[title], content, None if status == _FORBIDDEN else links]],
    ]
    return HTMLResponse(str(document), status)


class SecurityMiddleware:
    """Applies the gate to each request, and its headers to each response."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))  # type: ignore[call-overload]
                names = {name for name, _ in headers}
                extra = {**security.RESPONSE_HEADERS, **security.NO_STORE}
                headers += [(n.encode(), v.encode()) for n, v in extra.items() if n.encode() not in names]
                message = {**message, "headers": headers}
            await send(message)

        request = Request(scope, receive)
        response = self._check(request)
        if response and is_partial(request):
            response.headers["hx-refresh"] = "true"  # the page that is shown cannot go on
        await (response or self._app)(scope, receive, send_with_headers)  # type: ignore[arg-type]

    def _check(self, request: Request) -> Response | None:
        """Return the response to a request that may not pass."""
        gate, headers = self._gate, request.headers
        if not gate.is_host_allowed(headers):
            return plain_page("Wrong address", h.p[security.WRONG_HOST], 421)
        if not gate.is_origin_allowed(request.method, headers):
            return plain_page("Not allowed", h.p[security.WRONG_ORIGIN], 403)
        if request.url.path.startswith("/assets/"):
            return None
        token = request.query_params.get(security.TOKEN_PARAMETER)
        if token and request.method == "GET" and gate.use_token(token):
            return RedirectResponse(request.url.path, 303, headers={"set-cookie": gate.cookie})
        if not gate.is_signed_in(headers):
            return plain_page("Not signed in", h.p[security.NOT_SIGNED_IN], 403)
        return RedirectResponse(request.url.path, 303) if token else None


def create_app(console: Console, routes: list[tuple[str, str, Handler]]) -> Starlette:
    """Return the application with the routes, each a method, a path and what answers it."""

    def endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        def answer(request: Request) -> Response:
            try:
                return handler(console, request)
            except EXPECTED_ERRORS as error:
                return console.problem(request, error)

        async def run(request: Request) -> Response:
            request.state.form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
            return await anyio.to_thread.run_sync(answer, request)

        return run

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = REQUESTS_AT_ONCE
        yield

    pages = [Route(path, endpoint(handler), methods=[method]) for method, path, handler in routes]
    asset_route = Route("/assets/{name}", serve_asset)
    return Starlette(
        routes=[asset_route, *pages],
        middleware=[Middleware(SecurityMiddleware, gate=console.gate)],
        exception_handlers={404: _not_found, 405: _not_found, 500: _report_fault},
        lifespan=lifespan,
    )


async def serve_asset(request: Request) -> Response:
    """Return a file of the console itself, which needs no sign-in."""
    path = ASSETS / request.path_params["name"]
    if path.name not in ASSET_PATHS:
        return await _not_found(request, None)
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix], headers=headers)


async def _not_found(_: Request, _error: Exception | None) -> Response:
    return plain_page("Not found", h.p["There is no such page."], 404)


async def _report_fault(_: Request, _error: Exception) -> Response:
    """Return a page; the server writes the traceback to the terminal."""
    text = "This is a fault of the console. The terminal in which it runs has the details."
    response = plain_page("This cannot be shown", h.p[text], 500)
    response.headers.update({**security.RESPONSE_HEADERS, **security.NO_STORE})
    return response
