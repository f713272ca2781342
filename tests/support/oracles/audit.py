"""The events of a world's table: its stream, filtered as in the template and published by the audit function."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from scheduling.domain.ids import InstallId, admin_actor
from scheduling.operations.installs.register import PutOptions

from local.lambda_.patterns import Pattern, matches_pattern, parse_pattern
from local.lambda_.streams import TableStream
from scripts.iam_table import expand_with_logical_ids
from tests.support.aws.memory import MemoryAws
from tests.support.aws.stream_records import Record, stream_record
from tests.support.oracles.event_schema import find_violation
from tests.support.stacks.functions import Context, deploy_functions, load_function
from tests.support.stacks.world import BUS, TABLE, World, aws_client, registration_body

_BATCH_SIZE = 100
MOVER_ROLE_ARN = "arn:aws:iam::123456789012:role/support"


@dataclass(frozen=True)
class PublishedEvent:
    """One event as sent to the bus."""

    name: str
    detail: Mapping[str, Any]

    def __str__(self) -> str:
        """Return event, actor and, for a run, the attempt."""
        attempt = (self.detail["after"] or {}).get("attempt")
        return f"{self.name} by {self.detail['actor']['kind']}{'' if attempt is None else f' at {attempt}'}"

    @property
    def changes(self) -> Mapping[str, tuple[Any, Any]]:
        """Return the changed fields, before and after."""
        before, after = self.detail["before"], self.detail["after"]
        return {name: (before[name], after[name]) for name in after if before[name] != after[name]}


@dataclass
class Audit:
    """Publishes, on request, the changes since the last request."""

    world: World
    read_records: Callable[[], Sequence[Record]]
    all_records: list[Record] = field(default_factory=list)

    def publish_new_events(self) -> list[PublishedEvent]:
        """Publish and return the new events; fail if one violates the schema."""
        records = self.read_records()
        self.all_records += records
        return self.publish_events(records)

    def publish_events(self, records: Sequence[Record]) -> list[PublishedEvent]:
        """Publish and return the events of the records; fail if one violates the schema."""
        matching = [
            record for record in records if any(matches_pattern(each, record) for each in stream_patterns())
        ]
        calls = self.world.calls.recorded
        before = len(calls)
        handler = load_function("audit").handler
        for start in range(0, len(matching), _BATCH_SIZE):
            response = handler({"Records": matching[start : start + _BATCH_SIZE]}, Context())
            assert response == {"batchItemFailures": []}
        entries = [
            entry
            for call in calls[before:]
            if call.operation == "PutEvents"
            for entry in call.arguments["Entries"]
        ]
        return [_parse_entry(entry) for entry in entries]

    def publish_new_event_names(self) -> list[str]:
        """Publish the new events and return their summaries."""
        return [str(each) for each in self.publish_new_events()]


def _parse_entry(entry: Mapping[str, Any]) -> PublishedEvent:
    assert entry["EventBusName"] == BUS
    detail = json.loads(entry["Detail"])
    assert find_violation(entry["Source"], entry["DetailType"], detail) is None
    return PublishedEvent(entry["DetailType"], detail)


@cache
def stream_patterns() -> tuple[Pattern, ...]:
    """Return the filters of the template's event source mapping."""
    mapping = template_event_sources()["AuditMapping"]
    return tuple(parse_pattern(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"])


def template_event_sources() -> dict[str, dict[str, Any]]:
    """Return the template's event source mappings."""
    template = expand_with_logical_ids()
    template.attributes["Table"]["StreamArn"] = "stream"
    return template.properties_by_type("AWS::Lambda::EventSourceMapping")


@contextmanager
def start_audit(world: World) -> Iterator[Audit]:
    """Audit the changes of the world from now on."""
    records = _memory_record_reader(world, world.memory) if world.memory else _moto_record_reader(world)
    with deploy_functions(world):
        yield Audit(world, records)


def _memory_record_reader(world: World, memory: MemoryAws) -> Callable[[], Sequence[Record]]:
    changes = memory.tables[TABLE].changes
    position = len(changes)

    def read_records() -> Sequence[Record]:
        nonlocal position
        first, position = position, len(changes)
        return [stream_record(world.clock[0], number, *changes[number]) for number in range(first, position)]

    return read_records


def _moto_record_reader(world: World) -> Callable[[], Sequence[Record]]:
    specification: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    table = aws_client("dynamodb").update_table(TableName=TABLE, StreamSpecification=specification)
    aws_client("events").create_event_bus(Name=BUS)
    config = Config(account_id_endpoint_mode="disabled")  # moto has no endpoint with the account id
    client = boto3.client("dynamodbstreams", config=config)
    stream = TableStream(client, table["TableDescription"]["LatestStreamArn"])
    return lambda: [
        record for batch in stream.read_batches(lambda _: world.clock[0]) for record in batch.records
    ]


def move_install(world: World, install_id: InstallId) -> None:
    """Move the install, as `MOVER_ROLE_ARN`, to a version without POST /api/sync, and disable its schedules."""
    manifest = registration_body()["manifest"]
    endpoints = [each for each in manifest["api"]["endpoints"] if each["path"] != "/api/sync"]
    new_manifest = {**manifest, "version": "2.0.0", "api": {"endpoints": endpoints}}
    world.put_install(
        install_id,
        PutOptions(actor=admin_actor(MOVER_ROLE_ARN), disable_missing=True),
        versionId="version-2",
        manifest=new_manifest,
    )
