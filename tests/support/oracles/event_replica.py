"""A replica built from the events alone: each event must begin where the previous one ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scheduling.domain.audit.events import event_from_change
from scheduling.store.stream import parse_changes

from tests.support.aws.memory import MemoryAws
from tests.support.aws.stream_records import stream_record
from tests.support.stacks.world import START, TABLE

Fields = Mapping[str, Any]
_SCHEDULE_FIELDS = (
    "endpointMethod", "endpointPath", "name", "cron", "timezone", "enabled", "pauseAfterFailures", "spreadMinutes",
    "disabledReason",
)  # fmt: skip
_INSTALL_FIELDS = ("registryId", "versionId", "contentHash", "extensionName", "extensionVersion", "enabled")


@dataclass
class EventReplica:
    """The schedules and installs as a subscriber to all events reconstructs them."""

    memory: MemoryAws
    _entities: dict[str, Fields] = field(default_factory=dict)
    _revisions: dict[str, int] = field(default_factory=dict)
    _applied_changes: int = 0

    def assert_matches_table(self) -> None:
        """Apply the new events and assert that the replica equals the table."""
        changes = self.memory.tables[TABLE].changes
        new = range(self._applied_changes, len(changes))
        records = [stream_record(START, number, *changes[number]) for number in new]
        self._applied_changes = len(changes)
        for event in filter(None, map(event_from_change, parse_changes({"Records": records}).changes)):
            _apply_event(self._entities, event.name, event.detail)
            self._check_revision(event.detail)
        assert self._entities == _read_entities(self.memory)

    def _check_revision(self, detail: Fields) -> None:
        """Assert that no two states of a schedule have the same number, those that are rolled back included."""
        revision = (detail["after"] or {}).get("revision")
        if revision is not None:
            assert revision > self._revisions.get(detail["scheduleId"], 0), detail
            self._revisions[detail["scheduleId"]] = revision


def assert_events_match_table(memory: MemoryAws) -> None:
    """Assert that the events of all changes of the table reconstruct it."""
    EventReplica(memory).assert_matches_table()


def _apply_event(entities: dict[str, Fields], name: str, detail: Fields) -> None:
    if name.startswith("Run"):
        return
    entity_id = detail.get("scheduleId") or detail["installId"]
    before, after = detail["before"], detail["after"]
    assert entities.pop(entity_id, None) == _without_revision(before), f"{name}: {detail}"
    if after:
        entities[entity_id] = _without_revision(after) or {}


def _without_revision(fields: Fields | None) -> Fields | None:
    """Leave out the revision, which also counts changes without a visible effect."""
    return {name: value for name, value in fields.items() if name != "revision"} if fields else None


def _read_entities(memory: MemoryAws) -> dict[str, Fields]:
    """Return what owner and platform can read in the table."""
    entities: dict[str, Fields] = {}
    for item in memory.tables[TABLE].items.values():
        row = {name: _read_value(value) for name, value in item.items()}
        if row["type"] == "schedule" and row["state"] == "active":
            entities[row["sk"].removeprefix("SCHEDULE#")] = {name: row.get(name) for name in _SCHEDULE_FIELDS}
        if row["type"] == "install" and not row["deleting"]:
            granted, paused = sorted(row["grantedCapabilities"]), row.get("paused", False)
            fields = {name: row[name] for name in _INSTALL_FIELDS}
            entities[row["pk"].removeprefix("INSTALL#")] = {
                **fields,
                "grantedCapabilities": granted,
                "paused": paused,
            }
    return entities


def _read_value(attribute: Mapping[str, Any]) -> Any:
    """Return the value of an attribute; all numbers in these rows are whole."""
    ((kind, value),) = attribute.items()
    return int(value) if kind == "N" else value
