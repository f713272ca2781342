"""Puts the local stack together and takes it apart."""

from __future__ import annotations

import importlib
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING

from local.clock import LocalClock
from local.cloudformation.clients import connect
from local.cloudformation.deploy import STACK_NAME, deploy, pseudo_parameters, store_secret
from local.cloudformation.record import record
from local.cloudformation.template import expand
from local.gateway.api import Api
from local.gateway.control import Control
from local.gateway.lambda_api import LambdaApi
from local.gateway.routes import read_routes
from local.gateway.server import Gateway
from local.lambda_.asynchronous import AsynchronousInvoker, invoke_configs
from local.lambda_.endpoint import LambdaEndpoint, logical_ids
from local.lambda_.event_sources import StreamMappings, stream_mappings
from local.lambda_.functions import add_layers, function_arns, load_functions
from local.sample import install_sample
from local.scheduler.firing import Firing
from local.scheduler.rules import MinuteRules
from local.scheduler.schedules import Timers
from local.settings import use_aws_endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.cloudformation.clients import Aws
    from local.cloudformation.template import Template
    from local.processes import Children
    from local.sample import Sample
    from local.settings import Settings

_LAST_SECONDS = 0.5


@dataclass(frozen=True)
class Stack:
    """The running stack."""

    settings: Settings
    timers: Timers
    sample: Sample | None


@contextmanager
def running(settings: Settings, children: Children, start: datetime | None) -> Iterator[Stack]:
    """Make the resources and serve the API, on child processes that are under way; the clock's start may be chosen.

    :raises StackError: if a part cannot start
    """
    clock = LocalClock(start or datetime.now(UTC), frozen=settings.frozen)
    with ExitStack() as ending:
        _log_to_file(settings, ending)
        region = use_aws_endpoint(settings.aws_url, settings.lambda_url)
        if children.moto:
            children.moto.wait_until_answers(f"{settings.aws_url}/moto-api/data.json")
        aws = connect(settings.aws_url, region)
        template = make_template(settings, aws)
        add_layers(template)
        importlib.import_module("scheduling.bootstrap").use_clock(clock.now)
        control, timers = _serve(settings, aws, template, clock, ending)
        if children.runner:
            children.runner.wait_until_answers(f"{settings.runner_url}/health")
        sample = install_sample(settings)
        control.ready = True
        yield Stack(settings, timers, sample)


def make_template(settings: Settings, aws: Aws) -> Template:
    """Expand the template with the settings as its parameters, and make its resources."""
    parameters = {"Stage": "local", "RunnerBaseUrl": settings.runner_url}
    # MAX_PAYLOAD_BYTES is the parameter MaxPayloadBytes.
    parameters |= {name.title().replace("_", ""): value for name, value in settings.parameters.items()}
    if settings.runner_service_token:
        secret = store_secret(aws, f"{STACK_NAME}-RunnerServiceToken", settings.runner_service_token)
        parameters["RunnerServiceTokenSecretArn"] = secret
    template = expand(settings.template, parameters, pseudo_parameters(aws))
    deploy(template, aws, {"RunnerToken": settings.runner_auth_token})
    record(template, aws, clock_url=f"{settings.api_url}/_local/clock")
    return template


def _log_to_file(settings: Settings, ending: ExitStack) -> None:
    path = settings.logs / "functions.log"
    output = ending.enter_context(path.open("w", encoding="utf-8", buffering=1))
    ending.enter_context(redirect_stdout(output))
    ending.enter_context(redirect_stderr(output))


def _serve(
    settings: Settings, aws: Aws, template: Template, clock: LocalClock, ending: ExitStack
) -> tuple[Control, Timers]:
    functions = load_functions(template)
    delivering = (
        LambdaEndpoint(settings.lambda_endpoint_url, logical_ids(template))
        if settings.lambda_endpoint_url
        else functions
    )
    invoker = AsynchronousInvoker(delivering, aws, invoke_configs(template))
    rules = MinuteRules(template, invoker, clock)
    timers = Timers(aws.scheduler, template.attributes["ScheduleGroup"]["Ref"])
    mappings = StreamMappings(aws, delivering, stream_mappings(template, aws), clock)
    firing = Firing(clock, timers, invoker, rules.invoke, mappings.poll)
    control = Control(clock, firing, rules.invoke)
    _run(mappings.run, "streams", ending)
    execute_api = f"arn:aws:execute-api:{aws.region}:{aws.account}:local"
    api = Api(read_routes(template), functions, execute_api)
    lambda_api = LambdaApi(delivering, invoker, function_arns(template))
    gateway = Gateway(settings.api_port, api, control, lambda_api)
    ending.callback(gateway.server_close)
    ending.callback(gateway.shutdown)
    Thread(target=gateway.serve_forever, args=(0.1,), name="gateway", daemon=True).start()
    if not settings.frozen:
        _run(firing.run, "timers", ending)
    return control, timers


def _run(target: Callable[[Event], None], name: str, ending: ExitStack) -> None:
    """Run on a thread of its own until the end, for which it has little time left."""
    stop = Event()
    thread = Thread(target=target, args=(stop,), name=name, daemon=True)
    ending.callback(thread.join, _LAST_SECONDS)
    ending.callback(stop.set)
    thread.start()
