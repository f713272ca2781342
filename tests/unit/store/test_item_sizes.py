"""The largest rows that the limits of the template allow are smaller than what DynamoDB takes."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from scheduling.api.registration import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, parse_registration
from scheduling.domain import exact_json
from scheduling.domain.ids import MAX_INLINE_PAYLOAD_BYTES
from scheduling.domain.install import KNOWN_CAPABILITIES
from scheduling.domain.requests.fields import MAX_NAME_LENGTH
from scheduling.domain.runs import MAX_ERROR_LENGTH
from scheduling.settings import TableSettings
from scheduling.store.installs import _row_from_version
from scheduling.store.keys import config_key, install_key, manual_window_key, payload_key, schedule_key
from scheduling.store.mapping import install_values, schedule_values, to_millis
from scheduling.store.models import ConfigRow, InstallRow, ManualWindowRow, PayloadRow, Row, ScheduleRow

from tests.support.stacks.world import registration_body
from tests.unit.builders import NOW, SCHEDULE_ID, install, schedule

MAX_ITEM_BYTES = 400 * 1024
RESERVE_BYTES = 16 * 1024
"""For attributes that a later release adds."""
LONGEST_ARN = "admin:" + "a" * 2048
EMOJI = "\U0001f600"


def largest_limit(name: str) -> int:
    """Return the maximum that the settings, and the template, allow."""
    (maximum,) = (rule.le for rule in TableSettings.model_fields[name].metadata if hasattr(rule, "le"))
    return int(maximum)


def item_size(attributes: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the size of an item by DynamoDB's rules, at least."""
    return sum(len(name.encode()) + value_size(value) for name, value in attributes.items())


def value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return len(content) // 2 + 2
        case "SS":
            return sum(len(each.encode()) for each in content)
        case "M":
            return 3 + len(content) + item_size(content)
        case "L":
            return 3 + sum(1 + value_size(each) for each in content)
        case "BOOL":
            return 1
    raise AssertionError(kind)


def full_window(slots: int) -> dict[str, int]:
    return {str(slot): to_millis(NOW) for slot in range(slots)}


def install_row(slots: int) -> Row:
    """Build the row of an install with a full window that has just lost all endpoints of a large manifest."""
    endpoints = frozenset(f"GET /{number:x}" for number in range(MAX_MANIFEST_BYTES // 42))
    values = install_values(
        install(
            granted_capabilities=KNOWN_CAPABILITIES,
            removed_endpoints=endpoints,
            changed_by=LONGEST_ARN,
            pending_since=NOW,
        )
    )
    return InstallRow(**install_key("i" * 64), **values, writes=full_window(slots))


def schedule_row(payload_bytes: int) -> Row:
    values = schedule_values(
        schedule(
            payload="x" * payload_bytes,
            name=EMOJI * MAX_NAME_LENGTH,
            cron="0" * 128,
            endpoint_path="/" + EMOJI * 256,
            tenant_id="t" * 128,
            held_name=EMOJI * MAX_NAME_LENGTH,
            changed_by=LONGEST_ARN,
            disabled_reason=EMOJI * 300,
        )
    )
    key = schedule_key("i" * 64, SCHEDULE_ID)
    return ScheduleRow(**key, **values, last_error=EMOJI * MAX_ERROR_LENGTH, last_run_at=NOW)


def payload_row(payload_bytes: int) -> Row:
    return PayloadRow(**payload_key("i" * 64, SCHEDULE_ID), payload="x" * payload_bytes, digest="0" * 64)


def version_row() -> Row:
    """Build the row of a version with as many endpoints as its manifest can have."""
    endpoints = [{"method": "GET", "path": f"{number:x}", "handler": "h"} for number in range(2_200)]
    manifest = {**registration_body()["manifest"], "api": {"endpoints": endpoints}}
    assert 0.95 < len(exact_json.dumps(manifest)) / MAX_MANIFEST_BYTES <= 1
    version = parse_registration(registration_body(manifest=manifest)).version
    return _row_from_version("r" * 128, version)


def config_row() -> Row:
    key = config_key("i" * 64)
    return ConfigRow(**key, config="x" * MAX_CONFIG_BYTES, secret_envelope="x" * MAX_CONFIG_BYTES)


LARGEST_ROWS: Mapping[str, Callable[[], Row]] = {
    "install": lambda: install_row(largest_limit("writes_per_minute")),
    "manual runs": lambda: ManualWindowRow(
        **manual_window_key("i" * 64, SCHEDULE_ID),
        write_sequence=10**15,
        writes=full_window(largest_limit("writes_per_minute")),
    ),
    "schedule": lambda: schedule_row(MAX_INLINE_PAYLOAD_BYTES),
    "schedule of an earlier release": lambda: schedule_row(largest_limit("max_payload_bytes")),
    "payload": lambda: payload_row(largest_limit("max_payload_bytes")),
    "version": version_row,
    "configuration": config_row,
}


@pytest.mark.parametrize("name", LARGEST_ROWS)
def test_largest_row_fits_an_item(name: str) -> None:
    assert item_size(LARGEST_ROWS[name]().serialize()) <= MAX_ITEM_BYTES - RESERVE_BYTES


@pytest.mark.parametrize(
    "row", [lambda: install_row(30_000), lambda: payload_row(410_000)], ids=["writes", "payload"]
)
def test_a_larger_limit_would_not_fit(row: Callable[[], Row]) -> None:
    assert item_size(row().serialize()) > MAX_ITEM_BYTES
