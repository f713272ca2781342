"""The service on a session with the layer's trimmed service models, against moto."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from botocore.client import BaseClient
from botocore.model import OperationModel
from botocore.session import Session
from scheduling.clients.event_bus import EventBusClient
from scheduling.clients.lambda_ import FunctionClient
from scheduling.clients.queue import OccurrenceQueue
from scheduling.clients.secrets import CURRENT_STAGE, PREVIOUS_STAGE, Secret
from scheduling.domain.audit.events import AuditEvent, EventName
from scheduling.domain.runs import RunStatus
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_endpoints, list_runs, list_schedules
from scheduling.operations.schedules.update import update_schedule
from scheduling.store.connection import connect
from scheduling.store.models import Row

from tests.support.aws.calls import Call, Killed, make_api_call
from tests.support.aws.trimmed_botocore import TRIM, copy_botocore, create_loader, trimmed_copy
from tests.support.stacks.fires import execute_fire, next_hourly_fire
from tests.support.stacks.world import (
    ADMIN,
    BUS,
    GROUP,
    START,
    TABLE,
    TENANT,
    TIMER_SETTINGS,
    World,
    aws_client,
    create_input,
    on_moto,
    update_input,
)

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trimmed package."""
    return trimmed_copy(tmp_path_factory.mktemp("trimmed") / "botocore")


@pytest.fixture(scope="module")
def called_operations() -> set[str]:
    """The operations that the trimmed session's clients have called."""
    return set()


@pytest.fixture(scope="module")
def session(package: Path, called_operations: set[str]) -> Iterator[Session]:
    """The session of the service's DynamoDB client; other modules of the process have another one."""

    def record(**call: Any) -> None:
        model: OperationModel = call["model"]
        called_operations.add(f"{model.service_model.service_name}:{model.name}")

    with patch.object(Row, "_connection", None):
        session = connect(TABLE).session
        session.register_component("data_loader", create_loader(package))
        session.register("before-call", record)
        yield session


def manage_schedules(world: World, _session: Session) -> None:
    install_id = world.register_install()
    schedule = create_schedule(
        world.services, install_id, create_input(name="hourly", payload={"full": True})
    )
    assert get_schedule(world.services, install_id, schedule.id).definition.payload == '{"full":true}'
    assert [listed.id for listed in list_schedules(world.services, install_id, limit=50).schedules] == [
        schedule.id
    ]
    assert len(list_endpoints(world.services, install_id)) == 4

    updated = update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))
    assert world.read_timers()[schedule.id]["ScheduleExpression"] == "cron(5 * * * ? *)"
    assert updated.definition.cron == "5 * * * *"

    delete_schedule(world.services, install_id, schedule.id)
    assert list_schedules(world.services, install_id, limit=50).schedules == []
    assert world.read_timers() == {}


def run_schedules(world: World, session: Session) -> None:
    install_id = world.register_install()
    schedule = create_schedule(world.services, install_id, create_input())
    execute_fire(world.services, world.runner, next_hourly_fire(world, schedule))
    queue = OccurrenceQueue(session, TIMER_SETTINGS.occurrence_queue_url)
    manual = run_now(world.services, queue.send_fire, install_id, schedule.id, "key", actor=ADMIN)
    execute_fire(world.services, world.runner, manual)

    runs = list_runs(world.services, install_id, schedule.id, limit=50).runs
    assert [run.status for run in runs] == [RunStatus.SUCCESS] * 2
    assert [event["scheduleId"] for event in world.list_executor_events()] == [schedule.id]


def pause_and_uninstall(world: World, _session: Session) -> None:
    install_id = world.register_install()
    create_schedule(world.services, install_id, create_input())
    set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)
    assert world.read_timers() == {}

    delete_install(world.services, install_id, actor=ADMIN)
    assert {row["type"] for row in world.scan_rows(install_id)} <= {"run"}


def repair(world: World, _session: Session) -> None:
    """Repair what a create has left pending, and in a sweep, a missing timer and a name without a schedule."""
    install_id = world.register_install()
    schedule = create_schedule(world.services, install_id, create_input(name="hourly"))
    world.calls.before = _die_at_create_schedule
    with suppress(Killed):
        create_schedule(world.services, install_id, create_input())
    world.calls.before = None
    world.advance(seconds=61)
    assert reconcile(world.services).synced == 1

    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=schedule.id)
    unused_name = {
        "pk": f"INSTALL#{install_id}",
        "sk": "UNIQUE#unused",
        "type": "name",
        "scheduleId": str(uuid4()),
    }
    aws_client("dynamodb").put_item(
        TableName=TABLE, Item={name: {"S": text} for name, text in unused_name.items()}
    )
    sweep(world.services, timedelta(hours=24))
    world.advance(hours=25)
    for _ in range(3):
        sweep(world.services, timedelta(hours=24))
    assert len(world.read_timers()) == 2
    assert [row["sk"] for row in world.scan_rows_of_type(install_id, "name")] == ["UNIQUE#hourly"]


def _die_at_create_schedule(call: Call) -> None:
    if call.operation == "CreateSchedule":
        raise Killed


def publish(_world: World, session: Session) -> None:
    aws_client("events").create_event_bus(Name=BUS)
    event = AuditEvent(name=EventName.RUN_FAILED, sequence="1", time=START, detail={"n": 1})
    assert EventBusClient(session, BUS).put_events([event]) == [event]


def read_secrets(_world: World, session: Session) -> None:
    secrets = aws_client("secretsmanager")
    secret_id = secrets.create_secret(Name="token", SecretString="first")["ARN"]
    secrets.put_secret_value(SecretId=secret_id, SecretString="second")
    assert Secret(session, secret_id, (CURRENT_STAGE, PREVIOUS_STAGE)).read_values() == ("second", "first")


class _Function(BaseHTTPRequestHandler):
    """Lambda's endpoint, with a function that returns its event."""

    def do_POST(self) -> None:
        """Answer an invocation."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


def invoke_function(_world: World, session: Session) -> None:
    """Invoke a function past the recorder of calls, which would answer in Lambda's place."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Function) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        with (
            patch.dict(os.environ, {"AWS_ENDPOINT_URL_LAMBDA": endpoint}),
            patch.object(BaseClient, "_make_api_call", make_api_call),
        ):
            client = FunctionClient(session, "arn:aws:lambda:eu-central-1:123456789012:function:f", 1)
            assert client.invoke_function({"n": 1}) == {"n": 1}
        server.shutdown()


STORIES: Mapping[str, tuple[Callable[[World, Session], None], set[str]]] = {
    "manage schedules": (
        manage_schedules,
        {
            "dynamodb:BatchGetItem",
            "dynamodb:Query",
            "dynamodb:TransactWriteItems",
            "dynamodb:UpdateItem",
            "scheduler:CreateSchedule",
            "scheduler:DeleteSchedule",
            "scheduler:UpdateSchedule",
        },
    ),
    "run schedules": (run_schedules, {"sqs:SendMessage"}),
    "pause and uninstall": (pause_and_uninstall, set()),
    "repair": (
        repair,
        {"dynamodb:DeleteItem", "dynamodb:PutItem", "scheduler:GetSchedule", "scheduler:ListSchedules"},
    ),
    "publish": (publish, {"events:PutEvents"}),
    "invoke a function": (invoke_function, {"lambda:Invoke"}),
    "read secrets": (read_secrets, {"secretsmanager:GetSecretValue"}),
}


@on_moto
@pytest.mark.parametrize("story", STORIES)
def test_operations_work(story: str, session: Session, called_operations: set[str], world: World) -> None:
    run_story, expected = STORIES[story]
    called_operations.clear()

    run_story(world, session)

    assert called_operations >= expected


def test_every_kept_operation_is_called() -> None:
    kept = {f"{service}:{name}" for service, operations in TRIM.CALLED.items() for name in operations}

    assert kept - set().union(*(expected for _, expected in STORIES.values())) == set()


def start_process(package: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start a function's process with that botocore package."""
    path = os.pathsep.join([str(package.parent), str(PROJECT / "layers" / "scheduling")])
    return subprocess.run(
        [sys.executable, "-c", "from scheduling.store.connection import connect; connect('table')"],
        env={"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1", "PYTHONPATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_trimmed_layer_starts(package: Path) -> None:
    process = start_process(package)

    assert (process.returncode, process.stderr) == (0, "")


def test_the_trimmed_layer_refuses_fips_endpoints_at_start(package: Path) -> None:
    process = start_process(package, AWS_USE_FIPS_ENDPOINT="true")

    assert process.returncode == 1
    assert process.stderr.splitlines()[-1] == (
        "scheduling.domain.errors.UnsupportedEndpoint: AWS_USE_FIPS_ENDPOINT is true, but this layer's botocore has no "
        "rules for FIPS endpoints: unset it, or build a layer with the whole botocore (make sam-build BOTOCORE=whole)"
    )


def test_a_whole_layer_starts_with_fips_endpoints(tmp_path: Path) -> None:
    process = start_process(copy_botocore(tmp_path / "botocore"), AWS_USE_FIPS_ENDPOINT="true")

    assert (process.returncode, process.stderr) == (0, "")
