"""The service on moto or on the in-memory AWS, in this process, with a clock that tests move."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal, NamedTuple
from unittest.mock import patch
from uuid import uuid4

import boto3
import moto.core.models
import pytest
from botocore.awsrequest import AWSRequest
from botocore.session import Session
from botocore.signers import RequestSigner
from moto import mock_aws
from moto.sqs.models import sqs_backends
from pynamodb.connection import Connection
from scheduling.api.observability import bind_install, bind_run
from scheduling.api.parsing import parse_schedule_input
from scheduling.api.registration import parse_registration
from scheduling.clients.queue import OccurrenceQueue
from scheduling.clients.scheduler import TimerClient
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import Limits
from scheduling.domain.rules import ScheduleInput
from scheduling.domain.runs import Execution, Fire, Outcome, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import PutOptions, PutResult, put_install
from scheduling.operations.services import Services
from scheduling.settings import TimerSettings
from scheduling.store.connection import connect
from scheduling.store.installs import InstallStore
from scheduling.store.runs import ManualRunStore, RunStore
from scheduling.store.schedules import ScheduleStore
from scheduling.store.sweeps import SweepStore
from scheduling.store.tenants import TenantStore

from local.moto.conditions import patch_conditions
from local.moto.http import patch_service_lookup
from local.moto.queries import patch_queries
from local.moto.serializer import patch_serializers
from local.moto.transactions import patch_transactions
from tests.support.aws.calls import AwsCalls, watch_calls
from tests.support.aws.memory import MemoryAws, use_memory_aws

ACCOUNT, REGION = "123456789012", "eu-central-1"
TABLE, GROUP, BUS = "scheduling-test", "scheduling-test", "scheduling-test"
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TIMER_SETTINGS = TimerSettings(
    schedule_group_name=GROUP,
    occurrence_queue_url="https://sqs.eu-central-1.amazonaws.com/123456789012/occurrences",
    timer_role_arn="arn:aws:iam::123456789012:role/timer",
    timer_dlq_arn="arn:aws:sqs:eu-central-1:123456789012:timer-dead-letters",
)
Aws = Literal["moto", "memory", "mixed"]
"""What stands in for AWS: moto, the in-memory AWS, or the latter for `MIXED` and moto for all other services."""
MIXED = frozenset({"dynamodb", "scheduler", "cloudformation"})
DEAD_LETTER_QUEUE_URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/dead-letters"

TENANT = "tenant-1"
ADMIN = "admin:arn:aws:iam::123456789012:role/platform"
PUT_OPTIONS = PutOptions(actor=ADMIN)
UNKNOWN_SCHEDULE_ID = ScheduleId("01a20745-4897-4f81-a91e-a0d09962b8d6")
"""A valid id of no schedule."""

# moto's patterns for clients other than botocore, some thousand, which it would compile for each world.
moto.core.models.RESPONSES_METHODS.clear()
patch_transactions()
patch_queries()
patch_serializers()
patch_conditions()
patch_service_lookup()

on_moto_and_memory = pytest.mark.parametrize("world", ["moto", "memory"], indirect=True)
"""Runs a module's tests on moto and on the in-memory AWS, so that the two stay equivalent."""

on_moto = pytest.mark.parametrize("world", ["moto"], indirect=True)
"""Runs a test on moto alone, if it needs what the in-memory AWS lacks or refuses: streams, or timers of others."""


class FakeRunner:
    """A runner with the outcome that a test sets; records the executions."""

    def __init__(self) -> None:
        self.outcome = Outcome(status=RunStatus.SUCCESS, http_status=200)
        self.executions: list[Execution] = []

    @property
    def fires(self) -> list[Fire]:
        """The fires of the executions."""
        return [execution.fire for execution in self.executions]

    def __call__(self, execution: Execution) -> Outcome:
        self.executions.append(execution)
        return self.outcome


class SentMessage(NamedTuple):
    """A message in a queue."""

    event: Mapping[str, Any]
    group: str
    delay: int
    attributes: Mapping[str, str]


@dataclass
class World:
    """One table and one schedule group."""

    services: Services
    calls: AwsCalls
    runner: FakeRunner
    clock: list[datetime]
    memory: MemoryAws | None = None

    def advance(self, **span: float) -> None:
        """Advance the clock."""
        self.clock[0] += timedelta(**span)

    def register_install(self, install_id: InstallId | None = None, **fields: object) -> InstallId:
        """Register or change an install; the body is `registration_body` changed by `fields`."""
        install_id = install_id or InstallId(str(uuid4()))
        self.put_install(install_id, PUT_OPTIONS, **fields)
        return install_id

    def put_install(
        self, install_id: InstallId, options: PutOptions = PUT_OPTIONS, **fields: object
    ) -> PutResult:
        """Register or change an install, with options, and return the result."""
        return put_install(
            self.services, install_id, parse_registration(registration_body(**fields)), options
        )

    def scan_rows(self, install_id: InstallId) -> Sequence[Mapping[str, Any]]:
        """Return the install's items as plain values."""
        client = aws_client("dynamodb")
        items = client.scan(TableName=TABLE, ConsistentRead=True)["Items"]
        plain = [{name: next(iter(value.values())) for name, value in item.items()} for item in items]
        return [item for item in plain if item["pk"] == f"INSTALL#{install_id}"]

    def scan_rows_of_type(self, install_id: InstallId, kind: str) -> Sequence[Mapping[str, Any]]:
        """Return the install's items of one type."""
        return [row for row in self.scan_rows(install_id) if row["type"] == kind]

    def list_sent_messages(
        self, queue_url: str = TIMER_SETTINGS.occurrence_queue_url
    ) -> Sequence[SentMessage]:
        """Return the messages that were sent to the queue, oldest first."""
        sent = [call.arguments for call in self.calls.recorded if call.operation == "SendMessage"]
        return [
            SentMessage(
                json.loads(each["MessageBody"]),
                each["MessageGroupId"],
                each.get("DelaySeconds", 0),
                {name: value["StringValue"] for name, value in each.get("MessageAttributes", {}).items()},
            )
            for each in sent
            if each["QueueUrl"] == queue_url
        ]

    def list_executor_events(self) -> Sequence[Mapping[str, Any]]:
        """Return the events in the queue of occurrences."""
        return [message.event for message in self.list_sent_messages()]

    def read_timers(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the timers in EventBridge Scheduler by name."""
        client = aws_client("scheduler")
        pages = client.get_paginator("list_schedules").paginate(GroupName=GROUP)
        names = [timer["Name"] for page in pages for timer in page["Schedules"]]
        raw_timers = {name: dict(client.get_schedule(GroupName=GROUP, Name=name)) for name in names}
        return {name: timer | {"ResponseMetadata": None} for name, timer in raw_timers.items()}


@cache
def aws_client(service: str) -> Any:
    """Return one client for all worlds, since creating one takes longer than most tests."""
    return boto3.client(service)  # type: ignore[call-overload]


def registration_body(**fields: object) -> dict[str, Any]:
    """Build the body of a PUT of an install whose version has four endpoints."""
    return {
        "tenantId": TENANT,
        "registryId": "registry-1",
        "versionId": "version-1",
        "contentHash": "sha256:" + "0" * 64,
        "manifest": {
            "name": "sample",
            "publisher": "tests",
            "version": "1.0.0",
            "capabilities": ["cap:scheduler.manage", "cap:http.fetch"],
            "api": {
                "endpoints": [
                    {"method": "POST", "path": "/api/sync", "handler": "sync"},
                    {"method": "GET", "path": "/api/both", "handler": "both_get"},
                    {"method": "POST", "path": "/api/both", "handler": "both_post"},
                    {"method": "GET", "path": "/api/items/:id", "handler": "item"},
                ]
            },
        },
        "grantedCapabilities": ["cap:scheduler.manage"],
        **fields,
    }


def create_input(**fields: object) -> ScheduleInput:
    """Build the input of a create: hourly, POST /api/sync, changed by `fields`."""
    return parse_schedule_input({"endpoint": "POST /api/sync", "cron": "0 * * * *", **fields})


def update_input(**fields: object) -> ScheduleInput:
    """Build the input of an update."""
    return parse_schedule_input(fields)


@contextmanager
def new_world(limits: Limits | None = None, *, aws: Aws = "mixed") -> Iterator[World]:
    """Start a new, empty world."""
    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_DEFAULT_REGION=REGION)
    os.environ.pop("AWS_ENDPOINT_URL", None)
    with (
        patch.object(RequestSigner, "sign", _name_signer),
        _start_aws(aws) as stand_in,
        watch_calls() as calls,
    ):
        create_resources()
        if aws != "memory":
            create_queues(TIMER_SETTINGS.occurrence_queue_url, DEAD_LETTER_QUEUE_URL)
        connection = connect(TABLE)
        clock = [START]
        services = _create_services(connection, limits or Limits(writes_per_minute=1000), lambda: clock[0])
        world = World(
            services, calls, FakeRunner(), clock, stand_in if isinstance(stand_in, MemoryAws) else None
        )
        calls.recorded.clear()
        yield world


def _name_signer(
    signer: RequestSigner, _operation: str, request: AWSRequest, *_: object, **__: object
) -> None:
    """Name key and region, but compute no signature: it takes as long as moto's work, and moto checks none."""
    key = signer._credentials.get_frozen_credentials().access_key  # type: ignore[attr-defined]
    request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={key}/20261123/{REGION}/aws4_request"


@contextmanager
def _start_aws(aws: Aws) -> Iterator[object]:
    """Start the AWS stand-in; in memory, the indexes have two shards instead of sixteen to save queries."""
    if aws == "moto":
        with mock_aws() as moto:
            yield moto
        return
    modules = "scheduling.store"
    with (
        mock_aws() if aws == "mixed" else nullcontext(),
        use_memory_aws(only=MIXED if aws == "mixed" else None) as memory,
        patch(f"{modules}.schedules.SHARDS", "01"),
        patch(f"{modules}.sweeps.SHARDS", "01"),
        patch(f"{modules}.sweeps.index_shard", _shard_of_two),
        patch(f"{modules}.mapping.index_shard", _shard_of_two),
        patch(f"{modules}.schedule_items.run_ends.index_shard", _shard_of_two),
        patch(f"{modules}.schedule_items.index_repairs.index_shard", _shard_of_two),
        patch(f"{modules}.schedule_items.unhealthy.SHARDS", "01"),
    ):
        yield memory


def _shard_of_two(identifier: str) -> str:
    return str(sum(identifier.encode()) % 2)


def _create_services(connection: Connection, limits: Limits, clock: Callable[[], datetime]) -> Services:
    elapsed = [time.monotonic()]

    def sleep(seconds: float) -> None:
        elapsed[0] += seconds

    return Services(
        tenants=TenantStore(connection),
        installs=InstallStore(connection),
        schedules=ScheduleStore(connection),
        runs=RunStore(connection, limits.run_retention),
        manual_runs=ManualRunStore(connection),
        sweeps=SweepStore(connection),
        timers=_timer_client(connection.session),
        queue=_queue_client(),
        limits=limits,
        clock=clock,
        sleep=sleep,
        monotonic=lambda: elapsed[0],
        bind_install=bind_install,
        bind_run=bind_run,
        lease=timedelta(seconds=50),
    )


@cache
def _timer_client(session: Session) -> TimerClient:
    """Return a timer client that uses the one botocore client of all worlds."""
    return TimerClient(session, TIMER_SETTINGS)


@cache
def _queue_client() -> OccurrenceQueue:
    """Return the one client of all worlds; its own session keeps no profile of an earlier operator test."""
    return OccurrenceQueue(Session(), TIMER_SETTINGS.occurrence_queue_url, DEAD_LETTER_QUEUE_URL)


def create_resources() -> None:
    """Create the table and the schedule group as template.yaml defines them."""
    indexes = [
        _index("pending", "pendingShard", "pendingSince", projected="type"),
        _index("installs", "installShard", "pk", projected="type"),
        _index("tenants", "tenantId", "pk", "createdAt", projected="payloadDigest"),
        _index("unhealthy", "unhealthyShard", "unhealthySince", projected="type"),
    ]
    keys = [_key_schema("pk", "sk"), *(index["KeySchema"] for index in indexes)]
    names = dict.fromkeys(key["AttributeName"] for schema in keys for key in schema)
    aws_client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=keys[0],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        GlobalSecondaryIndexes=indexes,
    )
    aws_client("scheduler").create_schedule_group(Name=GROUP)


def _index(name: str, *key_names: str, projected: str) -> dict[str, Any]:
    projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": [projected]}
    return {"IndexName": name, "KeySchema": _key_schema(*key_names), "Projection": projection}


def _key_schema(hash_name: str, *range_names: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hash_name, "KeyType": "HASH"},
        *({"AttributeName": name, "KeyType": "RANGE"} for name in range_names),
    ]


def create_queues(*urls: str) -> None:
    """Create queues in moto, without requests, which would take most of a world's start; in memory, any URL is one."""
    for url in urls:
        sqs_backends[ACCOUNT][REGION].create_queue(url.rpartition("/")[2])


def read_timer_input(world: World, schedule: Schedule) -> dict[str, Any]:
    """Return the event that the schedule's timer sends to the queue."""
    return timer_event(world.read_timers()[schedule.id])


def timer_event(timer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event that a timer sends."""
    return dict(json.loads(json.loads(timer["Target"]["Input"])["MessageBody"]))


def with_timer_event(target: Mapping[str, Any], **fields: object) -> dict[str, Any]:
    """Return the target of a timer with other fields in its event."""
    target_input = json.loads(target["Input"])
    body = json.dumps({**json.loads(target_input["MessageBody"]), **fields})
    return {**target, "Input": json.dumps({**target_input, "MessageBody": body})}
