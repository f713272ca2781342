"""The composition root: builds the services and clients from settings.

`build_…` functions take settings as arguments, for tools such as the operator's command line. The cached functions
without arguments read the settings from the environment, once for each process of a function. What only few functions
need is imported where it is built, because a cold start pays for each module.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from pynamodb.connection import Connection

from scheduling.api.call_budget import CallBudget
from scheduling.api.observability import bind_install, bind_run, report_secret_outage, report_unreadable
from scheduling.clients.queue import OccurrenceQueue
from scheduling.clients.scheduler import TimerClient
from scheduling.operations.services import Services
from scheduling.settings import (
    CallbackSettings,
    CallBudgetSettings,
    EventBusSettings,
    QueueSettings,
    RegistrationSettings,
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
    from botocore.session import Session

    from scheduling.api.authorizer import Authorizer
    from scheduling.clients.event_bus import EventBusClient
    from scheduling.clients.runner import RunnerClient
    from scheduling.clients.secrets import Secret
    from scheduling.domain.install import Install
    from scheduling.operations.maintenance.sweep import RunPart

Clock = Callable[[], datetime]
_SWEEP_PARALLELISM = 16


def _system_clock() -> datetime:
    return datetime.now(UTC)


_clock: list[Clock] = [_system_clock]


def use_clock(clock: Clock) -> None:
    """Make all operations of this process take the time from `clock`, which returns aware UTC times."""
    _clock[0] = clock


def current_time() -> datetime:
    """Return the time by the process's clock."""
    return _clock[0]()


def build_services(
    table: TableSettings, timers: TimerSettings, session: "Session", clock: Clock = current_time
) -> Services:
    """Build the services that operations take, without reading settings from the environment.

    The table's connection is shared by the process, so only one set of services can be in use.

    Args:
        table: The table and the limits.
        timers: What the timers have in common.
        session: The session of all clients, which selects credentials, region and endpoints. It may have
            clients, but none of DynamoDB.
        clock: Returns the current time as an aware UTC time.
    """
    return _assemble_services(table, timers, connect(table.table_name, session), clock)


def _assemble_services(
    table: TableSettings,
    timers: TimerSettings,
    connection: Connection,
    clock: Clock,
    dead_letter_queue_url: str | None = None,
) -> Services:
    return Services(
        tenants=TenantStore(connection),
        installs=InstallStore(connection),
        schedules=ScheduleStore(connection),
        runs=RunStore(connection, table.limits.run_retention),
        manual_runs=ManualRunStore(connection),
        sweeps=SweepStore(connection),
        timers=TimerClient(connection.session, timers),
        queue=OccurrenceQueue(connection.session, timers.occurrence_queue_url, dead_letter_queue_url),
        limits=table.limits,
        clock=clock,
        sweep_parallelism=_SWEEP_PARALLELISM,
        bind_install=bind_install,
        bind_run=bind_run,
    )


@cache
def _connection() -> Connection:
    return connect(TableSettings.from_environment().table_name)


def register_snapstart_hooks() -> None:
    """Create the table's client before a snapshot, and reseed the random numbers after each restore.

    Without new seeds, all processes of a snapshot would choose the same slots and jitters. Lambda alone takes
    snapshots; elsewhere, the first request creates the client.
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
    """Return the services of the process."""
    assembled = _assemble_services(
        TableSettings.from_environment(),
        TimerSettings.from_environment(),
        _connection(),
        current_time,
        QueueSettings.from_environment().dead_letter_queue_url,
    )
    return replace(assembled, report_unreadable=report_unreadable)


def executor_services() -> Services:
    """Return the services of the executor, whose lease depends on the runner's time limits."""
    runner = RunnerSettings.from_environment()
    return replace(services(), lease=runner.lease, retry_delay=runner.retry_delay)


@cache
def event_bus_client() -> "EventBusClient":
    """Return the client of the audit's event bus."""
    from scheduling.clients.event_bus import EventBusClient

    return EventBusClient(_connection().session, EventBusSettings.from_environment().event_bus_name)


@cache
def known_capabilities() -> frozenset[str]:
    """Return the capabilities that installs may be granted."""
    return RegistrationSettings.from_environment().known_capabilities


@cache
def callback_rule_error_status() -> int:
    """Return the status of broken rules in the callback."""
    return int(CallbackSettings.from_environment().callback_rule_error_status)


@cache
def call_budget() -> CallBudget:
    """Return the process's budget of calls, which its routes for extensions share."""
    return CallBudget(CallBudgetSettings.from_environment().calls_per_minute)


@cache
def sweep_interval() -> timedelta:
    """Return the interval at which full sweeps start."""
    return timedelta(hours=SweepSettings.from_environment().sweep_interval_hours)


@cache
def part_runner(function_arn: str) -> "RunPart":
    """Return what checks a part of the sweep in another invocation of the function."""
    from scheduling.api.sweep_parts import format_part, parse_result
    from scheduling.clients.lambda_ import FunctionClient
    from scheduling.operations.maintenance.sweep import MAX_PARALLEL_PARTS

    client = FunctionClient(_connection().session, function_arn, MAX_PARALLEL_PARTS)
    return lambda part: parse_result(client.invoke_function(format_part(part)))


@cache
def runner_client() -> "RunnerClient":
    """Return the runner's client, with a service token, callback tokens and authorities if their secrets are set."""
    from scheduling.clients.runner import RunnerClient

    settings = RunnerSettings.from_environment()
    service_token_secret_id = settings.runner_service_token_secret_id
    callback_key_secret_id = settings.callback_key_secret_id
    return RunnerClient(
        settings,
        service_token=_build_secret(service_token_secret_id).read_value if service_token_secret_id else None,
        callback_token=_callback_token_issuer(_build_rotating_secret(callback_key_secret_id), settings)
        if callback_key_secret_id
        else None,
        authorities=_build_secret(settings.runner_ca_secret_id).read_value
        if settings.runner_ca_secret_id
        else None,
    )


def _callback_token_issuer(key: "Secret", settings: RunnerSettings) -> "Callable[[Install], str]":
    from scheduling.api.callback_token import issue_token  # loads PyJWT

    return lambda install: issue_token(
        key.read_propagated_value(), settings.stack_name, install, current_time(), settings.patience
    )


@cache
def authorizer() -> "Authorizer":
    """Return the API's authorizer, which during a rotation also accepts the previous values of the secrets."""
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
    """Build a secret on the one session of the process, because another one would load AWS's service models again."""
    from scheduling.clients.secrets import Secret

    return Secret(_connection().session, secret_id, report_outage=report_secret_outage, **options)


def _build_rotating_secret(secret_id: str) -> "Secret":
    """Build a secret that also has the value before a rotation."""
    from scheduling.clients.secrets import CURRENT_STAGE, PREVIOUS_STAGE

    return _build_secret(secret_id, stages=(CURRENT_STAGE, PREVIOUS_STAGE))
