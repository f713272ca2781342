"""Every event under events/, given to the function that it is for, as `sam local invoke` gives it in a container."""

from collections.abc import Iterator

import pytest

from tests.support.events import CASES, EVENTS, event, expected, seed, token_of_a_run
from tests.support.expected import differences
from tests.support.functions import ROOT, STACK, Context, deployed, load
from tests.support.local_stack import TOKEN
from tests.support.scripted_runner import scripted_runner
from tests.support.world import BUS, World, aws_client

KEY = "k" * 64


@pytest.fixture
def callback_token(world: World) -> Iterator[str]:
    """One that is good in a world where all is as the events take for granted."""
    aws_client("events").create_event_bus(Name=BUS)
    secrets = aws_client("secretsmanager")
    secrets.create_secret(Name="token", SecretString=TOKEN)
    secrets.create_secret(Name="key", SecretString=KEY)
    named = {"RUNNER_TOKEN_SECRET_ID": "token", "CALLBACK_KEY_SECRET_ID": "key"}
    with scripted_runner() as runner, deployed(world, **named, RUNNER_BASE_URL=runner.url):
        seed(world.services)
        yield token_of_a_run(world.services, KEY, STACK, world.clock[0])


def test_every_function_has_an_event() -> None:
    functions = {path.parent.name for path in ROOT.glob("functions/*/app.py")}

    assert {case.split("/")[0] for case in CASES} == functions


def test_every_event_has_an_expected_answer_and_every_answer_an_event() -> None:
    answers = {path.relative_to(EVENTS).as_posix() for path in EVENTS.glob("*/*.expected.json")}

    assert answers == {f"{case}.expected.json" for case in CASES}


@pytest.mark.parametrize("case", CASES)
def test_an_event_is_answered_as_expected(case: str, callback_token: str) -> None:
    answer = load(case.split("/")[0]).handler(event(case, callback_token), Context())

    assert differences(expected(case), answer) == []
