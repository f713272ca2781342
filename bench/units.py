"""The AWS usage of an operation: its calls, and DynamoDB's units, counted on the table in memory."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scheduling.api.http import MAX_PAGE_BYTES
from scheduling.domain.errors import ValidationFailed
from scheduling.domain.install import Limits
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_endpoints, list_schedules
from scheduling.operations.schedules.update import update_schedule

from bench.stage import INSTALL, PAYLOAD
from tests.support.aws.calls import Call
from tests.support.aws.memory_table import MemoryTable
from tests.support.stacks.fires import execute_fire, next_hourly_fire
from tests.support.stacks.world import TABLE, World, create_input, new_world, update_input

Item = Mapping[str, Any]
LARGE_PAYLOAD = ["x" * 99_990]
_INDEXED = {
    "pending": ("pendingSince",),
    "installs": ("installShard",),
    "unhealthy": ("unhealthySince",),
    "tenants": ("createdAt", "payloadDigest"),  # which schedules alone have
}
"""The attributes by index whose change is a write of the index, too."""

MIN_UNITS: Mapping[str, tuple[int, int]] = {
    "list": (7, 0),  # the install and 49 rows of some 490 bytes
    "get": (3, 0),  # install, schedule, and the item of a large payload, absent here
    "endpoints": (1, 0),  # the install; the version is cached
    # install and name; both and the row in a transaction, twice each; marked synced; pending in and out, tenants in
    "create": (2, 10),
    "update": (3, 7),  # as get; install and schedule in a transaction; marked synced; index in and out
    # install and schedule; two transactions, of two rows and of three; pending in and out, tenants out
    "delete": (2, 13),
    "refused": (2, 0),  # install and name
    "fire": (5, 8),  # as get, configuration and run; two transactions of two rows
}
"""The units of consistent reads and of writes that any design with these guarantees needs."""

_PAYLOAD_READ, _PAYLOAD_WRITTEN = 25, 2 * 98
LARGE_MIN_UNITS: Mapping[str, tuple[int, int]] = {
    **MIN_UNITS,
    "list": (3 * 245, 0),  # a page of 2 MB, in requests of 1 MB, the last of which shows that there are more
    "get": (2 + _PAYLOAD_READ, 0),
    "create": (2, 10 + _PAYLOAD_WRITTEN),
    "update": (2 + _PAYLOAD_READ, 7),
    "delete": (2, 13 + _PAYLOAD_WRITTEN),
    "fire": (4 + _PAYLOAD_READ, 8),
}
"""The same with a payload of 100 KB: it is read where it is shown or sent, and written in a transaction."""


@dataclass(frozen=True)
class AwsUsage:
    """The calls of one operation, and its units of reads and of writes."""

    calls: Sequence[str]
    read_units: int
    write_units: int


Usage = Mapping[str, AwsUsage]
"""The usage of each operation."""


@dataclass(frozen=True)
class UsageBySize:
    """The usage with small payloads, and with those of 100 KB."""

    small: Usage
    large: Usage


class UsageMeter:
    """Counts the calls and units of operations in a world."""

    def __init__(self, world: World, table: MemoryTable) -> None:
        self._world, self._table = world, table

    def measure(self, operation: Callable[[], object]) -> AwsUsage:
        """Run the operation and return its usage."""
        self._read_units = self._write_units = 0
        calls = self._world.calls
        calls.recorded.clear()
        calls.before, calls.after = self._count_reads, self._count_writes
        operation()
        calls.before = calls.after = None
        return AwsUsage(calls.operation_names(), self._read_units, self._write_units)

    def _count_reads(self, call: Call) -> None:
        self._change_count = len(self._table.changes)
        if call.operation == "BatchGetItem":
            ((_, request),) = call.arguments["RequestItems"].items()
            items = [self._table.items.get(self._table.item_key(key)) for key in request["Keys"]]
            self._read_units += sum(math.ceil(max(_item_size(item), 1) / 4096) for item in items)
        if call.operation == "Query":
            items = self._table.read_page(call.arguments, query=True)["Items"]
            self._read_units += math.ceil(sum(map(_item_size, items)) / 4096)

    def _count_writes(self, call: Call) -> None:
        times = 2 if call.operation == "TransactWriteItems" else 1
        for before, after in self._table.changes[self._change_count :]:
            self._write_units += times * math.ceil(max(_item_size(before), _item_size(after)) / 1024)
            self._write_units += sum(
                any((before or {}).get(name) != (after or {}).get(name) for name in names)
                for names in _INDEXED.values()
            )


def _item_size(item: Item | None) -> int:
    """Return the size by DynamoDB's rule: names and values in UTF-8, a number half a byte per digit and one byte."""
    return sum(len(name.encode()) + _value_size(value) for name, value in (item or {}).items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "N":
        return math.ceil(len(content) / 2) + 1
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "SS":
        return sum(len(each.encode()) for each in content)
    if kind == "M":
        return 3 + _item_size(content) + len(content)
    if kind == "L":
        return 3 + sum(map(_value_size, content)) + len(content)
    return len(content.encode())


def measure_usage_by_size() -> UsageBySize:
    """Measure each operation with both sizes of payloads."""
    return UsageBySize(small=measure_usage(PAYLOAD), large=measure_usage(LARGE_PAYLOAD))


def measure_usage(payload: object) -> Usage:
    """Measure each operation once, on an install with 49 schedules that have the payload."""
    with new_world(Limits(), aws="memory") as world:
        if world.memory is None:
            raise AssertionError("the world is not in memory")
        services = world.services
        world.register_install(INSTALL)
        schedules = list(_create_schedules(world, payload))
        one, other = schedules[20], schedules[30]
        fire = next_hourly_fire(world, one)
        operations: Mapping[str, Callable[[], object]] = {
            "list": lambda: list_schedules(services, INSTALL, limit=50, max_bytes=MAX_PAGE_BYTES),
            "get": lambda: get_schedule(services, INSTALL, one.id),
            "endpoints": lambda: list_endpoints(services, INSTALL),
            "create": lambda: create_schedule(services, INSTALL, create_input(name="new", payload=payload)),
            "update": lambda: update_schedule(services, INSTALL, one.id, update_input(cron="5 4 * * *")),
            "delete": lambda: delete_schedule(services, INSTALL, other.id),
            "refused": lambda: _create_invalid(world),
            "fire": lambda: execute_fire(services, world.runner, fire),
        }
        meter = UsageMeter(world, world.memory.tables[TABLE])
        order = ["list", "get", "endpoints", "refused", "fire", "create", "update", "delete"]
        usage = {name: meter.measure(operations[name]) for name in order}
    return {name: usage[name] for name in operations}


def _create_schedules(world: World, payload: object) -> Iterator[Schedule]:
    """Create 49 schedules, no faster than the rate limit allows, so that the install's row is as long as in use."""
    for n in range(49):
        world.advance(seconds=10)
        schedule_input = create_input(name=f"schedule {n}", cron=f"{n} * * * *", payload=payload)
        yield create_schedule(world.services, INSTALL, schedule_input)


def measure_fire(payload: object) -> AwsUsage:
    """Measure a fire of a schedule with the payload."""
    with new_world(aws="memory") as world:
        if world.memory is None:
            raise AssertionError("the world is not in memory")
        world.register_install(INSTALL)
        schedule = create_schedule(world.services, INSTALL, create_input(payload=payload))
        fire = next_hourly_fire(world, schedule)
        meter = UsageMeter(world, world.memory.tables[TABLE])
        return meter.measure(lambda: execute_fire(world.services, world.runner, fire))


def _create_invalid(world: World) -> None:
    try:
        create_schedule(world.services, INSTALL, create_input(name="new", cron="* * * * *"))
    except ValidationFailed:
        return
    raise AssertionError("a schedule of every minute was accepted")
