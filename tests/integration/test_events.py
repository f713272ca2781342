"""Every event under events/, given to the function that it is for, as `sam local invoke` would."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from scheduling import bootstrap

from tests.support.events import CASES, EVENTS, event, expected, seed
from tests.support.expected import differences
from tests.support.local_stack import scripted_runner
from tests.support.world import GROUP, SETTINGS, TABLE, World

FUNCTIONS = Path(__file__).parents[2] / "functions"


class Context:
    """As much of Lambda's context as the functions ask for."""

    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:function"
    aws_request_id = "request-1"


@pytest.fixture
def runner_url() -> Iterator[str]:
    with scripted_runner() as runner:
        yield runner.url


@pytest.fixture
def _seeded(world: World, runner_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment that the template gives, and what the events take for granted."""
    secret = boto3.client("secretsmanager").create_secret(Name="token", SecretString="local-runner-key")
    variables = {
        "TABLE_NAME": TABLE,
        "STAGE": "local",
        "SCHEDULE_GROUP_NAME": GROUP,
        "TIMER_TARGET_ARN": SETTINGS.timer_target_arn,
        "TIMER_ROLE_ARN": SETTINGS.timer_role_arn,
        "TIMER_DLQ_ARN": SETTINGS.timer_dlq_arn,
        "RUNNER_TOKEN_SECRET_ID": secret["ARN"],
        "RUNNER_BASE_URL": runner_url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    cached = (bootstrap.services, bootstrap.runner, bootstrap.token_settings, bootstrap.callback_token)
    for part in cached:
        part.cache_clear()
    seed(world.services)
    yield
    for part in cached:
        part.cache_clear()


def call(operation: str, given: dict[str, Any]) -> Any:
    path = FUNCTIONS / operation / "app.py"
    spec = importlib.util.spec_from_file_location(f"function_{operation}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler(given, Context())


def test_every_function_has_an_event() -> None:
    functions = {path.parent.name for path in FUNCTIONS.glob("*/app.py")}

    assert {case.split("/")[0] for case in CASES} == functions


def test_every_event_has_an_expected_answer_and_every_answer_an_event() -> None:
    answers = {path.relative_to(EVENTS).as_posix() for path in EVENTS.glob("*/*.expected.json")}

    assert answers == {f"{case}.expected.json" for case in CASES}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("_seeded")
def test_an_event_is_answered_as_expected(case: str) -> None:
    answer = call(case.split("/")[0], event(case))

    assert differences(expected(case), answer) == []
