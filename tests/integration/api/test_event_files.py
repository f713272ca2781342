"""Every event file under events/, passed to its function, as `sam local invoke` does in a container."""

from collections.abc import Iterator

import pytest

from local.events import create_events_state
from tests.support.oracles.event_cases import (
    CASES,
    EVENTS,
    issue_run_token,
    load_event,
    load_expected_response,
)
from tests.support.oracles.expected_responses import find_differences
from tests.support.stacks.functions import ROOT, STACK_NAME, Context, deploy_functions, load_function
from tests.support.stacks.local_stack import RUNNER_TOKEN
from tests.support.stacks.scripted_runner import start_scripted_runner
from tests.support.stacks.world import BUS, World, aws_client

KEY = "k" * 64


@pytest.fixture
def callback_token(world: World) -> Iterator[str]:
    """A valid token, in a world with the data that the event files expect."""
    aws_client("events").create_event_bus(Name=BUS)
    secrets = aws_client("secretsmanager")
    secrets.create_secret(Name="token", SecretString=RUNNER_TOKEN)
    secrets.create_secret(Name="key", SecretString=KEY)
    named = {"RUNNER_TOKEN_SECRET_ID": "token", "CALLBACK_KEY_SECRET_ID": "key"}
    with start_scripted_runner() as runner, deploy_functions(world, **named, RUNNER_BASE_URL=runner.url):
        create_events_state(world.services)
        yield issue_run_token(world.services, KEY, STACK_NAME, world.clock[0])


def test_every_function_has_an_event() -> None:
    functions = {path.parent.name for path in ROOT.glob("functions/*/app.py")}

    assert {case.split("/")[0] for case in CASES} == functions


def test_every_event_has_an_expected_response_and_vice_versa() -> None:
    responses = {path.relative_to(EVENTS).as_posix() for path in EVENTS.glob("*/*.expected.json")}

    assert responses == {f"{case}.expected.json" for case in CASES}


@pytest.mark.parametrize("case", CASES)
def test_event_returns_expected_response(case: str, callback_token: str) -> None:
    response = load_function(case.split("/")[0]).handler(load_event(case, callback_token), Context())

    assert find_differences(load_expected_response(case), response) == []
