"""Starts and stops the parts of the local stack."""

from __future__ import annotations

import importlib
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING

from local.clock import LocalClock, format_instant
from local.cloudformation.clients import connect_aws, create_metrics_client
from local.cloudformation.deploy import STACK_NAME, deploy_resources, pseudo_parameters, store_secret
from local.cloudformation.stack_record import record_stack
from local.cloudformation.template import expand_template
from local.errors import StackError
from local.events import create_events_state
from local.gateway.api import HttpApi
from local.gateway.control import ControlApi
from local.gateway.lambda_api import LambdaApi
from local.gateway.routes import read_routes
from local.gateway.server import Gateway
from local.health import Health, check_reconciler, check_runner, check_table, check_thread
from local.lambda_.endpoint import LambdaEndpoint, read_logical_ids
from local.lambda_.event_sources import EventSourcePoller, read_event_source_mappings
from local.lambda_.functions import add_layers_to_path, load_functions, read_function_arns
from local.lambda_.metrics import MetricsLog
from local.processes import LISTENING
from local.queue.consumer import QueueConsumer
from local.queue.delays import delay_by_local_clock
from local.queue.mapping import read_queue_mapping
from local.sample import install_sample
from local.scheduler.firing import LocalScheduler
from local.scheduler.history import read_run
from local.scheduler.minute_rules import MinuteRules
from local.scheduler.schedules import TimerReader
from local.scheduler.target import SendMessageTarget
from local.settings import use_aws_endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.cloudformation.clients import AwsClients
    from local.cloudformation.template import Template
    from local.processes import ChildProcesses
    from local.sample import SampleInstall
    from local.settings import Settings

_SHUTDOWN_SECONDS = 0.5


@dataclass(frozen=True)
class Stack:
    """A running local stack."""

    settings: Settings
    timers: TimerReader
    sample: SampleInstall | None


@contextmanager
def run_stack(settings: Settings, children: ChildProcesses, start: datetime | None) -> Iterator[Stack]:
    """Create the resources and serve the API until the end of the ``with`` block.

    Args:
        settings: The stack's settings.
        children: The processes that the stack uses; they may still be starting.
        start: The time at which the stack's clock starts; the present time by default.

    Raises:
        StackError: A part cannot start.
    """
    clock = LocalClock(start or datetime.now(UTC), frozen=settings.clock_frozen)
    with ExitStack() as exit_stack:
        _log_to_file(settings, clock, exit_stack)
        region = use_aws_endpoint(settings.aws_url, settings.lambda_url)
        if children.moto:
            children.moto.wait_until_ready(f"{settings.aws_url}/moto-api/data.json", LISTENING)
        aws = connect_aws(settings.aws_url, region)
        template = deploy_template(settings, aws)
        add_layers_to_path(template)
        delay_by_local_clock(clock)
        importlib.import_module("scheduling.bootstrap").use_clock(clock.now)
        health = Health(_list_places(settings))
        health.add_part("api", lambda: {"url": settings.api_url})
        health.add_part("runner", lambda: {"status": "starting"})
        health.add_part("table", check_table(aws, template, children.moto))
        timers = _start_services(settings, aws, template, clock, health, exit_stack)
        if children.runner:
            children.runner.wait_until_ready(f"{settings.runner_url}/health", LISTENING)
        health.add_part("runner", check_runner(settings, children.runner))
        sample = _set_up(settings)
        health.ready = True
        yield Stack(settings, timers, sample)


def _set_up(settings: Settings) -> SampleInstall | None:
    """Install the sample, or else create the state that the events expect, whose install has the same id."""
    if not settings.set_up_events:
        return install_sample(settings)
    create_events_state(importlib.import_module("scheduling.bootstrap").services())
    return None


def deploy_template(settings: Settings, aws: AwsClients) -> Template:
    """Expand the template with the settings as its parameters, and create its resources."""
    parameters = {"Stage": "local", "RunnerBaseUrl": settings.runner_url}
    # MAX_PAYLOAD_BYTES is the parameter MaxPayloadBytes.
    parameters |= {name.title().replace("_", ""): value for name, value in settings.parameters.items()}
    if settings.runner_service_token:
        secret = store_secret(aws, f"{STACK_NAME}-RunnerServiceToken", settings.runner_service_token)
        parameters["RunnerServiceTokenSecretArn"] = secret
    template = expand_template(settings.template, parameters, pseudo_parameters(aws))
    deploy_resources(template, aws, {"RunnerToken": settings.runner_auth_token})
    record_stack(template, aws, clock_url=f"{settings.api_url}/_local/clock")
    return template


def _log_to_file(settings: Settings, clock: LocalClock, exit_stack: ExitStack) -> None:
    path = settings.logs / "functions.log"
    output = exit_stack.enter_context(path.open("w", encoding="utf-8", buffering=1))
    metrics = MetricsLog(output, clock, lambda: create_metrics_client(settings.aws_url))
    exit_stack.enter_context(redirect_stdout(metrics))
    exit_stack.enter_context(redirect_stderr(output))
    _start_thread(metrics.run, "metrics", exit_stack)


def _start_services(
    settings: Settings,
    aws: AwsClients,
    template: Template,
    clock: LocalClock,
    health: Health,
    exit_stack: ExitStack,
) -> TimerReader:
    functions = load_functions(template)
    lambda_backend = (
        LambdaEndpoint(settings.lambda_endpoint_url, read_logical_ids(template))
        if settings.lambda_endpoint_url
        else functions
    )
    rules = MinuteRules(template, lambda_backend, clock)
    timers = TimerReader(aws.scheduler, template.attributes["ScheduleGroup"]["Ref"])
    poller = EventSourcePoller(aws, lambda_backend, read_event_source_mappings(template, aws), clock)
    queue = QueueConsumer(aws.sqs, lambda_backend, read_queue_mapping(template), clock)
    target = SendMessageTarget(aws.sqs)
    scheduler = LocalScheduler(
        clock, timers, target, queue, read_run, rules.invoke_rules, poller.poll_streams
    )
    control = ControlApi(clock, scheduler, rules.invoke_rules, health)
    streams_thread = _start_thread(poller.run, "streams", exit_stack)
    queue_thread = _start_thread(queue.run, "queue", exit_stack)
    health.add_part("streams", check_thread(streams_thread, poller))
    check_queue = check_thread(queue_thread, queue)
    health.add_part("queue", lambda: {**check_queue(), **queue.describe()})
    health.add_part("reconciler", check_reconciler(rules))
    health.add_part("clock", lambda: {"now": format_instant(clock.now()), "frozen": clock.stays_frozen})
    execute_api = f"arn:aws:execute-api:{aws.region}:{aws.account}:local"
    api = HttpApi(read_routes(template), functions, execute_api)
    lambda_api = LambdaApi(lambda_backend, read_function_arns(template))
    gateway = _create_gateway(settings, api, control, lambda_api)
    exit_stack.callback(gateway.server_close)
    exit_stack.callback(gateway.shutdown)
    Thread(target=gateway.serve_forever, args=(0.1,), name="gateway", daemon=True).start()
    if not settings.clock_frozen:
        health.add_part("timers", check_thread(_start_thread(scheduler.run, "timers", exit_stack), scheduler))
    return timers


def _create_gateway(settings: Settings, api: HttpApi, control: ControlApi, lambda_api: LambdaApi) -> Gateway:
    try:
        return Gateway(settings.api_port, api, control, lambda_api)
    except OSError as error:  # another process has taken the port since the start
        raise StackError(f"cannot listen on port {settings.api_port} (API_PORT): {error.strerror}") from None


def _list_places(settings: Settings) -> dict[str, str]:
    """Return where an extension's author finds the stack's parts."""
    return {
        "runner": settings.runner_url,
        "extensions": str(settings.extension_folders[-1]),
        "runnerLog": str(settings.runner_log),
    }


def _start_thread(target: Callable[[Event], None], name: str, exit_stack: ExitStack) -> Thread:
    """Run the target in a thread of its own; at the end of the stack it has half a second to finish."""
    stop = Event()
    thread = Thread(target=target, args=(stop,), name=name, daemon=True)
    exit_stack.callback(thread.join, _SHUTDOWN_SECONDS)
    exit_stack.callback(stop.set)
    thread.start()
    return thread
