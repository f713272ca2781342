"""The callback token as Secrets Manager has it, before, during and after a rotation."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.session import Session
from moto import mock_aws
from scheduling.aws.secrets import CURRENT, MAX_AGE_SECONDS, PREVIOUS, Secret
from scheduling.domain.errors import Unavailable


@pytest.fixture
def secret_id(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield boto3.client("secretsmanager").create_secret(Name="token", SecretString="first")["ARN"]


def rotate(secret_id: str, value: str) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId=secret_id, SecretString=value)


def test_there_is_none_before_the_first_rotation(secret_id: str) -> None:
    assert Secret(Session(), secret_id, (CURRENT, PREVIOUS)).values() == ("first",)


def test_during_a_rotation_the_old_one_is_there_too_and_a_further_one_ends_it(secret_id: str) -> None:
    rotate(secret_id, "second")
    assert Secret(Session(), secret_id, (CURRENT, PREVIOUS)).values() == ("second", "first")

    rotate(secret_id, "third")
    assert Secret(Session(), secret_id, (CURRENT, PREVIOUS)).values() == ("third", "second")


def test_a_secret_of_one_stage_is_its_current_value(secret_id: str) -> None:
    rotate(secret_id, "second")

    assert Secret(Session(), secret_id).value() == "second"


def test_what_was_read_is_kept_for_five_minutes_at_most(secret_id: str) -> None:
    now = [1000.0]
    secret = Secret(Session(), secret_id, (CURRENT, PREVIOUS), lambda: now[0])
    secret.values()
    rotate(secret_id, "second")

    now[0] += MAX_AGE_SECONDS
    assert secret.values() == ("first",)
    now[0] += 1
    assert secret.values() == ("second", "first")


def test_a_secret_that_is_not_there_is_no_answer(secret_id: str) -> None:
    del secret_id
    with pytest.raises(Unavailable):
        Secret(Session(), "other").value()
