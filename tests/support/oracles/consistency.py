"""Check that the table and EventBridge Scheduler agree, from the stored items and timers alone."""

import re
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from scheduling.domain.cron.eventbridge import eventbridge_expression
from scheduling.domain.cron.occurrences import resolve_one_time
from scheduling.domain.cron.one_time import parse_one_time
from scheduling.domain.cron.rule import parse_rule

from tests.support.stacks.world import TABLE, World, aws_client, timer_event

Item = Mapping[str, Any]


def scan_items() -> list[Item]:
    """Return all items of the table as plain values."""
    pages = aws_client("dynamodb").get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
    raw_items = [item for page in pages for item in page["Items"]]
    return [{name: next(iter(value.values())) for name, value in item.items()} for item in raw_items]


def assert_consistent(world: World) -> None:
    """Assert that rows, names, payloads and counts match, no row is pending, and the timers are those of the rows."""
    table = scan_items()
    schedules = [item for item in table if item["type"] == "schedule"]
    installs = {item["pk"]: item for item in table if item["type"] == "install"}
    assert [item["sk"] for item in table if "pendingSince" in item] == []
    assert {item["state"] for item in schedules} <= {"active"}
    assert {item["pk"] for item in schedules} <= set(installs), "a schedule without its install"
    assert [key for key, install in installs.items() if "removedEndpoints" in install] == []
    _assert_endpoints(table, installs)
    _assert_tenants(table, installs)
    kept = [item for item in schedules if item.get("disabledReason") != "completed"]
    counted = Counter(item["pk"] for item in kept)
    for key, install in installs.items():
        assert int(install["scheduleCount"]) == counted[key], f"the count of {key}"
    assert _read_names(table) == _expected_names(kept)
    assert _read_payloads(table) == _expected_payloads(schedules)
    assert _read_timers(world) == {
        item["sk"].removeprefix("SCHEDULE#"): _expected_timer(item)
        for item in schedules
        if not _has_passed(item, world)
        and item["enabled"]
        and installs[item["pk"]]["enabled"]
        and "paused" not in installs[item["pk"]]
    }


def _assert_endpoints(table: list[Item], installs: Mapping[str, Item]) -> None:
    """Assert that every enabled schedule has its endpoint in the installed version."""
    versions = {
        (item["pk"], item["sk"]): _declared_endpoints(item) for item in table if item["type"] == "version"
    }
    for item in table:
        if item["type"] == "schedule" and item["enabled"]:
            install = installs[item["pk"]]
            declared = versions[f"VERSION#{install['registryId']}", f"VERSION#{install['versionId']}"]
            assert (item["endpointMethod"], item["endpointPath"]) in declared, f"{item['sk']} has no endpoint"


def _declared_endpoints(version: Item) -> set[tuple[str, str]]:
    return {(each["M"]["method"]["S"], each["M"]["path"]["S"]) for each in version["endpoints"]}


def _assert_tenants(table: list[Item], installs: Mapping[str, Item]) -> None:
    """Assert that each install is listed under its tenant and paused exactly if its tenant is."""
    members = {(item["pk"], item["sk"]) for item in table if item["type"] == "tenantInstall"}
    assert members == {(f"TENANT#{install['tenantId']}", key) for key, install in installs.items()}
    paused = {item["pk"] for item in table if item["type"] == "tenant" and item["paused"]}
    for key, install in installs.items():
        assert ("paused" in install) == (f"TENANT#{install['tenantId']}" in paused), (
            f"{key} differs from its tenant"
        )


def _read_names(table: list[Item]) -> set[tuple[str, str, str]]:
    return {
        (item["pk"], item["sk"].removeprefix("UNIQUE#"), item["scheduleId"])
        for item in table
        if item["type"] == "name"
    }


def _expected_names(schedules: list[Item]) -> set[tuple[str, str, str]]:
    named = [item for item in schedules if "name" in item]
    return {(item["pk"], item["name"], item["sk"].removeprefix("SCHEDULE#")) for item in named}


def _read_payloads(table: list[Item]) -> set[tuple[str, str, str]]:
    """Return the items of payloads, each of which has the digest of its text, as the keys of their schedules."""
    items = [item for item in table if item["type"] == "payload"]
    assert all(sha256(item["payload"].encode()).hexdigest() == item["digest"] for item in items)
    return {(item["pk"], item["sk"].removesuffix("#PAYLOAD"), item["digest"]) for item in items}


def _expected_payloads(schedules: list[Item]) -> set[tuple[str, str, str]]:
    assert [item["sk"] for item in schedules if "payload" in item and "payloadDigest" in item] == []
    return {(item["pk"], item["sk"], item["payloadDigest"]) for item in schedules if "payloadDigest" in item}


_Timer = tuple[str, str, int, str, int]
"""The expression, zone and window of a timer, and the install and revision in its input."""


def _expected_timer(item: Item) -> _Timer:
    """Return the timer of a row, in a stack without a spread of its own."""
    install_id, spread = item["pk"].removeprefix("INSTALL#"), int(item.get("spreadMinutes", 0))
    revision = int(item["timerRevision"])
    return _expected_expression(item["cron"]), item["timezone"], spread, install_id, revision


def _has_passed(item: Item, world: World) -> bool:
    """Return whether the timer of the row, if it had one, has deleted itself."""
    if not item["cron"].startswith("at("):
        return False
    return resolve_one_time(parse_one_time(item["cron"]), item["timezone"]).utc <= world.clock[0]


def _expected_expression(cron: str) -> str:
    """Return the expression of a rule; that of `M * * * *`, which most tests use, without the layer's translator."""
    hourly = re.fullmatch(r"(\d|[1-5]\d) \* \* \* \*", cron)
    return f"cron({hourly[1]} * * * ? *)" if hourly else eventbridge_expression(parse_rule(cron))


def _read_timers(world: World) -> dict[str, _Timer]:
    timers = {}
    for name, timer in world.read_timers().items():
        timer_input = timer_event(timer)
        assert timer_input["scheduleId"] == name
        zone, expression = timer["ScheduleExpressionTimezone"], timer["ScheduleExpression"]
        spread = timer["FlexibleTimeWindow"].get("MaximumWindowInMinutes", 0)
        timers[name] = (expression, zone, spread, timer_input["installId"], timer_input["revision"])
    return timers
