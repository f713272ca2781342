"""The service's operations against a moto server over HTTP, in the processes of a history."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from botocore.session import Session
from scheduling.bootstrap import build_services
from scheduling.domain.ids import InstallId
from scheduling.operations.services import Services
from scheduling.settings import TableSettings

from local.processes import ChildProcess
from local.settings import child_environment, free_ports
from tests.support.aws.calls import AwsCalls
from tests.support.stacks.world import (
    START,
    TABLE,
    TIMER_SETTINGS,
    FakeRunner,
    World,
    aws_client,
    create_resources,
)

INSTALLS = (InstallId("install-0"), InstallId("install-1"))
ROUND = timedelta(minutes=3)
"""How far the clock moves from one round to the next, so that the reconciler sees what the last round left."""

_LIMITS = {"max_schedules_per_install": 8, "writes_per_minute": 1000}


@contextmanager
def serve_aws(folder: Path) -> Iterator[None]:
    """Start a moto server, and let the processes of the history use it."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    arguments = ("127.0.0.1", str(port), "http://127.0.0.1:9")
    server = ChildProcess(
        "local.moto.server", *arguments, environ=child_environment(), log=folder / "moto.log"
    )
    try:
        server.wait_until_ready(f"{url}/moto-api/data.json")
        credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        os.environ.update(credentials, AWS_DEFAULT_REGION="eu-central-1", AWS_ENDPOINT_URL=url)
        yield
    finally:
        server.stop()


def create_world() -> World:
    """Return the world, whose clients have no connections yet: each process that is forked opens its own."""
    table = TableSettings(table_name=TABLE, **_LIMITS)  # type: ignore[arg-type]
    clock = [START]
    services = build_services(table, TIMER_SETTINGS, Session(), lambda: clock[0])
    aws_client("dynamodb"), aws_client("scheduler")
    return World(_without_waits(services), AwsCalls(), FakeRunner(), clock)


def prepare_world(world: World) -> None:
    """Create the table and the group, and register the installs."""
    create_resources()
    for install_id in INSTALLS:
        world.register_install(install_id)


def _without_waits(services: Services) -> Services:
    """Let a wait between two attempts take a millisecond, and count in full."""
    elapsed = [0.0]

    def sleep(seconds: float) -> None:
        elapsed[0] += seconds
        time.sleep(0.001)

    return replace(services, sleep=sleep, monotonic=lambda: elapsed[0], sweep_parallelism=1)
