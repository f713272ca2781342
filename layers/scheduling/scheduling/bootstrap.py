"""The only place where the parts are put together, once for each process."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache

from botocore.session import Session

from scheduling.aws.bus import EventBridgeBus
from scheduling.aws.executor import LambdaExecutor
from scheduling.aws.installs import InstallsTable
from scheduling.aws.manual_runs import ManualRunsTable
from scheduling.aws.runner import HttpRunner
from scheduling.aws.runs import RunsTable
from scheduling.aws.schedules import SchedulesTable
from scheduling.aws.secrets import CURRENT, PREVIOUS, Secret
from scheduling.aws.sweeps import SweepsTable
from scheduling.aws.table import connect
from scheduling.aws.tenants import TenantsTable
from scheduling.aws.timers import EventBridgeTimers
from scheduling.operations.services import Services
from scheduling.settings import (
    BusSettings,
    RunnerSettings,
    SweepSettings,
    TableSettings,
    TimerSettings,
    TokenSettings,
)

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


def reseed_when_restored() -> None:
    """Let processes that start from one snapshot not draw the same slots and jitters; Lambda alone restores any."""
    with suppress(ImportError):
        from snapshot_restore_py import register_after_restore  # type: ignore[import-not-found]  # Lambda has it

        register_after_restore(random.seed)


reseed_when_restored()


@cache
def services() -> Services:
    """What the operations work with."""
    settings = TableSettings.read()
    connection = connect(settings.table_name)
    return Services(
        tenants=TenantsTable(connection),
        installs=InstallsTable(connection),
        schedules=SchedulesTable(connection),
        runs=RunsTable(connection, settings.run_history_days),
        manual_runs=ManualRunsTable(connection),
        sweeps=SweepsTable(connection),
        timers=EventBridgeTimers(connection.session, TimerSettings.read()),
        limits=settings.limits,
        clock=now,
    )


@cache
def executor() -> LambdaExecutor:
    """The function that runs occurrences."""
    return LambdaExecutor(Session(), TimerSettings.read().timer_target_arn)


@cache
def bus() -> EventBridgeBus:
    """Where the audit publishes."""
    return EventBridgeBus(Session(), BusSettings.read().event_bus_name)


@cache
def sweep_interval() -> timedelta:
    """How often the full sweep begins."""
    return timedelta(hours=SweepSettings.read().sweep_interval_hours)


@cache
def runner() -> HttpRunner:
    """The runner, with its service token where it has one."""
    settings = RunnerSettings.read()
    secret_id = settings.runner_service_token_secret_id
    token = Secret(Session(), secret_id).value if secret_id else None
    return HttpRunner(settings, token)


@cache
def token_settings() -> TokenSettings:
    """What the authorizer goes by."""
    return TokenSettings.read()


@cache
def callback_token() -> Secret:
    """The token that runners show; during a rotation, also the one before it."""
    return Secret(Session(), token_settings().runner_token_secret_id, (CURRENT, PREVIOUS))
