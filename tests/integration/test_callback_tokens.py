"""The token that the executor hands to a run, shown to the authorizer; the key is in Secrets Manager."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.session import Session
from scheduling import bootstrap
from scheduling.clients.secrets import CURRENT_STAGE, ROTATION_GRACE, SECRET_MAX_AGE_SECONDS, Secret
from scheduling.domain.errors import RunFailed, Unavailable
from scheduling.operations.schedules.queries import list_runs

from tests.support.aws_calls import Call, refused
from tests.support.cases import Case, new_case, next_fire
from tests.support.functions import Context, deployed, http_event, load
from tests.support.scripted_runner import ScriptedRunner, scripted_runner
from tests.support.world import TABLE, World, aws_client

SECOND = timedelta(seconds=1)
NO_ANSWER = "The secret store is not available, please try again"


@dataclass
class Functions:
    """The executor and the authorizer, the runner between them, and how much older secrets are than they seem."""

    world: World
    runner: ScriptedRunner
    age: list[timedelta]
    case: Case = field(init=False)
    execute: Any = field(init=False)
    authorizer: Any = field(init=False)

    def __post_init__(self) -> None:
        self.case = new_case(self.world)
        self.authorizer = load("authorizer")
        self.start_execute()

    def start_execute(self) -> None:
        """A new process of the executor, which has read nothing."""
        bootstrap.runner_client.cache_clear()
        self.execute = load("execute")

    def fire(self) -> str:
        """The token that the runner gets with the next occurrence."""
        self.execute.handler(next_fire(self.case), Context())
        return str(self.runner.asked[-1].body["context"].get("callback_token"))

    def admitted(self, token: str, install_id: str | None = None) -> bool:
        """Whether the authorizer lets that token manage the install's schedules."""
        headers = {"authorization": f"Bearer {token}"}
        event = http_event(headers=headers, installId=install_id or self.case.install_id)
        return bool(self.authorizer.handler(event, Context())["isAuthorized"])

    def reads(self) -> int:
        """How often Secrets Manager has been asked."""
        return self.world.calls.operations().count("GetSecretValue")


@pytest.fixture
def functions(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    age = [timedelta()]

    def secret(secret_id: str, stages: tuple[str, ...] = (CURRENT_STAGE,)) -> Secret:
        return Secret(
            Session(),
            secret_id,
            stages,
            monotonic=lambda: time.monotonic() + age[0].total_seconds(),
            clock=lambda: datetime.now(UTC) + age[0],
        )

    monkeypatch.setattr(bootstrap, "_build_secret", secret)
    aws_client("secretsmanager").create_secret(Name="key", SecretString="a" * 64)
    named = {"RUNNER_TOKEN_SECRET_ID": "token", "CALLBACK_KEY_SECRET_ID": "key"}
    with scripted_runner() as runner, deployed(world, RUNNER_BASE_URL=runner.url, **named):
        yield Functions(world, runner, age)


def rotate(key: str) -> None:
    aws_client("secretsmanager").put_secret_value(SecretId="key", SecretString=key)


def no_answer(call: Call) -> None:
    if call.operation == "GetSecretValue":
        raise refused("InternalServiceError", call.operation, 500)


def test_a_run_gets_a_token_for_its_own_install_until_its_time_is_over(functions: Functions) -> None:
    token, other = functions.fire(), functions.world.register()

    assert functions.admitted(token)
    assert not functions.admitted(token, other)
    functions.world.advance(seconds=39)
    assert functions.admitted(token)
    functions.world.advance(seconds=1)
    assert not functions.admitted(token)


def test_each_run_gets_a_token_of_its_own_time(functions: Functions) -> None:
    first, second = functions.fire(), functions.fire()

    assert not functions.admitted(first)
    assert functions.admitted(second)


def test_neither_a_fire_nor_a_verdict_asks_for_a_key_that_is_known(functions: Functions) -> None:
    assert functions.admitted(functions.fire())
    reads = functions.reads()

    for _ in range(3):
        assert functions.admitted(functions.fire())

    assert functions.reads() == reads
    functions.age[0] += timedelta(seconds=SECRET_MAX_AGE_SECONDS + 1)
    assert functions.admitted(functions.fire())
    assert functions.reads() == 2 * reads


def test_nothing_is_refused_while_a_new_key_spreads(functions: Functions) -> None:
    before = functions.fire()
    assert functions.admitted(before)
    rotate("b" * 64)

    assert functions.admitted(functions.fire())  # by a process that knows the old key alone
    functions.start_execute()
    assert functions.admitted(functions.fire())  # by one that knows both, while the authorizer does not
    functions.age[0] += ROTATION_GRACE + SECOND
    assert functions.admitted(functions.fire())  # by the new one


def test_an_old_key_is_good_until_the_rotation_after_the_next(functions: Functions) -> None:
    token = functions.fire()
    rotate("b" * 64)
    functions.age[0] += ROTATION_GRACE + SECOND
    assert functions.admitted(token)

    rotate("c" * 64)
    functions.age[0] += ROTATION_GRACE + SECOND
    assert not functions.admitted(token)
    assert functions.admitted(functions.fire())


def test_two_rotations_at_once_end_what_a_leaked_key_opens(functions: Functions) -> None:
    token = functions.fire()
    rotate("b" * 64)
    rotate("c" * 64)
    functions.age[0] += timedelta(seconds=SECRET_MAX_AGE_SECONDS) + SECOND

    assert not functions.admitted(token)
    assert functions.admitted(functions.fire())


@pytest.mark.parametrize(
    ("key", "disturbed", "reason"),
    [
        pytest.param("a" * 64, no_answer, NO_ANSWER, id="no answer"),
        pytest.param("short", None, "the key is not of at least 32 printable characters", id="a weak key"),
    ],
)
def test_a_run_whose_token_cannot_be_signed_is_tried_again(
    functions: Functions, key: str, disturbed: Any, reason: str
) -> None:
    case, world = functions.case, functions.world
    rotate(key)
    functions.age[0] += ROTATION_GRACE + SECOND
    event = next_fire(case)
    world.calls.before = disturbed
    with pytest.raises(RunFailed):
        functions.execute.handler(event, Context())
    world.calls.before = None

    assert functions.runner.asked == []
    (run,) = list_runs(world.services, case.install_id, case.schedule.id, limit=50).runs
    assert (run.error, run.retryable) == (f"The callback token could not be signed: {reason}", True)
    rotate("d" * 64)
    rotate("e" * 64)
    functions.start_execute()
    assert functions.execute.handler(event, Context())["status"] == "success"


def test_nobody_is_let_in_while_the_key_cannot_be_read(functions: Functions) -> None:
    token = functions.fire()
    functions.world.calls.before = no_answer

    with pytest.raises(Unavailable):
        functions.admitted(token)


def test_the_token_is_neither_logged_nor_kept(functions: Functions, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        token = functions.fire()
        assert functions.admitted(token)
    signature = token.rpartition(".")[2]

    assert "occurrence" in caplog.messages
    assert signature not in str([vars(record) for record in caplog.records])
    assert signature not in str(aws_client("dynamodb").scan(TableName=TABLE)["Items"])


def test_without_a_key_a_run_gets_no_token(world: World) -> None:
    with scripted_runner() as runner, deployed(world, RUNNER_BASE_URL=runner.url):
        load("execute").handler(next_fire(new_case(world)), Context())

    assert "callback_token" not in runner.asked[0].body["context"]
