"""The service in this process: the template's routes and authorizer, the real functions, AWS in memory."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import NAMESPACE_URL, uuid5

from scheduling import bootstrap
from scheduling.api.authorizer import Authorizer
from scheduling.api.callback_token import issue_token
from scheduling.api.observability import logger
from scheduling.domain.ids import InstallId
from scheduling.domain.install import SCHEDULER_MANAGE, Install, Limits
from scheduling.operations.schedules.create import create_schedule

from local.cloudformation.template import Template
from local.gateway.api import HttpApi
from local.gateway.messages import Request, Response
from local.gateway.routes import Route, read_routes
from local.lambda_.functions import Function, LocalFunctions
from scripts.iam_table import expand_with_logical_ids
from tests.support.stacks.functions import STACK_NAME, deploy_functions, load_function
from tests.support.stacks.world import World, create_input, new_world

RUNNER_TOKEN = "fuzz-runner-token"
CALLBACK_KEY = "fuzz-callback-key-of-sufficient-length"
ENVELOPE_SECRET = "c2VjcmV0LW9mLXRoZS1lbnZlbG9wZQ=="
SECRETS = (RUNNER_TOKEN, CALLBACK_KEY, ENVELOPE_SECRET)
"""Texts that no response may contain."""


@dataclass(frozen=True)
class Target:
    """An install with its tenant, and the mark that all of its data has."""

    id: str
    tenant: str
    registry: str
    mark: str


@dataclass
class Scene:
    """The service with installs of three tenants."""

    world: World
    api: HttpApi
    routes: list[Route]
    targets: list[Target]
    failures: list[str] = field(default_factory=list)
    """What the functions have logged as failed since the last request."""

    def send(self, request: Request) -> Response:
        """Return the response to a request; 500 if the gateway itself fails."""
        self.failures.clear()
        return self.api.handle_request(request)

    def issue_token(self, target: Target) -> str:
        """Return a callback token of the install."""
        record = Install(
            id=InstallId(target.id),
            tenant_id=target.tenant,
            registry_id=target.registry,
            version_id="version-1",
            content_hash="hash",
            granted_capabilities=frozenset({SCHEDULER_MANAGE}),
            enabled=True,
        )
        return issue_token(CALLBACK_KEY, STACK_NAME, record, self.world.clock[0], timedelta(hours=1))


class _FailureLog(logging.Handler):
    def __init__(self, failures: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._failures = failures

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the error with its traceback."""
        self._failures.append(logging.Formatter().format(record))


@contextmanager
def start_scene() -> Iterator[Scene]:
    """Start the service with the limits of production; it logs nothing but failures, which the scene keeps."""
    unlimited = {"CALLS_PER_MINUTE": "60000"}  # so that each request reaches its operation
    with new_world(Limits(), aws="memory") as world, deploy_functions(world, **unlimited):
        with patch.object(bootstrap, "authorizer", lambda: _create_authorizer(world)):
            template = _expand_template()
            functions = _load_functions(template)
        api = HttpApi(read_routes(template), functions, "arn:aws:execute-api:eu-central-1:1:local")
        scene = Scene(world, api, read_routes(template).routes, [])
        with _keep_failures(scene.failures):
            scene.targets += [_register_target(world, number) for number in range(4)]
            yield scene


@contextmanager
def _keep_failures(failures: list[str]) -> Iterator[None]:
    powertools = logging.getLogger(logger.service)
    handler = _FailureLog(failures)
    powertools.addHandler(handler)
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):  # the metrics of each request
            yield
    finally:
        logging.disable(logging.NOTSET)
        powertools.removeHandler(handler)


def _create_authorizer(world: World) -> Authorizer:
    return Authorizer(
        runner_tokens=lambda: [RUNNER_TOKEN],
        callback_keys=lambda: [CALLBACK_KEY],
        issuer=STACK_NAME,
        clock=lambda: world.clock[0],
        local=False,
    )


def _expand_template() -> Template:
    """Return the template with every resource named by its logical id."""
    template = expand_with_logical_ids()
    for name in template.resources:
        arn = f"arn:aws:lambda:eu-central-1:123456789012:function:{name}"
        template.attributes[name] = {"Ref": arn, "Arn": arn, "Version": "1"}
    return template


def _load_functions(template: Template) -> LocalFunctions:
    specs = template.properties_by_type("AWS::Lambda::Function")
    functions = [
        Function(
            name=name,
            arn=template.attributes[name]["Arn"],
            timeout=spec["Timeout"],
            memory=spec["MemorySize"],
            handler=load_function(template.code_folders[name].name).handler,
        )
        for name, spec in specs.items()
    ]
    aliases = template.properties_by_type("AWS::Lambda::Alias").items()
    by_arn = {template.attributes[name]["Ref"]: alias["FunctionName"] for name, alias in aliases}
    # The authorizer's permission has no reference to its alias, but an ARN with its name.
    prefix = template.resolve({"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}"})
    for name, spec in specs.items():
        if "FunctionName" in spec:
            by_arn[f"{prefix}:function:{spec['FunctionName']}:live"] = template.attributes[name]["Arn"]
    return LocalFunctions(functions, by_arn)


def _register_target(world: World, number: int) -> Target:
    """Register an install with two schedules; the last two installs belong to one tenant."""
    mark = f"mark{number}{number}mark"
    target = Target(str(uuid5(NAMESPACE_URL, mark)), f"tenant-{min(number, 2)}", f"registry-{mark}", mark)
    install_id = InstallId(target.id)
    world.register_install(install_id, **registration_fields(target))
    for name in ("a", "b"):
        create_schedule(
            world.services,
            install_id,
            create_input(name=f"{name} {mark}", payload={"of": mark}, cron=f"{number} * * * *"),
        )
    return target


def registration_fields(target: Target) -> dict[str, Any]:
    """Return the fields in which the registration of a target differs from the default."""
    return {
        "tenantId": target.tenant,
        "registryId": target.registry,
        "config": {"key": target.mark},
        "secretEnvelope": {"ciphertext_b64": ENVELOPE_SECRET},
    }
