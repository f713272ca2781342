"""What holds for every response, whatever the request was."""

import json
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.gateway.messages import Response
from tests.attack.fuzz.requests import Attempt
from tests.attack.fuzz.scene import SECRETS, Scene, Target
from tests.support.stacks.world import TABLE

_ALLOWED_STATUSES = {200, 201, 202, 204, 400, 401, 403, 404, 409, 412, 413, 429}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_WINDOW, _WRITES_PER_WINDOW, _MAX_SCHEDULES = timedelta(seconds=60), 10, 50


def _optional(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and bool(_TIME.fullmatch(value))


_SCHEDULE: dict[str, Callable[[Any], bool]] = {
    "id": lambda value: isinstance(value, str) and bool(_UUID.fullmatch(value)),
    "endpointPath": _is_text,
    "endpointMethod": lambda value: value in ("GET", "POST"),
    "name": _optional(_is_text),
    "cron": _is_text,
    "timezone": _is_text,
    "enabled": lambda value: isinstance(value, bool),
    "payload": _optional(lambda value: isinstance(value, dict | list)),
    "lastRunAt": _optional(_is_time),
    "lastRunStatus": _optional(lambda value: value in ("success", "error")),
    "lastError": _optional(_is_text),
    "lastSuccessAt": _optional(_is_time),
    "consecutiveFailures": lambda value: isinstance(value, str) and value.isdigit(),
    "createdAt": _optional(_is_time),
    "nextFireAt": _optional(_is_text),
}
_PROBLEM: dict[str, Callable[[Any], bool]] = {
    "type": lambda value: value == "about:blank",
    "title": bool,
    "status": lambda value: isinstance(value, int),
    "detail": lambda value: isinstance(value, str) and value != "",
    "code": lambda value: isinstance(value, str) and bool(re.fullmatch("[A-Z_]+", value)),
}


@dataclass
class Invariants:
    """Checks each response, and what its request has changed."""

    scene: Scene
    _change_count: int = 0
    _accepted: dict[str, deque[datetime]] = field(default_factory=lambda: defaultdict(deque))
    _created: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._change_count = len(self._changes)

    @property
    def _changes(self) -> list[Any]:
        assert self.scene.world.memory
        return self.scene.world.memory.tables[TABLE].changes

    def violations(self, attempt: Attempt, response: Response) -> Iterator[str]:
        """Yield what the response violates."""
        changed = {_partition(change) for change in self._changes[self._change_count :]}
        self._change_count = len(self._changes)
        if response.status not in _ALLOWED_STATUSES:
            yield f"status {response.status}"
        text = response.body.decode()
        yield from self._isolation_violations(attempt, response.status, text, changed)
        content, problem = _parse(text)
        if problem:
            yield problem
        elif response.status >= 400:
            yield from _error_violations(attempt, response, content)
        else:
            yield from _success_violations(content)
            yield from self._window_violations(attempt, content)

    def _isolation_violations(
        self, attempt: Attempt, status: int, text: str, changed: set[str]
    ) -> Iterator[str]:
        if not attempt.authorized and (status not in (401, 403) or changed):
            yield f"an unauthorized request has status {status} and changes {changed}"
        if status in (400, 401, 403, 404, 409, 412, 413) and changed:
            yield f"a refused request changes {changed}"
        if attempt.request.method == "GET" and changed:
            yield f"a read changes {changed}"
        yield from (f"the response contains the secret {each}" for each in SECRETS if each in text)
        for other in self._others(attempt):
            if other.mark in text and other.mark not in attempt.request.body.decode("utf-8", "replace"):
                yield f"the response has data of {other.tenant}"
            if any(f"#{other.id}" in partition for partition in changed):
                yield f"the request changes data of {other.tenant}: {changed}"

    def _others(self, attempt: Attempt) -> Iterator[Target]:
        """Yield the installs that the request must neither show nor change."""
        by_tenant, target = "{tenantId}" in attempt.route.path, attempt.target
        if not by_tenant and "{installId}" not in attempt.route.path:
            return  # a route of the platform about all installs
        for other in self.scene.targets:
            if not target or not (other == target or (by_tenant and other.tenant == target.tenant)):
                yield other

    def _window_violations(self, attempt: Attempt, content: Any) -> Iterator[str]:
        """Check that at most ten writes of an install's extension are accepted in any 60 seconds."""
        if attempt.target is None or not self._is_counted_write(attempt, content):
            return
        now, times = self.scene.world.clock[0], self._accepted[attempt.target.id]
        times.append(now)
        while times[0] <= now - _WINDOW:
            times.popleft()
        if len(times) > _WRITES_PER_WINDOW:
            yield f"{len(times)} writes in a minute"

    def _is_counted_write(self, attempt: Attempt, content: Any) -> bool:
        path, method = attempt.route.path, attempt.request.method
        if path.startswith("/admin") or path.endswith("preview") or method == "GET":
            return False
        if "ext-scheduler" in path and not (isinstance(content, dict) and content.get("success") is True):
            return False
        schedule_id = content.get("scheduleId", content.get("id")) if isinstance(content, dict) else None
        if method == "POST" and isinstance(schedule_id, str):
            if schedule_id in self._created:
                return False  # the answer to an earlier request with the same idempotency key
            self._created.add(schedule_id)
        return True


def _partition(change: Any) -> str:
    before, after = change
    return str((after or before)["pk"]["S"])


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _parse(text: str) -> tuple[Any, str | None]:
    """Return the JSON value of a body, and what is wrong with it."""
    if not text:
        return None, None
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=str, parse_float=str)
    except ValueError as error:
        return None, f"the body is not JSON: {error}"
    return value, None


def _error_violations(attempt: Attempt, response: Response, content: Any) -> Iterator[str]:
    if not isinstance(content, dict):
        yield "the body of an error is no object"
    elif content.keys() == {"message"} and response.status in (401, 403, 404, 413):
        return  # API Gateway itself
    elif "ext-scheduler" in attempt.route.path:
        yield from _callback_violations(response.status, content)
    else:
        headers = dict(response.headers)
        if headers.get("content-type") != "application/problem+json":
            yield f"an error of type {headers.get('content-type')}"
        if int(content.get("status", 0)) != response.status:
            yield "the status of the problem is another"
        yield from _shape_violations(_PROBLEM, {**content, "status": response.status})
        yield from _field_error_violations(content)
    if response.status == 429 and not dict(response.headers).get("retry-after", "").isdecimal():
        yield "429 without Retry-After"


def _callback_violations(status: int, content: dict[str, Any]) -> Iterator[str]:
    if status == 404:
        if content != {"error": "Install not found", "code": "NOT_FOUND"}:
            yield f"404 with {content}"
        return
    if not {"success", "error", "code"} <= content.keys() <= {"success", "error", "code", "fieldErrors"}:
        yield f"the error has the fields {sorted(content)}"
    if content.get("success") is not False or not content.get("error"):
        yield "an error without success false and a text"
    yield from _field_error_violations(content)


def _field_error_violations(content: dict[str, Any]) -> Iterator[str]:
    errors = content.get("fieldErrors", {"-": "-"})
    if not isinstance(errors, dict) or not errors or not all(map(_is_text, errors.values())):
        yield f"fieldErrors {errors}"


def _success_violations(content: Any) -> Iterator[str]:
    """Check every schedule in a response, wherever it is."""
    if isinstance(content, list):
        for each in content:
            yield from _success_violations(each)
    elif isinstance(content, dict):
        if "endpointPath" in content and "cron" in content:
            yield from _shape_violations(_SCHEDULE, content)
        for name, value in content.items():
            if name != "payload":
                yield from _success_violations(value)
        if isinstance(content.get("schedules"), list) and len(content["schedules"]) > _MAX_SCHEDULES:
            yield "more schedules than the quota allows"


def _shape_violations(shape: dict[str, Callable[[Any], bool]], content: dict[str, Any]) -> Iterator[str]:
    for name, check in shape.items():
        if name not in content:
            yield f"{name} is missing"
        elif not check(content[name]):
            yield f"{name} is {content[name]!r}"
