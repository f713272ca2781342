"""The pages that read."""

from concurrent.futures import ThreadPoolExecutor

import htpy as h
from htpy import Node
from scheduling.domain.ids import parse_install_id, parse_tenant_id
from scheduling.domain.views import encode_cursor
from scheduling.operations.installs.queries import installs_scope, list_installs
from starlette.requests import Request
from starlette.responses import Response

from scheduling_admin.commands.arguments import decode_list_cursor
from scheduling_admin.console.index import STATES
from scheduling_admin.console.links import (
    install_link,
    tenant_link,
)
from scheduling_admin.console.pages.health import MAX_FAILING, render_health, render_health_placeholder
from scheduling_admin.console.pages.lanes import (
    render_install_actions,
    render_tenant_actions,
    render_timeline,
)
from scheduling_admin.console.pages.layout import text
from scheduling_admin.console.pages.overview import (
    render_direct_hits,
    render_installs,
    render_results,
    render_search,
)
from scheduling_admin.console.reads import (
    SchedulePage,
    attempt,
    read_install_page,
    read_lane,
    read_tenant_page,
)
from scheduling_admin.console.requests import parse_install, parse_number, read_window
from scheduling_admin.console.server import REQUESTS_AT_ONCE, Console
from scheduling_admin.console.timeline.lanes import Lane
from scheduling_admin.console.timeline.window import TimeWindow
from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.health.query import read_stack_health
from scheduling_admin.queries.schedules import ScheduleFilter, list_schedules_of_all

_INSTALLS_PER_PAGE = 50


def show_overview(console: Console, request: Request) -> Response:
    """Show the search, and what it returns; without one, the installs."""
    parameters = request.query_params
    query, state = parameters.get("q", "").strip()[:200], parameters.get("state", "")
    state = state if state in STATES else ""
    if not (query or state):
        return console.page(
            request,
            "Overview",
            render_search("", "", None),
            render_health_placeholder(),
            _render_first_installs(console, request),
            has_search=True,
        )
    snapshot = console.index.read_snapshot(refresh="refresh" in parameters)
    results = snapshot.search(query, state)
    return console.page(
        request,
        f"{query or STATES[state][0]}",
        render_search(query, state, snapshot.count_states()),
        _render_direct_hits(console, query),
        render_results(results, snapshot, query, state, parse_number(parameters.get("page")) or 1),
        has_search=True,
    )


def show_status(console: Console, request: Request) -> Response:
    """Show the health of the stack, as the command `status` has it."""
    session = console.session
    health = attempt(lambda: read_stack_health(session))
    failing = attempt(
        lambda: (
            list_schedules_of_all(
                session.services, limit=MAX_FAILING, fires=0, only=ScheduleFilter(failing=True)
            ).views
        )
    )
    is_part = bool(request.query_params.get("part"))
    content = render_health(health, failing, is_open=not is_part)
    return console.page(request, "Health", None if is_part else h.h1["Health"], content)


def _render_first_installs(console: Console, request: Request) -> Node:
    scope = installs_scope(None)
    position = decode_list_cursor(scope, request.query_params.get("cursor"), parse_install_id)
    page = attempt(lambda: list_installs(console.session.services, after=position, limit=_INSTALLS_PER_PAGE))
    if isinstance(page, AdminError):
        return render_installs(page, None)
    return render_installs(page.installs, encode_cursor(scope, page.next_after))


def _render_direct_hits(console: Console, query: str) -> Node:
    install_id, tenant_id = parse_install_id(query), parse_tenant_id(query)
    services = console.session.services
    install = attempt(lambda: services.schedules.read_snapshot(install_id).install) if install_id else None
    installs = attempt(lambda: list_installs(services, tenant_id, limit=1).installs) if tenant_id else []
    return render_direct_hits(
        None if isinstance(install, AdminError) else install,
        None if isinstance(installs, AdminError) or not installs else tenant_id,
    )


def show_install(console: Console, request: Request) -> Response:
    """Show the lanes of an install."""
    install_id = parse_install(request)
    window = read_window(console, request)
    install, page = read_install_page(console.session, install_id)
    name = f"{install.extension_name or install.registry_id} {install.extension_version or ''}".strip()
    inline = _read_lanes(console, page, window) if "inline" in request.query_params else None
    return console.page(
        request,
        name,
        h.header(".subject")[
            h.div[
                h.p(".eyebrow")["Install ", h.code[text(install.id)]],
                h.h1[text(name)],
                h.p(".muted")[
                    "Tenant ",
                    h.a(href=tenant_link(install.tenant_id))[text(install.tenant_id)],
                    f" · {len(page.pairs):,} schedule{'' if len(page.pairs) == 1 else 's'}",
                ],
            ],
            None if console.read_only else render_install_actions(install),
        ],
        render_timeline(page, window, install_link(install.id), {}, inline),
        crumbs=[(install.tenant_id, tenant_link(install.tenant_id))],
    )


def show_tenant(console: Console, request: Request) -> Response:
    """Show the lanes of a tenant."""
    tenant_id = parse_tenant_id(request.query_params.get("id", ""))
    if tenant_id is None:
        raise AdminError("This is not a tenant's id.", ExitStatus.NOT_FOUND)
    window = read_window(console, request)
    page = read_tenant_page(console.session, tenant_id, request.query_params.get("cursor"))
    tenant = attempt(lambda: console.session.services.tenants.read_tenant(tenant_id))
    paused = not isinstance(tenant, AdminError) and tenant.paused
    inline = _read_lanes(console, page, window) if "inline" in request.query_params else None
    return console.page(
        request,
        tenant_id,
        h.header(".subject")[
            h.div[
                h.p(".eyebrow")["Tenant"],
                h.h1[text(tenant_id)],
                h.p(".muted")["Paused: none of its schedules fires." if paused else ""],
            ],
            None if console.read_only else render_tenant_actions(tenant_id, paused=paused),
        ],
        render_timeline(page, window, "/tenant", {"id": tenant_id}, inline, shows_installs=True),
    )


def _read_lanes(console: Console, page: SchedulePage, window: TimeWindow) -> dict[str, Lane]:
    """Return the lanes of a page, for a browser without JavaScript; one that cannot be read is left out."""
    with ThreadPoolExecutor(REQUESTS_AT_ONCE, "lanes") as pool:
        lanes = pool.map(
            lambda pair: attempt(lambda: read_lane(console.session, pair[0].id, pair[1].id, window)),
            page.pairs,
        )
        return {lane.schedule.id: lane for lane in lanes if not isinstance(lane, AdminError)}


ROUTES = [
    ("GET", "/", show_overview),
    ("GET", "/status", show_status),
    ("GET", "/tenant", show_tenant),
    ("GET", "/installs/{install}", show_install),
]
