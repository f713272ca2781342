"""The connection from options and the environment to the stack, and how its failures are reported."""

import getpass
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import boto3
import pytest
import urllib3
from botocore.credentials import AssumeRoleProvider
from scheduling import bootstrap

from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.stack import connection
from scheduling_admin.stack.connection import connect
from scheduling_admin.stack.options import CommonOptions
from tests.support.stacks.admin_cli import STACK_NAME, AdminCli, create_stack, failing_calls
from tests.support.stacks.world import TABLE, World, on_moto

NO_AWS: dict[str, str | None] = {
    "AWS_ACCESS_KEY_ID": None,
    "AWS_SECRET_ACCESS_KEY": None,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
}


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Restore the environment after each test."""
    with patch.dict(os.environ):
        yield


def write_aws_config(folder: Path, text: str) -> dict[str, str]:
    path = folder / "config"
    path.write_text(text)
    return {"AWS_CONFIG_FILE": str(path)}


@pytest.mark.parametrize(
    ("words", "env", "exit_status", "error"),
    [
        (
            ["--stack-name", "nope"],
            {},
            3,
            "There is no stack nope in eu-central-1. Choose it with --stack-name or EXTENSION_SCHEDULER_STACK, its "
            "region with --region, and its account with --profile.",
        ),
        (
            [],
            {"EXTENSION_SCHEDULER_STACK": "nope", "AWS_REGION": "eu-west-1"},
            3,
            "There is no stack nope in eu-west-1. Choose it with --stack-name or EXTENSION_SCHEDULER_STACK, its "
            "region with --region, and its account with --profile.",
        ),
        ([], NO_AWS, 5, connection.NO_CREDENTIALS),
        (
            [],
            {**NO_AWS, "AWS_DEFAULT_REGION": None},
            2,
            "No region is configured: choose the stack's region with --region, AWS_REGION or the profile.",
        ),
        (
            ["--profile", "nope"],
            {"AWS_CONFIG_FILE": "/nowhere"},
            2,
            "The config profile (nope) could not be found. `aws configure list-profiles` lists them.",
        ),
        (
            ["--endpoint-url", "127.0.0.1:4566"],
            {},
            2,
            "--endpoint-url 127.0.0.1:4566 is not a URL such as http://127.0.0.1:4566.",
        ),
        (
            ["--endpoint-url", "http://[nonsense"],
            {},
            2,
            "--endpoint-url http://[nonsense is not a URL such as http://127.0.0.1:4566.",
        ),
        (
            ["--stack-name", "older"],
            {},
            3,
            "The stack older (CREATE_COMPLETE) has no TimerRoleArn: it is another kind of stack, is not deployed yet, "
            "or was deployed from an older template. Choose the stack with --stack-name, or deploy it again.",
        ),
    ],
    ids=[
        "absent stack",
        "another region",
        "missing credentials",
        "missing region",
        "missing profile",
        "not a URL",
        "invalid host",
        "older stack",
    ],
)
def test_each_connection_failure_is_reported(
    admin: AdminCli, words: list[str], env: dict[str, str | None], exit_status: int, error: str
) -> None:
    create_stack("older", admin, omitted_output="TimerRoleArn")
    result = admin("installs", "--json", *words, env=env)
    assert (result.exit_status, result.errors, result.lines) == (exit_status, [error], [])


@pytest.mark.parametrize(
    ("code", "prefix"),
    [
        ("AccessDenied", "AWS denies DescribeStacks with these credentials: AccessDenied. "),
        ("ExpiredToken", "The AWS credentials have expired. "),
        ("InvalidClientTokenId", "AWS rejects the credentials (InvalidClientTokenId). "),
    ],
)
def test_refused_credentials_are_reported(world: World, admin: AdminCli, code: str, prefix: str) -> None:
    with failing_calls(world, "DescribeStacks", code):
        result = admin("installs")
    assert result.exit_status == 5
    assert result.errors[0].startswith(prefix)


@on_moto
def test_a_stack_without_its_table_is_reported(admin: AdminCli) -> None:
    boto3.client("dynamodb").delete_table(TableName=TABLE)
    result = admin("installs", "--tenant", "tenant-1")
    assert result.exit_status == 5
    assert result.errors == [
        "The stack's table does not exist: it was deleted, or belongs to another region or account. "
        "The stack's output TableName is its name."
    ]


def test_a_bug_is_not_hidden(admin: AdminCli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(bootstrap, "build_services", fail)
    with pytest.raises(ZeroDivisionError):
        admin("installs")


@pytest.mark.usefixtures("admin")
def test_a_profile_option_overrides_keys_in_the_environment(tmp_path: Path) -> None:
    keys = "aws_access_key_id = profile-key\naws_secret_access_key = x"
    os.environ.update(write_aws_config(tmp_path, f"[profile other]\nregion = eu-central-1\n{keys}\n"))
    os.environ["AWS_ACCESS_KEY_ID"] = "environment-key"
    session = connect(CommonOptions(profile="other"))
    credentials = session.boto_session.get_credentials()
    assert credentials is not None
    assert credentials.access_key == "profile-key"


@pytest.mark.usefixtures("admin")
def test_a_second_factor_is_prompted_for_once(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    text = (
        "[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n"
        "[profile admin]\nregion = eu-central-1\nsource_profile = base\n"
        "role_arn = arn:aws:iam::123456789012:role/admin\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n"
    )
    os.environ.update(write_aws_config(tmp_path, text))
    questions: list[str] = []

    def prompt(question: str) -> str:
        questions.append(question)
        return "123456"

    initializer = AssumeRoleProvider.__init__
    defaults = [prompt if each is getpass.getpass else each for each in initializer.__defaults__ or ()]
    monkeypatch.setattr(initializer, "__defaults__", tuple(defaults))
    session = connect(CommonOptions(profile="admin"))
    assert session.actor.startswith("admin:arn:aws:sts::123456789012:assumed-role/admin/")
    session.boto_session.client("sqs").list_queues()
    assert len(questions) == 1
    assert world.calls.operation_names().count("AssumeRole") == 1


@pytest.mark.usefixtures("admin")
def test_an_emulator_on_this_machine_needs_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        del os.environ[name]
    os.environ.update({name: value for name, value in NO_AWS.items() if value})
    sessions: list[boto3.Session] = []

    def describe_stack(session: boto3.Session, name: str) -> None:
        sessions.append(session)
        raise AdminError(f"describe {name}", ExitStatus.NEEDS_ATTENTION)

    monkeypatch.setattr(connection, "_describe_stack", describe_stack)
    with pytest.raises(AdminError, match=f"describe {STACK_NAME}"):
        connect(CommonOptions(endpoint_url="http://127.0.0.1:4566"))
    (session,) = sessions
    credentials = session.get_credentials()
    assert credentials is not None
    assert (session.region_name, credentials.access_key) == ("us-east-1", "local")
    assert session.client("sqs").meta.endpoint_url == "http://127.0.0.1:4566"


def test_the_clock_of_a_local_stack_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class ClockResponse:
        def json(self) -> dict[str, str]:
            return {"now": "2027-01-01T00:00:00Z"}

    monkeypatch.setattr(urllib3, "request", lambda *_, **__: ClockResponse())
    now = connection._create_local_clock("http://127.0.0.1:3000/_local/clock")
    assert now() == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_stopped_local_stack_is_reported() -> None:
    now = connection._create_local_clock("http://127.0.0.1:1/_local/clock")
    with pytest.raises(AdminError) as raised:
        now()
    assert raised.value.exit_status is ExitStatus.AWS
    assert str(raised.value) == (
        "The local stack's clock does not respond at http://127.0.0.1:1/_local/clock: is `make local` still running?"
    )
