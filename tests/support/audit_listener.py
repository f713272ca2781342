"""Whoever has heard all events, in order, knows what there is: each begins where the one before it has ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scheduling.domain.audit import event_from_change
from scheduling.store.stream import parse_changes

from tests.support.memory_aws import MemoryAws
from tests.support.stream import stream_record
from tests.support.world import START, TABLE

Fields = Mapping[str, Any]
_OF_SCHEDULE = ("endpointMethod", "endpointPath", "name", "cron", "timezone", "enabled", "disabledReason")
_OF_INSTALL = ("registryId", "versionId", "contentHash", "enabled")


@dataclass
class Listener:
    """Hears the changes of a table, one by one."""

    memory: MemoryAws
    _known: dict[str, Fields] = field(default_factory=dict)
    _heard: int = 0

    def assert_heard(self) -> None:
        """What has been told by now is what stands in the table."""
        changes = self.memory.tables[TABLE].changes
        new = range(self._heard, len(changes))
        records = [stream_record(START, number, *changes[number]) for number in new]
        self._heard = len(changes)
        for event in filter(None, map(event_from_change, parse_changes({"Records": records}))):
            _hear(self._known, event.name, event.detail)
        assert self._known == _there_is(self.memory)


def assert_heard(memory: MemoryAws) -> None:
    """All that the table's changes tell is what stands in it."""
    Listener(memory).assert_heard()


def _hear(known: dict[str, Fields], name: str, detail: Fields) -> None:
    if name.startswith("Run"):
        return
    subject = detail.get("scheduleId") or detail["installId"]
    before, after = detail["before"], detail["after"]
    assert known.pop(subject, None) == _but_for_revision(before), f"{name}: {detail}"
    if after:
        known[subject] = _but_for_revision(after) or {}


def _but_for_revision(fields: Fields | None) -> Fields | None:
    """It also counts changes that change nothing."""
    return {name: value for name, value in fields.items() if name != "revision"} if fields else None


def _there_is(memory: MemoryAws) -> dict[str, Fields]:
    """What owner and platform see in the table."""
    found: dict[str, Fields] = {}
    for item in memory.tables[TABLE].items.values():
        row = {name: next(iter(value.values())) for name, value in item.items()}
        if row["type"] == "schedule" and row["state"] == "active":
            found[row["sk"].removeprefix("SCHEDULE#")] = {name: row.get(name) for name in _OF_SCHEDULE}
        if row["type"] == "install" and not row["deleting"]:
            granted, paused = sorted(row["grantedCapabilities"]), row.get("paused", False)
            stated = {name: row[name] for name in _OF_INSTALL}
            found[row["pk"].removeprefix("INSTALL#")] = {
                **stated,
                "grantedCapabilities": granted,
                "paused": paused,
            }
    return found
