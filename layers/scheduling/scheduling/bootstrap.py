"""The only place where the parts are put together, once for each process.

What few functions need is imported where it is put together: a cold start pays for each module.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from pynamodb.connection import Connection

from scheduling.api.observability import about
from scheduling.clients.scheduler import EventBridgeTimers
from scheduling.operations.services import Services
from scheduling.settings import (
    BusSettings,
    RunnerSettings,
    SweepSettings,
    TableSettings,
    TimerSettings,
    TokenSettings,
)
from scheduling.store.connection import connect
from scheduling.store.installs import InstallsTable
from scheduling.store.runs import ManualRunsTable, RunsTable
from scheduling.store.schedules import SchedulesTable
from scheduling.store.sweeps import SweepsTable
from scheduling.store.tenants import TenantsTable

if TYPE_CHECKING:
    from scheduling.api.authorizer import Authorizer
    from scheduling.clients.event_bus import EventBridgeBus
    from scheduling.clients.lambda_ import LambdaExecutor
    from scheduling.clients.runner import HttpRunner
    from scheduling.clients.secrets import Secret
    from scheduling.domain.install import Install

Clock = Callable[[], datetime]


def _system_clock() -> datetime:
    return datetime.now(UTC)


_clock: list[Clock] = [_system_clock]


def use_clock(clock: Clock) -> None:
    """Let every operation of this process take its time from `clock`, which gives aware UTC datetimes."""
    _clock[0] = clock


def now() -> datetime:
    """The present by the process's clock."""
    return _clock[0]()


@cache
def _connection() -> Connection:
    return connect(TableSettings.read().table_name)


def attend_snapshots() -> None:
    """Have the table's client in a snapshot, and different slots and jitters in all that start from it.

    Lambda alone makes and restores any. Elsewhere the client is made by the first request.
    """
    with suppress(ImportError):
        from snapshot_restore_py import (  # type: ignore[import-not-found]  # Lambda has it
            register_after_restore,
            register_before_snapshot,
        )

        register_before_snapshot(lambda: _connection().client)
        register_after_restore(random.seed)


attend_snapshots()


@cache
def services() -> Services:
    """What the operations work with."""
    settings = TableSettings.read()
    connection = _connection()
    return Services(
        tenants=TenantsTable(connection),
        installs=InstallsTable(connection),
        schedules=SchedulesTable(connection, about),
        runs=RunsTable(connection, settings.run_history_days, about),
        manual_runs=ManualRunsTable(connection, about),
        sweeps=SweepsTable(connection),
        timers=EventBridgeTimers(connection.session, TimerSettings.read()),
        limits=settings.limits,
        clock=now,
        at_once=16,
    )


@cache
def executor() -> "LambdaExecutor":
    """The function that runs occurrences."""
    from scheduling.clients.lambda_ import LambdaExecutor

    return LambdaExecutor(_connection().session, TimerSettings.read().timer_target_arn)


@cache
def bus() -> "EventBridgeBus":
    """Where the audit publishes."""
    from scheduling.clients.event_bus import EventBridgeBus

    return EventBridgeBus(_connection().session, BusSettings.read().event_bus_name)


@cache
def sweep_interval() -> timedelta:
    """How often the full sweep begins."""
    return timedelta(hours=SweepSettings.read().sweep_interval_hours)


@cache
def runner() -> "HttpRunner":
    """The runner, with its service token where it has one, and with callback tokens where there is a key."""
    from scheduling.clients.runner import HttpRunner

    settings = RunnerSettings.read()
    service, key = settings.runner_service_token_secret_id, settings.callback_key_secret_id
    return HttpRunner(
        settings,
        service_token=_secret(service).value if service else None,
        callback_token=_issuing(_rotated(key), settings) if key else None,
    )


def _issuing(key: "Secret", settings: RunnerSettings) -> "Callable[[Install], str]":
    from scheduling.domain.callback_token import issue  # loads PyJWT, for the two functions that need it

    lasting = timedelta(milliseconds=settings.runner_timeout_ms)
    return lambda install: issue(key.settled(), settings.stack_name, install, now(), lasting)


@cache
def authorizer() -> "Authorizer":
    """What the API's authorizer goes by; during a rotation, also the values before it."""
    from scheduling.api.authorizer import Authorizer  # loads PyJWT

    settings = TokenSettings.read()
    return Authorizer(
        tokens=_rotated(settings.runner_token_secret_id).values,
        keys=_rotated(settings.callback_key_secret_id).values,
        issuer=settings.stack_name,
        clock=now,
        local=settings.local,
    )


def _secret(secret_id: str, **more: Any) -> "Secret":
    """On the one session of the process: a second one would load AWS's descriptions once more."""
    from scheduling.clients.secrets import Secret

    return Secret(_connection().session, secret_id, **more)


def _rotated(secret_id: str) -> "Secret":
    """With the value before a rotation beside the current one."""
    from scheduling.clients.secrets import CURRENT, PREVIOUS

    return _secret(secret_id, stages=(CURRENT, PREVIOUS))
