"""Routes, callers and the state of both systems, for `tests/e2e/test_isolation.py`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from scheduling.api.callback_token import issue_token
from scheduling.domain.ids import InstallId
from scheduling.domain.install import SCHEDULER_MANAGE, Install

from local.cloudformation.deploy import STACK_NAME
from tests.support.stacks.local_stack import HOURLY_SCHEDULE, RUNNER_TOKEN, ApiInstall, LocalStack

CALLBACK = "/api/internal/ext-scheduler/install/{i}"
SCHEDULES, SCHEDULE, ADMIN = (
    "/v1/installs/{i}/schedules",
    "/v1/installs/{i}/schedules/{s}",
    "/admin/v1/installs/{i}",
)
SCHEDULE_BODY = {**HOURLY_SCHEDULE, "name": "new"}


@dataclass(frozen=True)
class Route:
    """A route, and its status for another install's schedule; None if its path and body have no schedule."""

    method: str
    path: str
    body: Any = None
    foreign: int | None = None


EXTENSION_ROUTES = {
    "callback list": Route("POST", CALLBACK, {"operation": "list"}),
    "callback get": Route("POST", CALLBACK, {"operation": "get"}, foreign=200),
    "callback create": Route("POST", CALLBACK, {"operation": "create", **SCHEDULE_BODY}),
    "callback update": Route("POST", CALLBACK, {"operation": "update", "enabled": False}, foreign=400),
    "callback delete": Route("POST", CALLBACK, {"operation": "delete"}, foreign=400),
    "callback endpoints": Route("POST", CALLBACK, {"operation": "getEndpoints"}),
    "list": Route("GET", SCHEDULES),
    "create": Route("POST", SCHEDULES, SCHEDULE_BODY),
    "get": Route("GET", SCHEDULE, foreign=404),
    "update": Route("PATCH", SCHEDULE, {"enabled": False}, foreign=404),
    "delete": Route("DELETE", SCHEDULE, foreign=404),
    "endpoints": Route("GET", "/v1/installs/{i}/endpoints"),
    "runs": Route("GET", f"{SCHEDULE}/runs", foreign=404),
    "preview": Route("POST", f"{SCHEDULES}/preview", SCHEDULE_BODY),
}
"""The routes, each with a request that would change or reveal something if it were authorized."""

RUN_ROUTE = Route("POST", f"{ADMIN}/schedules/{{s}}/run", foreign=404)
ADMIN_ROUTES = {
    "run": RUN_ROUTE,
    "backfill": Route(
        "POST",
        f"{ADMIN}/schedules/{{s}}/backfill",
        {"from": "2026-11-20T00:00:00Z", "to": "2026-11-20T01:00:00Z", "which": "all"},
        foreign=404,
    ),
    "update": Route("PATCH", f"{ADMIN}/schedules/{{s}}", {"enabled": False}, foreign=404),
    "delete": Route("DELETE", f"{ADMIN}/schedules/{{s}}", foreign=404),
}
"""The platform's routes that name a schedule; the platform may do anything to installs."""


@dataclass(frozen=True)
class Caller:
    """The headers of a caller, the install and schedule that it names, and the expected status and code."""

    headers: dict[str, str]
    install: ApiInstall
    schedule_id: str
    status: int
    code: str | None = None


@dataclass(frozen=True)
class IsolationScene:
    """Four installs with a schedule each, one of another tenant, and the callers."""

    stack: LocalStack
    client: httpx.Client
    installs: tuple[ApiInstall, ...]
    callers: dict[str, Caller]

    def read_state(self) -> list[Any]:
        """Return the rows and the timers of the installs."""
        return read_state(*self.installs)

    def send_request(self, route: Route, caller: Caller) -> httpx.Response:
        """Send a request of the route as the caller."""
        body = route.body
        if body and body.get("operation") in ("get", "update", "delete"):
            body = {**body, "scheduleId": caller.schedule_id}
        url = route.path.format(i=caller.install.id, s=caller.schedule_id)
        return self.client.request(route.method, url, json=body, headers=caller.headers)


@contextmanager
def create_scene(stack: LocalStack) -> Iterator[IsolationScene]:
    """Register the installs and build the callers."""
    mine, disabled, revoked = (stack.register_install() for _ in range(3))
    other = stack.register_install(tenantId="tenant-2")
    installs = (mine, disabled, revoked, other)
    schedule_ids = {each.id: each.create_schedule(name="mine", payload=["a secret"]) for each in installs}
    stack.api.post(f"/admin/v1/installs/{disabled.id}/disable")
    stack.register_install(revoked.id, grantedCapabilities=[])
    runner_headers = {"x-runner-auth": RUNNER_TOKEN}
    now = stack.read_clock()
    callers = {
        "no token": Caller({}, mine, schedule_ids[mine.id], 403),
        "wrong token": Caller({"x-runner-auth": f"{RUNNER_TOKEN}y"}, mine, schedule_ids[mine.id], 403),
        "other install's token": Caller(
            bearer_headers(issue_install_token(stack, other, now)), mine, schedule_ids[mine.id], 403
        ),
        "expired token": Caller(
            bearer_headers(issue_install_token(stack, mine, now - timedelta(hours=3))),
            mine,
            schedule_ids[mine.id],
            403,
        ),
        "disabled install": Caller(runner_headers, disabled, schedule_ids[disabled.id], 404, "NOT_FOUND"),
        "capability revoked": Caller(
            runner_headers, revoked, schedule_ids[revoked.id], 403, "CAPABILITY_DENIED"
        ),
        "other tenant's schedule": Caller(runner_headers, other, schedule_ids[mine.id], 0),
        "other tenant's schedule with a callback token": Caller(
            bearer_headers(issue_install_token(stack, other, now)), other, schedule_ids[mine.id], 0
        ),
    }
    with httpx.Client(base_url=stack.api.base_url, timeout=60) as client:
        yield IsolationScene(stack, client, installs, callers)


def read_state(*installs: ApiInstall) -> list[Any]:
    """Return the rows and the timers of the installs."""
    rows = [install.read_rows() for install in installs]
    timers = [
        {**(install.read_timer(row["sk"]["S"].removeprefix("SCHEDULE#")) or {}), "ResponseMetadata": None}
        for install, install_rows in zip(installs, rows, strict=True)
        for row in install_rows
        if row["sk"]["S"].startswith("SCHEDULE#")
    ]
    return [rows, timers]


def bearer_headers(token: str) -> dict[str, str]:
    """Return the headers of a caller with that callback token."""
    return {"authorization": f"Bearer {token}".strip()}


def issue_install_token(stack: LocalStack, install: ApiInstall, now: datetime) -> str:
    """Issue a callback token of the install, valid for an hour; functions in containers use the real time."""
    install_record = Install(
        id=InstallId(install.id),
        tenant_id=stack.api.get(f"/admin/v1/installs/{install.id}").json()["tenantId"],
        registry_id="registry",
        version_id="version",
        content_hash="hash",
        granted_capabilities=frozenset({SCHEDULER_MANAGE}),
        enabled=True,
    )
    return issue_token(stack.read_callback_key(), STACK_NAME, install_record, now, timedelta(hours=1))
