"""From options and the environment to the stack, and what is told where that fails."""

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

from scheduling_admin.app import app
from scheduling_admin.errors import MEANINGS, AdminError, Exit
from scheduling_admin.stack import connection
from scheduling_admin.stack.connection import connect
from scheduling_admin.stack.options import Options
from tests.support.admin import STACK, Admin, record_stack
from tests.support.aws_calls import Call, refused
from tests.support.world import TABLE, World

NO_AWS: dict[str, str | None] = {
    "AWS_ACCESS_KEY_ID": None,
    "AWS_SECRET_ACCESS_KEY": None,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
}


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Whatever is set of it ends with the test."""
    with patch.dict(os.environ):
        yield


def config(folder: Path, text: str) -> dict[str, str]:
    path = folder / "config"
    path.write_text(text)
    return {"AWS_CONFIG_FILE": str(path)}


@pytest.mark.parametrize(
    ("words", "env", "ends_with", "error"),
    [
        (
            ["--stack-name", "nope"],
            {},
            3,
            "There is no stack nope in eu-central-1. Name it by --stack-name or EXTENSION_SCHEDULER_STACK, and its "
            "region by --region; another account takes another --profile.",
        ),
        (
            [],
            {"EXTENSION_SCHEDULER_STACK": "nope", "AWS_REGION": "eu-west-1"},
            3,
            "There is no stack nope in eu-west-1. Name it by --stack-name or EXTENSION_SCHEDULER_STACK, and its "
            "region by --region; another account takes another --profile.",
        ),
        ([], NO_AWS, 5, connection.NO_CREDENTIALS),
        (
            [],
            {**NO_AWS, "AWS_DEFAULT_REGION": None},
            2,
            "No region is chosen: name the stack's by --region, AWS_REGION, or in the profile.",
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
            "--endpoint-url 127.0.0.1:4566 is no URL such as http://127.0.0.1:4566.",
        ),
        (
            ["--endpoint-url", "http://[nonsense"],
            {},
            2,
            "--endpoint-url http://[nonsense is no URL such as http://127.0.0.1:4566.",
        ),
        (
            ["--stack-name", "older"],
            {},
            3,
            "The stack older (CREATE_COMPLETE) does not tell of TimerRoleArn: it is another kind of stack, is not "
            "deployed yet, or was deployed from an older template. Choose the stack by --stack-name, or deploy it "
            "anew.",
        ),
    ],
    ids=[
        "no such stack",
        "another region",
        "no credentials",
        "no region",
        "no profile",
        "no URL",
        "no host",
        "an older stack",
    ],
)
def test_what_keeps_from_the_stack_is_told(
    admin: Admin, words: list[str], env: dict[str, str | None], ends_with: int, error: str
) -> None:
    record_stack("older", queue_url=admin.queue_url, without="TimerRoleArn")
    told = admin("installs", "--json", *words, env=env)
    assert (told.ends_with, told.errors, told.lines) == (ends_with, [error], [])


@pytest.mark.parametrize(
    ("code", "begins"),
    [
        ("AccessDenied", "AWS does not allow DescribeStacks with these credentials: AccessDenied. "),
        ("ExpiredToken", "The AWS credentials have expired. "),
        ("InvalidClientTokenId", "AWS does not know the credentials (InvalidClientTokenId). "),
    ],
)
def test_credentials_that_are_refused_are_told(world: World, admin: Admin, code: str, begins: str) -> None:
    def deny(call: Call) -> None:
        if call.operation == "DescribeStacks":
            raise refused(code, "DescribeStacks")

    world.calls.before = deny
    told = admin("installs")
    world.calls.before = None
    assert told.ends_with == 5
    assert told.errors[0].startswith(begins)


def test_a_stack_whose_table_is_gone_is_told(admin: Admin) -> None:
    boto3.client("dynamodb").delete_table(TableName=TABLE)
    told = admin("installs", "--tenant", "tenant-1")
    assert told.ends_with == 5
    assert told.errors == [
        "The stack's table does not exist: it was deleted, or the stack is of another region or account than the "
        "table. The stack's output TableName names it."
    ]


def test_a_bug_is_not_hidden(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(bootstrap, "services", fail)
    with pytest.raises(ZeroDivisionError):
        admin("installs")


@pytest.mark.usefixtures("admin")
def test_a_profile_that_is_named_comes_before_keys_in_the_environment(tmp_path: Path) -> None:
    keys = "aws_access_key_id = of-the-profile\naws_secret_access_key = x"
    os.environ.update(config(tmp_path, f"[profile other]\nregion = eu-central-1\n{keys}\n"))
    os.environ["AWS_ACCESS_KEY_ID"] = "of-the-environment"
    operator = connect(Options(profile="other"))
    credentials = operator.session.get_credentials()
    assert credentials is not None
    assert credentials.access_key == "of-the-profile"
    assert "AWS_ACCESS_KEY_ID" not in os.environ


@pytest.mark.usefixtures("admin")
def test_a_second_factor_is_asked_for_once(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    text = (
        "[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n"
        "[profile admin]\nregion = eu-central-1\nsource_profile = base\n"
        "role_arn = arn:aws:iam::123456789012:role/admin\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n"
    )
    os.environ.update(config(tmp_path, text))
    asked: list[str] = []

    def prompt(question: str) -> str:
        asked.append(question)
        return "123456"

    start = AssumeRoleProvider.__init__
    defaults = [prompt if each is getpass.getpass else each for each in start.__defaults__ or ()]
    monkeypatch.setattr(start, "__defaults__", tuple(defaults))
    operator = connect(Options(profile="admin"))
    assert operator.name.startswith("admin:arn:aws:sts::123456789012:assumed-role/admin/")
    boto3.Session().client("sts").get_caller_identity()
    assert len(asked) == 1
    assert world.calls.operations().count("AssumeRole") == 1


@pytest.mark.usefixtures("admin")
def test_an_emulator_on_this_machine_needs_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        del os.environ[name]
    os.environ.update({name: value for name, value in NO_AWS.items() if value})
    found: list[boto3.Session] = []

    def find(session: boto3.Session, name: str) -> None:
        found.append(session)
        raise AdminError(f"looked for {name}", Exit.WRONG)

    monkeypatch.setattr(connection, "_find", find)
    with pytest.raises(AdminError, match=f"looked for {STACK}"):
        connect(Options(endpoint_url="http://127.0.0.1:4566"))
    (session,) = found
    credentials = session.get_credentials()
    assert credentials is not None
    assert (session.region_name, credentials.access_key) == ("us-east-1", "local")
    assert session.client("sqs").meta.endpoint_url == "http://127.0.0.1:4566"


def test_the_clock_of_a_local_stack_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Told:
        def json(self) -> dict[str, str]:
            return {"now": "2027-01-01T00:00:00Z"}

    monkeypatch.setattr(urllib3, "request", lambda *_, **__: Told())
    now = connection._local_clock("http://127.0.0.1:3000/_local/clock")
    assert now() == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_local_stack_that_has_ended_is_told() -> None:
    now = connection._local_clock("http://127.0.0.1:1/_local/clock")
    with pytest.raises(AdminError) as failed:
        now()
    assert failed.value.ends_with is Exit.AWS
    assert str(failed.value) == (
        "The local stack's clock does not answer at http://127.0.0.1:1/_local/clock: does `make local` still run?"
    )


# help


COMMANDS = [command.callback.__name__ for command in app.registered_commands if command.callback]


def test_the_commands_are_listed_with_what_they_end_with(admin: Admin) -> None:
    told = admin("--help")
    text = "\n".join(told.lines)
    assert told.ends_with == 0
    assert COMMANDS == [
        "installs",
        "schedules",
        "schedule",
        "explain",
        "pause",
        "resume",
        "disable",
        "enable",
        "run",
        "replay",
        "reconcile",
    ]
    for command in COMMANDS:
        assert f"│ {command} " in text
    for status, meaning in MEANINGS.items():
        assert f" {status.value} {meaning}"[:70] in text


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself_and_has_the_options_of_all(admin: Admin, command: str) -> None:
    told = admin(command, "--help")
    text = "\n".join(told.lines)
    assert told.ends_with == 0
    assert f"Usage: root {command} [OPTIONS]" in text
    for option in ("--stack-name", "--profile", "--region", "--endpoint-url", "--json", "--help"):
        assert f"│ {option} " in text
    assert "scheduling.domain" not in text
