"""The callback token of a run, from the executor to the authorizer; its key is in Secrets Manager."""

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
from scheduling.domain.errors import Unavailable
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.schedules.queries import list_runs

from tests.support.aws.calls import Call, client_error
from tests.support.faults.cases import Case, new_case, next_fire_event
from tests.support.stacks.functions import Context, deploy_functions, http_event, load_function
from tests.support.stacks.scripted_runner import ScriptedRunner, start_scripted_runner
from tests.support.stacks.world import ADMIN, TABLE, World, aws_client

SECOND = timedelta(seconds=1)
SECRET_STORE_UNAVAILABLE = "The secret store is not available, please try again"


@dataclass
class TokenFunctions:
    """The executor and the authorizer, the runner between them, and how far their clock for secrets is ahead."""

    world: World
    runner: ScriptedRunner
    age: list[timedelta]
    case: Case = field(init=False)
    execute: Any = field(init=False)
    authorizer: Any = field(init=False)

    def __post_init__(self) -> None:
        self.case = new_case(self.world)
        self.authorizer = load_function("authorizer")
        self.load_execute()

    def load_execute(self) -> None:
        """Start a new process of the executor, which has read no secret."""
        bootstrap.runner_client.cache_clear()
        self.execute = load_function("execute")

    def fire_and_get_token(self) -> str:
        """Run the next occurrence, and return the token that the runner gets."""
        self.execute.handler(next_fire_event(self.case), Context())
        return str(self.runner.requests[-1].body["context"].get("callback_token"))

    def is_authorized(self, token: str, install_id: str | None = None) -> bool:
        """Whether the authorizer allows the token to manage the install's schedules."""
        headers = {"authorization": f"Bearer {token}"}
        event = http_event(headers=headers, installId=install_id or self.case.install_id)
        return bool(self.authorizer.handler(event, Context())["isAuthorized"])

    def list_schedules(self, token: str) -> dict[str, Any]:
        """Call the callback with the token, through the authorizer as API Gateway does."""
        headers = {"authorization": f"Bearer {token}"}
        event = http_event({"operation": "list"}, headers=headers, installId=self.case.install_id)
        authorization = self.authorizer.handler(event, Context())
        assert authorization["isAuthorized"]
        caller = {"authorizer": {"lambda": authorization["context"]}}
        return dict(load_function("callback").handler({**event, "requestContext": caller}, Context()))

    def count_secret_reads(self) -> int:
        """How often Secrets Manager has been called."""
        return self.world.calls.operation_names().count("GetSecretValue")


@pytest.fixture
def functions(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenFunctions]:
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
    secret_ids = {"RUNNER_TOKEN_SECRET_ID": "token", "CALLBACK_KEY_SECRET_ID": "key"}
    with start_scripted_runner() as runner, deploy_functions(world, RUNNER_BASE_URL=runner.url, **secret_ids):
        yield TokenFunctions(world, runner, age)


def rotate_key(key: str) -> None:
    aws_client("secretsmanager").put_secret_value(SecretId="key", SecretString=key)


def fail_secret_reads(call: Call) -> None:
    if call.operation == "GetSecretValue":
        raise client_error("InternalServiceError", call.operation, 500)


def test_run_token_is_valid_for_its_install_until_its_deadline(functions: TokenFunctions) -> None:
    token, other = functions.fire_and_get_token(), functions.world.register_install()

    assert functions.is_authorized(token)
    assert not functions.is_authorized(token, other)
    functions.world.advance(seconds=69)
    assert functions.is_authorized(token)
    functions.world.advance(seconds=1)
    assert not functions.is_authorized(token)


def test_token_is_valid_only_while_the_install_is_of_its_tenant(functions: TokenFunctions) -> None:
    token, install_id = functions.fire_and_get_token(), functions.case.install_id
    assert functions.list_schedules(token)["statusCode"] == 200

    delete_install(functions.world.services, install_id, actor=ADMIN)
    functions.world.register_install(install_id, tenantId="tenant-2")

    assert functions.list_schedules(token)["statusCode"] == 404
    delete_install(functions.world.services, install_id, actor=ADMIN)
    functions.world.register_install(install_id)
    assert functions.list_schedules(token)["statusCode"] == 200


def test_each_run_gets_its_own_token(functions: TokenFunctions) -> None:
    first, second = functions.fire_and_get_token(), functions.fire_and_get_token()

    assert not functions.is_authorized(first)
    assert functions.is_authorized(second)


def test_cached_key_is_not_read_again(functions: TokenFunctions) -> None:
    assert functions.is_authorized(functions.fire_and_get_token())
    reads = functions.count_secret_reads()

    for _ in range(3):
        assert functions.is_authorized(functions.fire_and_get_token())

    assert functions.count_secret_reads() == reads
    functions.age[0] += timedelta(seconds=SECRET_MAX_AGE_SECONDS + 1)
    assert functions.is_authorized(functions.fire_and_get_token())
    assert functions.count_secret_reads() == 2 * reads


def test_no_token_is_refused_during_key_propagation(functions: TokenFunctions) -> None:
    before = functions.fire_and_get_token()
    assert functions.is_authorized(before)
    rotate_key("b" * 64)

    assert functions.is_authorized(
        functions.fire_and_get_token()
    )  # by a process that has read the old key only
    functions.load_execute()
    assert functions.is_authorized(
        functions.fire_and_get_token()
    )  # by one that has read both, while the authorizer has not
    functions.age[0] += ROTATION_GRACE + SECOND
    assert functions.is_authorized(functions.fire_and_get_token())  # by the new one


def test_old_key_is_valid_until_the_second_rotation(functions: TokenFunctions) -> None:
    token = functions.fire_and_get_token()
    rotate_key("b" * 64)
    functions.age[0] += ROTATION_GRACE + SECOND
    assert functions.is_authorized(token)

    rotate_key("c" * 64)
    functions.age[0] += ROTATION_GRACE + SECOND
    assert not functions.is_authorized(token)
    assert functions.is_authorized(functions.fire_and_get_token())


def test_two_immediate_rotations_invalidate_a_leaked_key(functions: TokenFunctions) -> None:
    token = functions.fire_and_get_token()
    rotate_key("b" * 64)
    rotate_key("c" * 64)
    functions.age[0] += timedelta(seconds=SECRET_MAX_AGE_SECONDS) + SECOND

    assert not functions.is_authorized(token)
    assert functions.is_authorized(functions.fire_and_get_token())


@pytest.mark.parametrize(
    ("key", "disturb", "reason"),
    [
        pytest.param("a" * 64, fail_secret_reads, SECRET_STORE_UNAVAILABLE, id="no response"),
        pytest.param("short", None, "the key is not of at least 32 printable characters", id="a weak key"),
    ],
)
def test_run_is_retried_when_its_token_cannot_be_signed(
    functions: TokenFunctions, key: str, disturb: Any, reason: str
) -> None:
    case, world = functions.case, functions.world
    rotate_key(key)
    functions.age[0] += ROTATION_GRACE + SECOND
    event = next_fire_event(case)
    world.calls.before = disturb
    assert functions.execute.handler(event, Context())["status"] == "error"
    world.calls.before = None

    assert functions.runner.requests == []
    (run,) = list_runs(world.services, case.install_id, case.schedule.id, limit=50).runs
    assert (run.error, run.retryable) == (f"The callback token could not be signed: {reason}", True)
    rotate_key("d" * 64)
    rotate_key("e" * 64)
    functions.load_execute()
    world.advance(minutes=2)
    (continuation,) = world.list_executor_events()
    assert functions.execute.handler(continuation, Context())["status"] == "success"


def test_every_token_is_refused_while_the_key_cannot_be_read(functions: TokenFunctions) -> None:
    token = functions.fire_and_get_token()
    functions.world.calls.before = fail_secret_reads

    with pytest.raises(Unavailable):
        functions.is_authorized(token)


def test_token_is_neither_logged_nor_stored(
    functions: TokenFunctions, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        token = functions.fire_and_get_token()
        assert functions.is_authorized(token)
    signature = token.rpartition(".")[2]

    assert "occurrence" in caplog.messages
    assert signature not in str([vars(record) for record in caplog.records])
    assert signature not in str(aws_client("dynamodb").scan(TableName=TABLE)["Items"])


def test_without_a_key_a_run_gets_no_token(world: World) -> None:
    with start_scripted_runner() as runner, deploy_functions(world, RUNNER_BASE_URL=runner.url):
        load_function("execute").handler(next_fire_event(new_case(world)), Context())

    assert "callback_token" not in runner.requests[0].body["context"]
