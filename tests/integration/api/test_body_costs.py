"""Nothing that a caller sends makes a function hold more than 200 MB, or take more than a second of a full core."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from scheduling.api.http import MAX_COMPACT_BODY_BYTES
from scheduling.api.parsing import max_schedule_body_bytes
from scheduling.api.registration import MAX_REGISTRATION_BYTES
from scheduling.domain.install import Limits

from tests.support.stacks.bounded_functions import (
    INSTALL_ID,
    MAX_CPU_SECONDS,
    MAX_MEMORY_BYTES,
    ROOT,
    Cost,
)
from tests.support.stacks.functions import http_event
from tests.support.stacks.hostile_bodies import (
    PAYLOADS,
    REGISTRATIONS,
    SCHEDULES,
    VALID_START,
    repeat_to_size,
)
from tests.support.stacks.world import registration_body

Event = dict[str, Any]
MAX_EVENT_BYTES = 6_000_000
"""Lambda takes no larger event."""
LARGEST_PAYLOAD_BYTES = 300_000
"""The largest value of the parameter."""


def create_event(body: str = "", **options: Any) -> Event:
    """Build an event with the text as body."""
    return {**http_event(installId=INSTALL_ID, **options), "body": body}


def encode_body(event: Event) -> Event:
    """Return the event with its body in base64."""
    return {**event, "body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}


def as_callback(body: str, operation: str = "create") -> str:
    """Return the body of a resource API request as that of the callback."""
    return f'{{"operation":"{operation}",{body[1:]}'


def list_setup_events() -> Iterator[tuple[str, Event]]:
    """Yield what sets up the table, and warms the functions."""
    yield "prepare/1-install_put", http_event(registration_body(), installId=INSTALL_ID)
    schedule = {"endpoint": "POST /api/sync", "cron": "0 * * * *"}
    yield "prepare/2-create", http_event(schedule, installId=INSTALL_ID)
    yield "prepare/3-preview", http_event(schedule, installId=INSTALL_ID)
    yield "prepare/4-callback", http_event({"operation": "list"}, installId=INSTALL_ID)
    yield "prepare/5-list", http_event(installId=INSTALL_ID)


def list_refused_schedule_events(limits: Limits) -> Iterator[tuple[str, Event]]:
    """Yield bodies at the limits of bytes, and at that of an event."""
    size = min(max_schedule_body_bytes(limits), MAX_COMPACT_BODY_BYTES)
    for name in ("numbers", "members", "unknown names"):
        body = SCHEDULES[name](max_schedule_body_bytes(limits))
        yield f"create/refused dense {name}", create_event(body, headers={"idempotency-key": "key"})
    for name, build_body in SCHEDULES.items():
        body = build_body(size)
        yield f"create/refused {name}", create_event(body, headers={"idempotency-key": "key"})
    for name in ("numbers", "members", "lone surrogate"):
        body = SCHEDULES[name](size)
        yield f"preview/any {name}", encode_body(create_event(body))
        yield f"callback/refused {name}", create_event(as_callback(SCHEDULES[name](size - 30)))
    yield (
        "callback/refused update",
        create_event(as_callback(SCHEDULES["members"](size - 80), 'update","scheduleId":"x')),
    )
    for name in ("members", "unknown names"):
        body = SCHEDULES[name](MAX_EVENT_BYTES)
        yield f"create/refused huge {name}", create_event(body)
        yield f"callback/refused huge {name}", create_event(as_callback(body))
    huge_body = SCHEDULES["unknown names"](MAX_EVENT_BYTES * 3 // 4)
    yield "create/refused in base64", encode_body(create_event(huge_body))


def list_accepted_schedule_events(limits: Limits) -> Iterator[tuple[str, Event]]:
    """Yield bodies with payloads of about the maximum, and bodies whose unknown names the callback ignores."""
    for name, build_body in PAYLOADS.items():
        body = build_body(limits.max_payload_bytes)
        yield f"create/accepted {name}", create_event(body, headers={"idempotency-key": name})
        yield f"callback/accepted {name}", create_event(as_callback(body))
    escaped = '"payload":["' + r"\u0041" * (limits.max_payload_bytes - 4) + '"]'
    yield "create/accepted escapes", create_event(f'{{"endpoint":"/api/sync","cron":"0 * * * *",{escaped}}}')
    padded = repeat_to_size(VALID_START, " ", "}", max_schedule_body_bytes(limits))
    yield "create/accepted white space", create_event(padded)
    size = min(max_schedule_body_bytes(limits), MAX_COMPACT_BODY_BYTES)
    yield "callback/accepted ignored", create_event(as_callback(SCHEDULES["unknown names"](size - 30)))


def list_registration_events() -> Iterator[tuple[str, Event]]:
    """Yield bodies of a PUT, refused ones and one with the largest manifest and configuration."""
    for name, build_body in REGISTRATIONS.items():
        yield f"install_put/refused {name}", create_event(build_body(MAX_COMPACT_BODY_BYTES))
    for name in ("endpoints that are empty", "unknown names"):
        build_body = REGISTRATIONS[name]
        yield f"install_put/refused dense {name}", create_event(build_body(MAX_REGISTRATION_BYTES))
        yield f"install_put/refused huge {name}", create_event(build_body(MAX_EVENT_BYTES))
        yield f"install_put/refused escaped {name}", create_event(_escape_digits(build_body(600_000)))
    endpoints = [{"method": "GET", "path": f"{number:x}", "handler": "h"} for number in range(2_200)]
    manifest = {**registration_body()["manifest"], "version": "2.0.0", "api": {"endpoints": endpoints}}
    body = registration_body(
        versionId="version-2", manifest=manifest, config={f"{number:x}": None for number in range(9_000)}
    )
    event = create_event(json.dumps(body), query={"onMissingEndpoint": "disable"})
    yield "install_put/accepted largest", event


def _escape_digits(body: str) -> str:
    """Return the body with as many escapes as its limit allows."""
    return body.replace("0", r"\u0030")[: MAX_REGISTRATION_BYTES - 1]


def list_parameter_events() -> Iterator[tuple[str, Event]]:
    """Yield huge parameters and headers, larger than API Gateway lets pass."""
    huge = "9" * 1_000_000
    yield "list/refused cursor", create_event(query={"cursor": huge})
    yield "list/refused limit", create_event(query={"limit": huge})
    yield "list/refused install", {**create_event(), "pathParameters": {"installId": huge}}
    yield "list/accepted query", create_event(query={f"name-{number}": "x" for number in range(100_000)})
    yield (
        "tenant_schedules/refused cursor",
        {
            **create_event(query={"cursor": huge}),
            "pathParameters": {"tenantId": "tenant-1"},
        },
    )
    path = {"installId": INSTALL_ID, "scheduleId": "01a20745-4897-4f81-a91e-a0d09962b8d6"}
    yield "runs/refused schedule", {**create_event(), "pathParameters": {**path, "scheduleId": huge}}
    for number, header in enumerate(('"9",' * 250_000, '"' + huge, "W/" * 500_000)):
        event = create_event('{"enabled":false}', headers={"if-match": header})
        yield f"update/refused tag {number}", {**event, "pathParameters": path}
    body = '{"endpoint":"/api/sync","cron":"0 * * * *"}'
    yield "create/refused key", create_event(body, headers={"idempotency-key": huge})
    yield "create/accepted encodings", create_event(body, headers={"accept-encoding": "gzip;q=0," * 100_000})
    yield "callback/refused id", create_event(f'{{"operation":"get","scheduleId":"{huge[:600_000]}"}}')
    yield "callback/refused operation", create_event(f'{{"operation":"{huge[:600_000]}"}}')


def list_events(limits: Limits) -> Iterator[tuple[str, Event]]:
    """Yield every event, by function and case."""
    yield from list_setup_events()
    yield from list_refused_schedule_events(limits)
    yield from list_accepted_schedule_events(limits)
    yield from list_registration_events()
    yield from list_parameter_events()


@cache
def select_events(max_payload_bytes: int) -> Mapping[str, Event]:
    """Return the events to measure with that limit, by function and case.

    What is the same event with every limit is measured with the largest, which refuses it last.
    """
    events = dict(list_events(Limits(max_payload_bytes=max_payload_bytes)))
    if max_payload_bytes == LARGEST_PAYLOAD_BYTES:
        return events
    setup, others = dict(list_setup_events()), select_events(LARGEST_PAYLOAD_BYTES)
    return {case: event for case, event in events.items() if case in setup or event != others.get(case)}


@cache
def measure_costs(max_payload_bytes: int) -> Mapping[str, Cost]:
    """Return the cost of each event, all measured by one process."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for case, event in select_events(max_payload_bytes).items():
            path = folder / f"{case}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(event))
        results = folder / "results"
        subprocess.run(
            [sys.executable, "-m", "tests.support.stacks.bounded_functions", name, str(results)],
            check=True,
            cwd=ROOT,
            env={**os.environ, "MAX_PAYLOAD_BYTES": str(max_payload_bytes)},
            stdout=subprocess.DEVNULL,
        )
        return {case: Cost(**cost) for case, cost in json.loads(results.read_text()).items()}


@pytest.mark.parametrize("max_payload_bytes", [Limits().max_payload_bytes, LARGEST_PAYLOAD_BYTES])
def test_every_event_stays_within_memory_and_time(max_payload_bytes: int) -> None:
    costs = measure_costs(max_payload_bytes)

    assert len(costs) > (70 if max_payload_bytes == LARGEST_PAYLOAD_BYTES else 15)
    excessive = {
        case: cost
        for case, cost in costs.items()
        if cost.peak_bytes > MAX_MEMORY_BYTES or cost.cpu_seconds > MAX_CPU_SECONDS or not cost.peak_bytes
    }
    assert not excessive


@pytest.mark.parametrize("max_payload_bytes", [Limits().max_payload_bytes, LARGEST_PAYLOAD_BYTES])
def test_valid_events_are_accepted_and_the_others_refused(max_payload_bytes: int) -> None:
    wrong = {}
    for case, cost in measure_costs(max_payload_bytes).items():
        refused = case.partition("/")[2].startswith("refused")
        expected = (400, 404, 412) if refused else (200, 201)
        if "any" not in case and cost.status not in expected:
            wrong[case] = cost
    assert not wrong
