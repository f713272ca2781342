"""A secret in Secrets Manager before, during and after a rotation."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.session import Session
from moto import mock_aws
from scheduling.clients.secrets import (
    CURRENT_STAGE,
    PREVIOUS_STAGE,
    ROTATION_GRACE,
    SECRET_MAX_AGE_SECONDS,
    Secret,
)
from scheduling.domain.errors import Unavailable


@pytest.fixture
def secret_id(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield boto3.client("secretsmanager").create_secret(Name="token", SecretString="first")["ARN"]


def rotate_secret(secret_id: str, value: str) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId=secret_id, SecretString=value)


def test_no_previous_secret_before_the_first_rotation(secret_id: str) -> None:
    assert Secret(Session(), secret_id, (CURRENT_STAGE, PREVIOUS_STAGE)).read_values() == ("first",)


def test_previous_secret_is_returned_until_the_next_rotation(secret_id: str) -> None:
    rotate_secret(secret_id, "second")
    assert Secret(Session(), secret_id, (CURRENT_STAGE, PREVIOUS_STAGE)).read_values() == ("second", "first")

    rotate_secret(secret_id, "third")
    assert Secret(Session(), secret_id, (CURRENT_STAGE, PREVIOUS_STAGE)).read_values() == ("third", "second")


def test_a_secret_of_one_stage_is_its_current_value(secret_id: str) -> None:
    rotate_secret(secret_id, "second")

    assert Secret(Session(), secret_id).read_value() == "second"


def test_secret_is_cached_for_at_most_five_minutes(secret_id: str) -> None:
    now = [1000.0]
    secret = Secret(Session(), secret_id, (CURRENT_STAGE, PREVIOUS_STAGE), lambda: now[0])
    secret.read_values()
    rotate_secret(secret_id, "second")

    now[0] += SECRET_MAX_AGE_SECONDS
    assert secret.read_values() == ("first",)
    now[0] += 1
    assert secret.read_values() == ("second", "first")


def test_missing_secret_is_unavailable(secret_id: str) -> None:
    del secret_id
    with pytest.raises(Unavailable):
        Secret(Session(), "other").read_value()


def signing_key_after(age: timedelta, secret_id: str) -> Secret:
    """The secret as it is read now, by a clock that is ahead by `age`."""
    return Secret(
        Session(), secret_id, (CURRENT_STAGE, PREVIOUS_STAGE), clock=lambda: datetime.now(UTC) + age
    )


def test_first_value_is_used_for_signing_immediately(secret_id: str) -> None:
    assert signing_key_after(timedelta(), secret_id).read_propagated_value() == "first"


def test_new_value_is_used_for_signing_after_propagation(secret_id: str) -> None:
    rotate_secret(secret_id, "second")

    assert timedelta(seconds=SECRET_MAX_AGE_SECONDS) < ROTATION_GRACE
    assert signing_key_after(timedelta(), secret_id).read_propagated_value() == "first"
    assert (
        signing_key_after(ROTATION_GRACE - timedelta(seconds=30), secret_id).read_propagated_value()
        == "first"
    )
    assert (
        signing_key_after(ROTATION_GRACE + timedelta(seconds=1), secret_id).read_propagated_value()
        == "second"
    )


def test_after_two_immediate_rotations_the_first_of_them_is_used_for_signing(secret_id: str) -> None:
    rotate_secret(secret_id, "second")
    rotate_secret(secret_id, "third")

    assert signing_key_after(timedelta(), secret_id).read_propagated_value() == "second"
    assert (
        signing_key_after(ROTATION_GRACE + timedelta(seconds=1), secret_id).read_propagated_value() == "third"
    )


def test_value_age_is_checked_on_each_use(secret_id: str) -> None:
    rotate_secret(secret_id, "second")
    ahead = [timedelta()]
    secret = Secret(
        Session(), secret_id, (CURRENT_STAGE, PREVIOUS_STAGE), clock=lambda: datetime.now(UTC) + ahead[0]
    )
    assert secret.read_propagated_value() == "first"

    ahead[0] = ROTATION_GRACE + timedelta(seconds=1)
    assert secret.read_propagated_value() == "second"
