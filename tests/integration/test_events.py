"""Every event under events/, given to the function that it is for, as `sam local invoke` gives it in a container."""

from collections.abc import Iterator

import boto3
import pytest

from tests.support.events import CASES, EVENTS, event, expected, seed
from tests.support.expected import differences
from tests.support.functions import ROOT, Context, deployed, load
from tests.support.local_stack import TOKEN
from tests.support.scripted_runner import scripted_runner
from tests.support.world import BUS, World


@pytest.fixture
def _seeded(world: World) -> Iterator[None]:
    boto3.client("events").create_event_bus(Name=BUS)
    secret = boto3.client("secretsmanager").create_secret(Name="token", SecretString=TOKEN)
    with (
        scripted_runner() as runner,
        deployed(world, RUNNER_TOKEN_SECRET_ID=secret["ARN"], RUNNER_BASE_URL=runner.url),
    ):
        seed(world.services)
        yield


def test_every_function_has_an_event() -> None:
    functions = {path.parent.name for path in ROOT.glob("functions/*/app.py")}

    assert {case.split("/")[0] for case in CASES} == functions


def test_every_event_has_an_expected_answer_and_every_answer_an_event() -> None:
    answers = {path.relative_to(EVENTS).as_posix() for path in EVENTS.glob("*/*.expected.json")}

    assert answers == {f"{case}.expected.json" for case in CASES}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("_seeded")
def test_an_event_is_answered_as_expected(case: str) -> None:
    answer = load(case.split("/")[0]).handler(event(case), Context())

    assert differences(expected(case), answer) == []
