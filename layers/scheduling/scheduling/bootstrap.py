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

from scheduling.api.observability import bind_install
from scheduling.clients.scheduler import TimerClient
from scheduling.operations.services import Services
from scheduling.settings import (
    EventBusSettings,
    RunnerSettings,
    SweepSettings,
    TableSettings,
    TimerSettings,
    TokenSettings,
)
from scheduling.store.connection import connect
from scheduling.store.installs import InstallStore
from scheduling.store.runs import ManualRunStore, RunStore
from scheduling.store.schedules import ScheduleStore
from scheduling.store.sweeps import SweepStore
from scheduling.store.tenants import TenantStore

if TYPE_CHECKING:
    from scheduling.api.authorizer import Authorizer
    from scheduling.clients.event_bus import EventBusClient
    from scheduling.clients.lambda_ import ExecutorClient
    from scheduling.clients.runner import RunnerClient
    from scheduling.clients.secrets import Secret
    from scheduling.domain.install import Install

Clock = Callable[[], datetime]


def _system_clock() -> datetime:
    return datetime.now(UTC)


_clock: list[Clock] = [_system_clock]


def use_clock(clock: Clock) -> None:
    """Let every operation of this process take its time from `clock`, which gives aware UTC datetimes."""
    _clock[0] = clock


def current_time() -> datetime:
    """The present by the process's clock."""
    return _clock[0]()


@cache
def _connection() -> Connection:
    return connect(TableSettings.from_environment().table_name)


def register_snapstart_hooks() -> None:
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


register_snapstart_hooks()


@cache
def services() -> Services:
    """What the operations work with."""
    settings = TableSettings.from_environment()
    connection = _connection()
    return Services(
        tenants=TenantStore(connection),
        installs=InstallStore(connection),
        schedules=ScheduleStore(connection),
        runs=RunStore(connection, settings.run_history_days),
        manual_runs=ManualRunStore(connection),
        sweeps=SweepStore(connection),
        timers=TimerClient(connection.session, TimerSettings.from_environment()),
        limits=settings.limits,
        clock=current_time,
        parallelism=16,
        bind_install=bind_install,
    )


@cache
def executor_client() -> "ExecutorClient":
    """The function that runs occurrences."""
    from scheduling.clients.lambda_ import ExecutorClient

    return ExecutorClient(_connection().session, TimerSettings.from_environment().timer_target_arn)


@cache
def event_bus_client() -> "EventBusClient":
    """Where the audit publishes."""
    from scheduling.clients.event_bus import EventBusClient

    return EventBusClient(_connection().session, EventBusSettings.from_environment().event_bus_name)


@cache
def sweep_interval() -> timedelta:
    """How often the full sweep begins."""
    return timedelta(hours=SweepSettings.from_environment().sweep_interval_hours)


@cache
def runner_client() -> "RunnerClient":
    """The runner, with its service token where it has one, and with callback tokens where there is a key."""
    from scheduling.clients.runner import RunnerClient

    settings = RunnerSettings.from_environment()
    service_token_secret_id, callback_key_secret_id = (
        settings.runner_service_token_secret_id,
        settings.callback_key_secret_id,
    )
    return RunnerClient(
        settings,
        service_token=_build_secret(service_token_secret_id).read_value if service_token_secret_id else None,
        callback_token=_callback_token_issuer(_build_rotating_secret(callback_key_secret_id), settings)
        if callback_key_secret_id
        else None,
    )


def _callback_token_issuer(key: "Secret", settings: RunnerSettings) -> "Callable[[Install], str]":
    from scheduling.domain.callback_token import (
        issue_token,  # loads PyJWT, for the two functions that need it
    )

    lifetime = timedelta(milliseconds=settings.runner_timeout_ms)
    return lambda install: issue_token(
        key.read_propagated_value(), settings.stack_name, install, current_time(), lifetime
    )


@cache
def authorizer() -> "Authorizer":
    """What the API's authorizer goes by; during a rotation, also the values before it."""
    from scheduling.api.authorizer import Authorizer  # loads PyJWT

    settings = TokenSettings.from_environment()
    return Authorizer(
        runner_tokens=_build_rotating_secret(settings.runner_token_secret_id).read_values,
        callback_keys=_build_rotating_secret(settings.callback_key_secret_id).read_values,
        issuer=settings.stack_name,
        clock=current_time,
        local=settings.local,
    )


def _build_secret(secret_id: str, **options: Any) -> "Secret":
    """On the one session of the process: a second one would load AWS's descriptions once more."""
    from scheduling.clients.secrets import Secret

    return Secret(_connection().session, secret_id, **options)


def _build_rotating_secret(secret_id: str) -> "Secret":
    """With the value before a rotation beside the current one."""
    from scheduling.clients.secrets import CURRENT_STAGE, PREVIOUS_STAGE

    return _build_secret(secret_id, stages=(CURRENT_STAGE, PREVIOUS_STAGE))
