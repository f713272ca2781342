"""The state of each part of the stack, which `GET /_local/health` shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import httpx
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from threading import Thread

    from local.cloudformation.clients import AwsClients
    from local.cloudformation.template import Template
    from local.processes import ChildProcess
    from local.scheduler.minute_rules import MinuteRules
    from local.settings import Settings

_RUNNER_TIMEOUT_SECONDS = 5.0

Check = Callable[[], Mapping[str, Any]]
"""Returns what there is to know of a part; raises PartFailed if it does not work."""


class PartFailed(Exception):
    """A part does not work; the text says why and where to look."""


class Worker(Protocol):
    """A part that works in a thread of its own, and goes on after an error."""

    last_error: str | None


class Health:
    """The parts of the stack, and whether all have started."""

    def __init__(self, places: Mapping[str, str] | None = None) -> None:
        self.ready = False
        """Whether everything has started."""
        self._places = dict(places or {})
        self._checks: dict[str, Check] = {}

    def add_part(self, name: str, check: Check) -> None:
        """Add a part."""
        self._checks[name] = check

    def describe(self) -> tuple[bool, dict[str, Any]]:
        """Return whether all parts are ready, and the JSON of the state; `failing` names those that do not work."""
        parts = {name: _describe_part(check) for name, check in list(self._checks.items())}
        failing = [name for name, part in parts.items() if part["status"] == "failing"]
        status = "failing" if failing else "ok" if self.ready else "starting"
        named = {"failing": failing} if failing else {}
        return status == "ok", {"status": status, **named, **self._places, "parts": parts}


def check_thread(thread: Thread, worker: Worker) -> Check:
    """Check that a thread runs and that what it did last has succeeded."""

    def check() -> Mapping[str, Any]:
        if not thread.is_alive():
            raise PartFailed("its thread has ended; functions.log says why")
        if worker.last_error:
            raise PartFailed(worker.last_error)
        return {}

    return check


def check_reconciler(rules: MinuteRules) -> Check:
    """Check that the last run of the template's rules has succeeded."""

    def check() -> Mapping[str, Any]:
        for name, result in rules.last_results.items():
            if isinstance(result, dict) and "errorType" in result:
                raise PartFailed(f"{name}: {result['errorType']}: {result.get('errorMessage')}")
        return {"lastRunAt": rules.last_run_at}

    return check


def check_table(aws: AwsClients, template: Template, moto: ChildProcess | None) -> Check:
    """Check that the table answers."""
    (name,) = (
        template.attributes[each]["Ref"] for each in template.properties_by_type("AWS::DynamoDB::Table")
    )

    def check() -> Mapping[str, Any]:
        if moto and not moto.is_running():
            raise PartFailed(f"moto has ended (see {moto.log})")
        try:
            status = aws.dynamodb.describe_table(TableName=name)["Table"].get("TableStatus")
        except (BotoCoreError, ClientError) as error:
            raise PartFailed(str(error)) from error
        return {"name": name, "tableStatus": status}

    return check


def check_runner(settings: Settings, runner: ChildProcess | None) -> Check:
    """Check the runner that the stack has started, with its components; the user's is not called."""
    if runner is None:
        return lambda: {"status": "not checked", "url": settings.runner_url}

    def check() -> Mapping[str, Any]:
        if not runner.is_running():
            raise PartFailed(f"the runner has ended (see {runner.log})")
        try:
            health = read_runner_health(settings)
        except (httpx.HTTPError, ValueError) as error:
            raise PartFailed(f"the runner does not answer: {error!r} (see {runner.log})") from error
        return {
            "folders": list(map(str, settings.extension_folders)),
            "components": health.get("components", []),
        }

    return check


def read_runner_health(settings: Settings) -> dict[str, Any]:
    """Return the health of the runner that the stack has started.

    Raises:
        httpx.HTTPError, ValueError: It does not answer, or not with JSON.
    """
    headers = {"x-runner-service-token": settings.runner_service_token}
    response = httpx.get(f"{settings.runner_url}/health", headers=headers, timeout=_RUNNER_TIMEOUT_SECONDS)
    return dict(response.json())


def _describe_part(check: Check) -> dict[str, Any]:
    try:
        return {"status": "ok", **check()}
    except PartFailed as failure:
        return {"status": "failing", "error": str(failure)}
