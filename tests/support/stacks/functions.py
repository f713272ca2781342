"""The functions under functions/, imported as Lambda imports them and called with events, in a test world."""

import base64
import gzip
import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from scheduling import bootstrap

from scripts.openapi.operations import OPERATIONS
from tests.support.oracles.api_description import find_response_faults, operations
from tests.support.stacks.world import BUS, DEAD_LETTER_QUEUE_URL, GROUP, TABLE, TIMER_SETTINGS, World

ROOT = Path(__file__).parents[3]
STACK_NAME = "scheduling-test"


class Context:
    """The part of Lambda's context that the functions read."""

    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:function"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """Return the remaining time of a function that has just started."""
        return 29_000


@contextmanager
def deploy_functions(world: World, **variables: str) -> Iterator[None]:
    """Let imported functions work on the world, with its clock and without waiting."""
    common = {
        "TABLE_NAME": TABLE,
        "STAGE": "local",
        "STACK_NAME": STACK_NAME,
        "SCHEDULE_GROUP_NAME": GROUP,
        "OCCURRENCE_QUEUE_URL": TIMER_SETTINGS.occurrence_queue_url,
        "DEAD_LETTER_QUEUE_URL": DEAD_LETTER_QUEUE_URL,
        "TIMER_ROLE_ARN": TIMER_SETTINGS.timer_role_arn,
        "TIMER_DLQ_ARN": TIMER_SETTINGS.timer_dlq_arn,
        "RUNNER_BASE_URL": "http://127.0.0.1:9",
        "EVENT_BUS_NAME": BUS,
    }
    cached = (
        bootstrap.event_bus_client,
        bootstrap.runner_client,
        bootstrap.part_runner,
        bootstrap.authorizer,
        bootstrap.known_capabilities,
        bootstrap.callback_rule_error_status,
        bootstrap.call_budget,
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**common, **variables}.items():
            patch.setenv(name, value)
        patch.setattr(bootstrap, "services", lambda: world.services)
        patch.setattr(bootstrap, "_clock", [lambda: world.clock[0]])
        for part in cached:
            part.cache_clear()
        yield
    for part in cached:
        part.cache_clear()


def load_function(operation: str) -> Any:
    """Import a fresh copy of the function's module, whose handler fails where docs/openapi.json is not right."""
    spec = importlib.util.spec_from_file_location(
        f"function_{operation}", ROOT / "functions" / operation / "app.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if operation in OPERATIONS:
        vars(module)["handler"] = _with_checked_responses(operation, module.handler)
    return module


def _with_checked_responses(operation: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    (route,) = (key for key, each in operations().items() if each["operationId"] == OPERATIONS[operation].id)

    @wraps(handler)
    def checked_handler(*arguments: Any) -> Any:
        response = handler(*arguments)
        body = response["body"]
        if response.get("isBase64Encoded"):
            body = gzip.decompress(base64.b64decode(body))
        faults = find_response_faults(route, response["statusCode"], response["headers"], body)
        assert not faults, "\n".join(faults)
        return response

    return checked_handler


def http_event(
    body: object = None,
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    **path: str,
) -> dict[str, Any]:
    """Build the part of an HTTP API event that functions read; `path` are the path parameters."""
    return {
        "version": "2.0",
        "headers": {"content-type": "application/json", **(headers or {})},
        "queryStringParameters": dict(query or {}),
        "pathParameters": path,
        "isBase64Encoded": False,
        "body": None if body is None else json.dumps(body),
    }
