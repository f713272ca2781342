"""SnapStart hooks, and services that are built from settings as arguments."""

import random
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from botocore.session import Session
from scheduling import bootstrap
from scheduling.bootstrap import build_services, register_snapstart_hooks
from scheduling.domain.install import Limits
from scheduling.settings import TableSettings, TimerSettings
from scheduling.store.models import Row

from tests.unit.builders import NOW

TABLE = TableSettings.from_environment({"TABLE_NAME": "table-1", "WRITES_PER_MINUTE": "3"})
TIMERS = TimerSettings.from_environment(
    {
        "SCHEDULE_GROUP_NAME": "group",
        "OCCURRENCE_QUEUE_URL": "https://queue",
        "TIMER_ROLE_ARN": "arn:role",
        "TIMER_DLQ_ARN": "arn:dlq",
    }
)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session with a region of its own, in a process without a connection and without settings."""
    monkeypatch.setattr(Row, "_connection", None)
    monkeypatch.setattr(Row.Meta, "table_name", "")
    for variable in ("TABLE_NAME", "SCHEDULE_GROUP_NAME", "OCCURRENCE_QUEUE_URL"):
        monkeypatch.delenv(variable, raising=False)
    session = Session()
    session.set_config_variable("region", "ap-south-2")
    session.set_credentials("key", "secret")
    return session


def test_services_are_built_without_the_environment(session: Session) -> None:
    services = build_services(TABLE, TIMERS, session, clock=lambda: NOW)

    connection = Row._get_connection()
    assert connection.table_name == "table-1"
    assert connection.connection.session is session
    assert connection.connection.client.meta.region_name == "ap-south-2"
    assert services.limits == Limits(writes_per_minute=3)
    assert services.clock() == NOW


def test_queue_is_built_on_the_session(session: Session) -> None:
    services = build_services(TABLE, TIMERS, session)

    assert services.queue._client.meta.region_name == "ap-south-2"


def test_random_state_differs_after_each_restore(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Callable[[], None]] = []
    runtime = SimpleNamespace(register_after_restore=hooks.append, register_before_snapshot=lambda _: None)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    register_snapstart_hooks()
    snapshot = random.getstate()

    values = set()
    for _ in range(3):
        random.setstate(snapshot)
        for hook in hooks:
            hook()
        values.add(random.getrandbits(64))

    assert len(values) == 3


def test_no_hooks_outside_snapstart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)

    register_snapstart_hooks()


def test_table_client_is_created_before_a_snapshot_not_on_import(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hooks: list[Callable[[], object]] = []
    runtime = SimpleNamespace(register_after_restore=lambda _: None, register_before_snapshot=hooks.append)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    created: list[str] = []

    class Connection:
        @property
        def client(self) -> str:
            created.append("client")
            return "client"

    monkeypatch.setattr(bootstrap, "_connection", Connection)
    register_snapstart_hooks()
    assert created == []

    for hook in hooks:
        hook()

    assert created == ["client"]
