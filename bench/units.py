"""What an operation asks of AWS: its calls, and DynamoDB's units, counted on the table in memory."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scheduling.domain.errors import ValidationFailed
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_endpoints, list_schedules
from scheduling.operations.schedules.update import update_schedule

from bench.stage import INSTALL, PAYLOAD
from tests.support.aws_calls import Call
from tests.support.memory_table import MemoryTable
from tests.support.world import TABLE, World, changed, new_world, next_fire_of, wanted

Item = Mapping[str, Any]
_INDEX_KEYS = {"pending": "pendingSince", "installs": "installShard"}
LEAST: Mapping[str, tuple[int, int]] = {
    "list": (8, 0),  # the install and 49 rows of some 640 bytes
    "get": (2, 0),  # install and schedule
    "endpoints": (1, 0),  # the install; the version is known
    "create": (
        2,
        9,
    ),  # install and name; both and the row in a transaction, twice each; row settled; index in and out
    "update": (2, 7),  # install and schedule; both in a transaction; row settled; index in and out
    "delete": (2, 12),  # the same two; two transactions, of two rows and of three; index in and out
    "refused": (2, 0),  # install and name
    "fire": (4, 8),  # install, its configuration, schedule and run; two transactions of two rows
}
"""Units of consistent reads and of writes that no design with these guarantees does without."""


@dataclass(frozen=True)
class Asked:
    """Of one operation: the calls by name, and units of reads and of writes."""

    calls: Sequence[str]
    read: int
    written: int


class Meter:
    """Counts what a function of the world asks for."""

    def __init__(self, world: World, table: MemoryTable) -> None:
        self._world, self._table = world, table

    def asked(self, operation: Callable[[], object]) -> Asked:
        """By the operation, which is made."""
        self._read = self._written = 0
        calls = self._world.calls
        calls.made.clear()
        calls.before, calls.after = self._before, self._after
        operation()
        calls.before = calls.after = None
        return Asked(calls.operations(), self._read, self._written)

    def _before(self, call: Call) -> None:
        self._seen = len(self._table.changes)
        if call.operation == "BatchGetItem":
            ((_, given),) = call.arguments["RequestItems"].items()
            items = [self._table.items.get(self._table.key_of(key)) for key in given["Keys"]]
            self._read += sum(math.ceil(max(_size(item), 1) / 4096) for item in items)
        if call.operation == "Query":
            values = sorted(call.arguments["ExpressionAttributeValues"].items())
            partition, first, last = (value["S"] for _, value in values[:3])
            items = [
                item
                for item in self._table.items.values()
                if item["pk"]["S"] == partition and first <= item["sk"]["S"] <= last
            ]
            self._read += math.ceil(sum(map(_size, items)) / 4096)

    def _after(self, call: Call) -> None:
        times = 2 if call.operation == "TransactWriteItems" else 1
        for before, after in self._table.changes[self._seen :]:
            self._written += times * math.ceil(max(_size(before), _size(after)) / 1024)
            self._written += sum(
                (before or {}).get(key) != (after or {}).get(key) for key in _INDEX_KEYS.values()
            )


def _size(item: Item | None) -> int:
    """By DynamoDB's rule: names and values in UTF-8, numbers about half a byte a digit and one more."""
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
        return 3 + _size(content) + len(content)
    if kind == "L":
        return 3 + sum(map(_value_size, content)) + len(content)
    return len(content.encode())


def asked_by_operation() -> Mapping[str, Asked]:
    """On an install with 49 schedules, each operation once."""
    with new_world(aws="memory") as world:
        if world.memory is None:
            raise AssertionError("the world is not in memory")
        services = world.services
        world.register(INSTALL)
        made = [
            create_schedule(
                services, INSTALL, wanted(name=f"schedule {n}", cron=f"{n} * * * *", payload=PAYLOAD)
            )
            for n in range(49)
        ]
        one, other = made[20], made[30]
        fire = next_fire_of(world, one)
        operations: Mapping[str, Callable[[], object]] = {
            "list": lambda: list_schedules(services, INSTALL, limit=50),
            "get": lambda: get_schedule(services, INSTALL, one.id),
            "endpoints": lambda: list_endpoints(services, INSTALL),
            "create": lambda: create_schedule(services, INSTALL, wanted(name="new", payload=PAYLOAD)),
            "update": lambda: update_schedule(services, INSTALL, one.id, changed(cron="5 4 * * *")),
            "delete": lambda: delete_schedule(services, INSTALL, other.id),
            "refused": lambda: _refused(world),
            "fire": lambda: execute_fire(services, world.runner, fire),
        }
        meter = Meter(world, world.memory.tables[TABLE])
        order = ["list", "get", "endpoints", "refused", "fire", "create", "update", "delete"]
        found = {name: meter.asked(operations[name]) for name in order}
    return {name: found[name] for name in operations}


def _refused(world: World) -> None:
    try:
        create_schedule(world.services, INSTALL, wanted(name="new", cron="* * * * *"))
    except ValidationFailed:
        return
    raise AssertionError("a schedule of every minute was accepted")
