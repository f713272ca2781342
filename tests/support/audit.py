"""What the audit tells of a world's table: its stream, by the template's filters, through the function itself."""

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
from tests.support.event_schema import violation
from tests.support.functions import Context, deployed, load
from tests.support.memory_aws import MemoryAws
from tests.support.stream import Record, stream_record
from tests.support.world import BUS, TABLE, World, aws_client, registration_body

_BATCH = 100
MOVER = "arn:aws:iam::123456789012:role/support"


@dataclass(frozen=True)
class Told:
    """One event as it was put on the bus."""

    name: str
    detail: Mapping[str, Any]

    def __str__(self) -> str:
        """What, by whom, and at which attempt of a run."""
        attempt = (self.detail["after"] or {}).get("attempt")
        return f"{self.name} by {self.detail['actor']['kind']}{'' if attempt is None else f' at {attempt}'}"

    @property
    def changes(self) -> Mapping[str, tuple[Any, Any]]:
        """What it shows as changed."""
        before, after = self.detail["before"], self.detail["after"]
        return {name: (before[name], after[name]) for name in after if before[name] != after[name]}


@dataclass
class Audit:
    """Tells, when it is asked, of what has changed since it was last asked."""

    world: World
    records: Callable[[], Sequence[Record]]
    seen: list[Record] = field(default_factory=list)

    def told(self) -> list[Told]:
        """The new events, none of them against the schema."""
        records = self.records()
        self.seen += records
        wanted = [record for record in records if any(matches_pattern(each, record) for each in patterns())]
        put = self.world.calls.made
        before = len(put)
        handler = load("audit").handler
        for start in range(0, len(wanted), _BATCH):
            answer = handler({"Records": wanted[start : start + _BATCH]}, Context())
            assert answer == {"batchItemFailures": []}
        entries = [
            entry
            for call in put[before:]
            if call.operation == "PutEvents"
            for entry in call.arguments["Entries"]
        ]
        return [_checked(entry) for entry in entries]

    def names(self) -> list[str]:
        """The same in short."""
        return [str(each) for each in self.told()]


def _checked(entry: Mapping[str, Any]) -> Told:
    assert entry["EventBusName"] == BUS
    detail = json.loads(entry["Detail"])
    assert violation(entry["Source"], entry["DetailType"], detail) is None
    return Told(entry["DetailType"], detail)


@cache
def patterns() -> tuple[Pattern, ...]:
    """What of the stream the template lets through."""
    (mapping,) = expanded_mappings().values()
    return tuple(parse_pattern(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"])


def expanded_mappings() -> dict[str, dict[str, Any]]:
    """The template's event source mappings."""
    template = expand_with_logical_ids()
    template.attributes["Table"]["StreamArn"] = "stream"
    return template.properties_by_type("AWS::Lambda::EventSourceMapping")


@contextmanager
def audited(world: World) -> Iterator[Audit]:
    """The audit of the world from now on."""
    records = _of_memory(world, world.memory) if world.memory else _of_moto(world)
    with deployed(world):
        yield Audit(world, records)


def _of_memory(world: World, memory: MemoryAws) -> Callable[[], Sequence[Record]]:
    changes = memory.tables[TABLE].changes
    at = len(changes)

    def records() -> Sequence[Record]:
        nonlocal at
        first, at = at, len(changes)
        return [stream_record(world.clock[0], number, *changes[number]) for number in range(first, at)]

    return records


def _of_moto(world: World) -> Callable[[], Sequence[Record]]:
    specification: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    table = aws_client("dynamodb").update_table(TableName=TABLE, StreamSpecification=specification)
    aws_client("events").create_event_bus(Name=BUS)
    plain = Config(account_id_endpoint_mode="disabled")  # moto knows no address with the account's id
    client = boto3.client("dynamodbstreams", config=plain)
    stream = TableStream(client, table["TableDescription"]["LatestStreamArn"])
    return lambda: [
        record for batch in stream.read_batches(lambda _: world.clock[0]) for record in batch.records
    ]


def move(world: World, install_id: InstallId) -> None:
    """Move the install, by `MOVER`, to a version without POST /api/sync, whatever uses that."""
    manifest = registration_body()["manifest"]
    endpoints = [each for each in manifest["api"]["endpoints"] if each["path"] != "/api/sync"]
    given = {**manifest, "version": "2.0.0", "api": {"endpoints": endpoints}}
    world.put(
        install_id,
        PutOptions(actor=admin_actor(MOVER), disable_missing=True),
        versionId="version-2",
        manifest=given,
    )
