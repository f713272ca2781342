"""Domain objects with default values, for tests that change single fields."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from scheduling.domain.endpoints import Endpoint
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.runs import Fire
from scheduling.domain.schedule import Definition, Schedule

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
INSTALL_ID = InstallId("install-1")
SCHEDULE_ID = ScheduleId("0f4a0000-0000-4000-8000-000000000001")


def endpoint(method: str, path: str) -> Endpoint:
    return Endpoint(id=f"{method} {path}", method=method, path=path, handler="handler")


def install(**fields: Any) -> Install:
    default = Install(
        id=INSTALL_ID,
        tenant_id="tenant-1",
        registry_id="registry-1",
        version_id="version-1",
        content_hash="sha256:abc",
        granted_capabilities=frozenset({SCHEDULER_MANAGE, "cap:context.read"}),
        enabled=True,
    )
    return replace(default, **fields)


def definition(**fields: Any) -> Definition:
    default = Definition(
        endpoint_method="POST",
        endpoint_path="/api/sync",
        cron="0 9 * * *",
        timezone="UTC",
        enabled=True,
        name=None,
        payload=None,
    )
    return replace(default, **fields)


def schedule(**fields: Any) -> Schedule:
    """Return a schedule; fields of a definition go into its definition."""
    definition_fields = {name: fields.pop(name) for name in Definition.__slots__ if name in fields}
    default = Schedule(
        id=SCHEDULE_ID,
        install_id=INSTALL_ID,
        tenant_id="tenant-1",
        definition=definition(**definition_fields),
        created_at=NOW,
    )
    return replace(default, **fields)


def fire(**fields: Any) -> Fire:
    default = Fire(
        install_id=INSTALL_ID,
        schedule_id=SCHEDULE_ID,
        timer_revision=1,
        scheduled_time="2026-11-23T09:00:00Z",
    )
    return replace(default, **fields)


def http_event(
    body: str | None = None,
    *,
    path: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    **fields: object,
) -> dict[str, Any]:
    """Return an event of an HTTP API, payload format 2.0."""
    return {
        "version": "2.0",
        "headers": dict(headers or {}),
        "pathParameters": {"installId": INSTALL_ID, **(path or {})},
        "body": body,
        "isBase64Encoded": False,
        **fields,
    }


def parse_response_body(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON object in the body of a response."""
    return dict(json.loads(response["body"]))
