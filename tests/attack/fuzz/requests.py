"""Random requests: valid ones with hostile parts, so that most of them get past the first check."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote, urlencode

from local.gateway.messages import Request
from local.gateway.routes import Route
from tests.attack.fuzz.corpus import (
    CONTENT_TYPES,
    HEADER_VALUES,
    RAW_BODIES,
    TEXTS,
    dump_fields,
    hostile_field,
    hostile_json,
)
from tests.attack.fuzz.scene import RUNNER_TOKEN, Scene, Target, registration_fields
from tests.support.stacks.world import UNKNOWN_SCHEDULE_ID, registration_body

_OPERATIONS = ("list", "get", "create", "update", "delete", "getEndpoints")
_SCHEDULE_FIELDS = ("endpoint", "cron", "timezone", "enabled", "name", "payload")
_OUTSIDER = Target("", "tenant-9", "registry-9", "mark99mark")
"""Whose data a request has that names an install of its own invention; an id such as `null` is valid."""

_INSTALL, _TENANT = "/admin/v1/installs/{installId}", "/admin/v1/tenants/{tenantId}"
_RARE_ROUTES = {
    ("DELETE", _INSTALL): 0.05,
    ("POST", f"{_INSTALL}/disable"): 0.05,
    ("POST", f"{_INSTALL}/enable"): 0.3,
    ("POST", f"{_TENANT}/pause"): 0.05,
    ("POST", f"{_TENANT}/resume"): 0.3,
    ("POST", "/api/internal/ext-scheduler/install/{installId}"): 4.0,
}
_HEADER_NAMES = (
    "content-type", "if-match", "idempotency-key", "accept-encoding", "x-request-id", "cookie", "host",
)  # fmt: skip
_QUERY_NAMES = ("limit", "cursor", "tenant", "onMissingEndpoint", "dryRun", "x")


@dataclass(frozen=True)
class Attempt:
    """A request, and whom it names."""

    number: int
    route: Route
    request: Request
    target: Target | None
    """The install or tenant of the path; None if the path names neither."""
    authorized: bool
    """Whether the caller may call the route for that target."""

    @property
    def schedule_id(self) -> str:
        """What the path has in the place of a schedule id, if it has one."""
        segments = zip(self.route.path.split("/"), self.request.path.split("/"), strict=True)
        return next((segment for pattern, segment in segments if pattern == "{scheduleId}"), "")


@dataclass
class Generator:
    """Makes the requests of a seed; it uses ids and cursors of earlier responses."""

    scene: Scene
    random: Random
    schedule_ids: dict[str, list[str]] = field(default_factory=dict)
    cursors: list[str] = field(default_factory=lambda: ["eA=="])
    number: int = 0

    def next_attempt(self) -> Attempt:
        """Return the next request."""
        self.number += 1
        route = self._choose_route()
        target = self.random.choice(self.scene.targets)
        named, path = self._fill_path(route.path, target)
        headers, authorized = self._choose_headers(route, target)
        method = route.method
        owner = target if named else _OUTSIDER
        body = self._choose_body(route, owner) if method not in ("GET", "DELETE") or self._rarely() else b""
        request = Request(
            method, path, self._choose_query(route), headers, body, request_id=f"request-{self.number}"
        )
        return Attempt(self.number, route, request, target if named else None, authorized)

    def _choose_route(self) -> Route:
        """Return a route; those that end an install or stop it are rare, or nothing else would get through."""
        weights = [_RARE_ROUTES.get((route.method, route.path), 1.0) for route in self.scene.routes]
        return self.random.choices(self.scene.routes, weights)[0]

    def _rarely(self) -> bool:
        return self.random.random() < 0.08

    def _often(self) -> bool:
        return self.random.random() < 0.75

    def _fill_path(self, pattern: str, target: Target) -> tuple[bool, str]:
        """Return whether the path names the target, and the path."""
        segments, named = [], True
        for segment in pattern.split("/"):
            if not segment.startswith("{"):
                segments.append(segment)
            elif segment == "{scheduleId}":
                segments.append(self._choose_schedule_id(target))
            else:
                value = target.tenant if segment == "{tenantId}" else target.id
                if self._rarely():
                    value, named = quote(self._choose_text()[:300], safe=""), False
                segments.append(value)
        return named, "/".join(segments)

    def _choose_text(self) -> str:
        return self.random.choice(TEXTS).encode("utf-8", "replace").decode() or "-"

    def _choose_schedule_id(self, target: Target) -> str:
        """Return an id of the target's, of another's, or none at all."""
        if self._rarely():
            return quote(self._choose_text()[:300], safe="")
        schedule_id = self._choose_known_id(target)
        return schedule_id.upper() if self._rarely() else schedule_id

    def _choose_known_id(self, target: Target) -> str:
        owner = target if self._often() else self.random.choice(self.scene.targets)
        known = self.schedule_ids.get(owner.id, [])[-12:]
        return self.random.choice([*known, UNKNOWN_SCHEDULE_ID])

    def _choose_query(self, route: Route) -> str:
        names = self.random.sample(_QUERY_NAMES, self.random.choice((0, 0, 0, 0, 1, 2)))
        if route.method == "GET" and route.path.endswith(("schedules", "runs")):
            names += self.random.choice(([], ["limit"], ["limit"], ["limit", "cursor"]))
        return urlencode([(name, self._choose_parameter(name)) for name in names])

    def _choose_parameter(self, name: str) -> str:
        if name == "cursor" and self._often():
            return self._tamper(self.random.choice(self.cursors[-20:]))
        near = {
            "limit": ("1", "1", "1", "2", "2", "50", "0", "51", "-1", "01", "1e1", " 1", "\u0661"),
            "onMissingEndpoint": ("reject", "disable", "Reject"),
            "dryRun": ("true", "false", "True", "1"),
            "tenant": tuple(each.tenant for each in self.scene.targets),
        }
        if name in near and self._often():
            return self.random.choice(near[name])
        return self._choose_text()[:2_000]

    def _tamper(self, cursor: str) -> str:
        place = self.random.randrange(len(cursor) + 1)
        return self.random.choice(
            (
                cursor,
                cursor,
                cursor[:place],
                cursor[:place] + "A" + cursor[place + 1 :],
                cursor + "=",
                cursor.lower(),
            )
        )

    def _choose_headers(self, route: Route, target: Target) -> tuple[dict[str, str], bool]:
        """Return the headers and whether they authorize the request for the target."""
        headers = {"content-type": "application/json"}
        for name in (
            "content-type",
            "if-match",
            "idempotency-key",
            "accept-encoding",
            "x-request-id",
            "cookie",
            "host",
        ):
            if self._rarely():
                values = CONTENT_TYPES if name == "content-type" else HEADER_VALUES
                headers[name] = self.random.choice(values)
        if route.authorizer is None:
            return headers, True
        other = self.random.choice(self.scene.targets)
        valid = ({"x-runner-auth": RUNNER_TOKEN}, True)
        token = self.scene.issue_token
        spoiled = self.random.choice(HEADER_VALUES)
        choices: Sequence[tuple[dict[str, str], bool]] = (
            *(valid,) * 6,
            *(({"authorization": f"Bearer {token(target)}"}, True),) * 2,
            ({"authorization": f"Bearer {token(other)}"}, other == target),
            ({"x-runner-auth": spoiled}, False),
            ({"authorization": f"Bearer {spoiled}", "x-runner-auth": RUNNER_TOKEN}, False),
        )
        chosen, authorized = self.random.choice(choices)
        return headers | chosen, authorized

    def _choose_body(self, route: Route, target: Target) -> bytes:
        if self._rarely():
            return self.random.choice(RAW_BODIES)
        fields = self._valid_fields(route, target)
        for _ in range(self.random.choice((0, 0, 0, 1, 1, 2))):
            self._spoil(fields)
        pairs = [f"{json.dumps(name)}:{value}" for name, value in fields.items()]
        if pairs and self._rarely():
            pairs.append(self.random.choice(pairs))
        self.random.shuffle(pairs)
        return ("{" + ",".join(pairs) + "}").encode("utf-8", "replace")

    def _spoil(self, fields: dict[str, str]) -> None:
        """Replace, remove or add a field."""
        name = self.random.choice([*fields, *_SCHEDULE_FIELDS, self._choose_text()[:100]])
        if name in fields and self._rarely():
            del fields[name]
        else:
            fields[name] = hostile_field(name, self.random)

    def _valid_fields(self, route: Route, target: Target) -> dict[str, str]:
        """Return a valid body as JSON texts by field."""
        if route.method == "PUT":
            body = registration_body(**registration_fields(target))
            if self.random.random() < 0.9:
                return dump_fields(body)
            manifest = dump_fields(body["manifest"])
            self._spoil(manifest)
            pairs = ",".join(f"{json.dumps(name)}:{value}" for name, value in manifest.items())
            return dump_fields(body) | {"manifest": "{" + pairs + "}"}
        if "schedules" not in route.path and "ext-scheduler" not in route.path:
            return {}
        names = self.random.sample(_SCHEDULE_FIELDS, self.random.randrange(7))
        if route.method == "POST":
            names = [*{"endpoint": None, "cron": None, **dict.fromkeys(names)}]
        fields = {name: self._valid_value(name, target) for name in names}
        if "ext-scheduler" not in route.path:
            return fields
        operation = self.random.choice(_OPERATIONS)
        fields |= {"operation": json.dumps(operation)}
        if operation in ("get", "update", "delete"):
            fields |= {"scheduleId": json.dumps(self._choose_known_id(target))}
        return fields

    def _valid_value(self, name: str, target: Target) -> str:
        number = self.random.randrange(60)
        valid = {
            "endpoint": '"POST /api/sync"',
            "cron": json.dumps(f"{number} * * * *"),
            "timezone": '"Europe/Berlin"',
            "enabled": self.random.choice(("true", "false")),
            "name": json.dumps(f"{number} {target.mark}"),
            "payload": json.dumps({"of": target.mark, "n": hostile_json(self.random)[:50]}),
        }
        return valid[name]
