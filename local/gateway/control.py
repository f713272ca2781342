"""The routes that only the local server has: its health, its clock, manual deliveries, and the API's description."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.clock import format_instant, parse_duration, parse_instant
from local.errors import StackError
from local.gateway.api_page import render_page
from local.gateway.messages import Request, Response, json_response
from local.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.clock import LocalClock
    from local.health import Health
    from local.scheduler.firing import LocalScheduler

PREFIX = "/_local/"
_DESCRIPTION = PROJECT_ROOT / "docs" / "openapi.json"
_HTML = [("content-type", "text/html; charset=utf-8")]


class ControlApi:
    """Serves the ``/_local/`` routes."""

    def __init__(
        self,
        clock: LocalClock,
        scheduler: LocalScheduler,
        reconcile: Callable[[], object],
        health: Health,
    ) -> None:
        self._health = health
        self._clock = clock
        self._scheduler = scheduler
        self._reconcile = reconcile
        self._routes: dict[tuple[str, str], Callable[[Any], Response]] = {
            ("GET", "/_local/health"): self._get_health,
            ("GET", "/_local/clock"): self._get_clock,
            ("POST", "/_local/clock"): self._set_clock,
            ("POST", "/_local/deliver"): self._deliver_occurrence,
            ("POST", "/_local/reconcile"): self._run_reconcile,
            ("GET", "/_local/openapi.json"): lambda _: json_response(200, read_description()),
            ("GET", "/_local/api"): lambda _: Response(200, render_page(read_description()).encode(), _HTML),
        }

    def handle_request(self, request: Request) -> Response:
        """Return the response to a request for a local route."""
        route = self._routes.get((request.method, request.path))
        if not route:
            return json_response(404, {"error": f"no local route {request.method} {request.path}"})
        try:
            return route(_parse_fields(request))
        except LookupError as error:
            return json_response(404, {"error": f"no timer {error}"})
        except OverflowError:
            return json_response(400, {"error": "the time is out of range"})
        except ValueError as error:
            return json_response(400, {"error": str(error)})
        except StackError as error:
            return json_response(500, {"error": str(error)})

    def _get_health(self, _: Any) -> Response:
        is_ready, state = self._health.describe()
        return json_response(200 if is_ready else 503, state)

    def _get_clock(self, _: Any) -> Response:
        return json_response(200, {"now": format_instant(self._clock.now())})

    def _set_clock(self, fields: dict[str, Any]) -> Response:
        if fields.keys() == {"advance"}:
            deliveries = self._scheduler.advance_by(parse_duration(_read_text(fields, "advance")))
        elif fields.keys() == {"to"}:
            deliveries = self._scheduler.advance_to(parse_instant(_read_text(fields, "to")))
        else:
            raise ValueError('the body must be {"advance": "PT1H"} or {"to": "2026-11-23T09:00:00Z"}')
        occurrences = [occurrence.as_json() for occurrence in deliveries]
        return json_response(200, {"now": format_instant(self._clock.now()), "fired": occurrences})

    def _deliver_occurrence(self, fields: dict[str, Any]) -> Response:
        if fields.keys() != {"scheduleId", "scheduledTime"}:
            raise ValueError("the body must have scheduleId and scheduledTime")
        scheduled_time = parse_instant(_read_text(fields, "scheduledTime"))
        delivery = self._scheduler.deliver_occurrence(_read_text(fields, "scheduleId"), scheduled_time)
        return json_response(200, delivery.as_json())

    def _run_reconcile(self, _: Any) -> Response:
        return json_response(200, self._reconcile())


def read_description() -> dict[str, Any]:
    """Return the API's description; the stack that serves it is its only server."""
    description = json.loads(_DESCRIPTION.read_text(encoding="utf-8"))
    servers = [{"url": "/", "description": "This local stack; admin routes need no signature."}]
    return {**description, "servers": servers}


def _parse_fields(request: Request) -> dict[str, Any]:
    if not request.body:
        return {}
    try:
        fields = json.loads(request.body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(fields, dict):
        raise ValueError("the body must be a JSON object")
    return fields


def _read_text(fields: dict[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a string")
    return value
