"""A secret in Secrets Manager before, during and after a rotation."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.session import Session
from moto import mock_aws
from scheduling import bootstrap
from scheduling.api.observability import logger
from scheduling.clients.secrets import (
    CURRENT_STAGE,
    PREVIOUS_STAGE,
    ROTATION_GRACE,
    SECRET_MAX_AGE_SECONDS,
    SECRET_MAX_STALE_SECONDS,
    Secret,
)
from scheduling.domain.errors import Unavailable

from tests.support.aws.calls import Call, client_error, watch_calls


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


@dataclass
class CachedSecret:
    """A secret that was read once, its clock, and the outages that it has reported."""

    secret: Secret
    now: list[float]
    outages: list[float | None]
    errors: list[Exception]
    reads: list[str]

    def values_after(self, seconds: float) -> Sequence[str]:
        """Advance the clock and return the values."""
        self.now[0] += seconds
        return self.secret.read_values()


@pytest.fixture
def cached(secret_id: str) -> Iterator[CachedSecret]:
    """A rotated secret of both stages; reads fail with the first of `errors` while there are any."""
    rotate_secret(secret_id, "second")
    now, outages = [1000.0], list[float | None]()
    secret = Secret(
        Session(),
        secret_id,
        (CURRENT_STAGE, PREVIOUS_STAGE),
        lambda: now[0],
        report_outage=lambda _id, age: outages.append(age),
    )
    state = CachedSecret(secret, now, outages, [], [])
    with watch_calls() as calls:
        calls.before = lambda call: fail_if_down(state, call)
        assert state.secret.read_values() == ("second", "first")
        state.reads.clear()
        yield state


def fail_if_down(state: CachedSecret, call: Call) -> None:
    state.reads.append(call.operation)
    if state.errors:
        raise state.errors[0]


OUTAGES = [
    pytest.param(client_error("InternalServiceError", "GetSecretValue", 500), id="500"),
    pytest.param(client_error("ThrottlingException", "GetSecretValue", 400), id="throttled"),
    pytest.param(EndpointConnectionError(endpoint_url="https://secretsmanager"), id="unreachable"),
    pytest.param(ReadTimeoutError(endpoint_url="https://secretsmanager"), id="no response"),
]


@pytest.mark.parametrize("error", OUTAGES)
def test_last_values_are_used_for_an_hour_of_outage(cached: CachedSecret, error: Exception) -> None:
    cached.errors.append(error)

    assert cached.values_after(SECRET_MAX_AGE_SECONDS) == ("second", "first")
    assert cached.outages == []
    assert cached.values_after(1) == ("second", "first")
    assert cached.values_after(SECRET_MAX_STALE_SECONDS - SECRET_MAX_AGE_SECONDS - 1) == ("second", "first")
    assert cached.outages == [SECRET_MAX_AGE_SECONDS + 1, SECRET_MAX_STALE_SECONDS]
    with pytest.raises(Unavailable):
        cached.values_after(31)


def test_outage_is_not_asked_about_at_each_request(cached: CachedSecret) -> None:
    cached.errors.append(client_error("InternalServiceError", "GetSecretValue", 500))
    cached.values_after(SECRET_MAX_AGE_SECONDS + 1)
    reads = len(cached.reads)

    cached.values_after(30)
    assert len(cached.reads) == reads
    cached.values_after(1)
    assert len(cached.reads) > reads


def test_values_are_read_again_after_the_outage(cached: CachedSecret, secret_id: str) -> None:
    cached.errors.append(client_error("InternalServiceError", "GetSecretValue", 500))
    assert cached.values_after(SECRET_MAX_AGE_SECONDS + 1) == ("second", "first")
    cached.errors.clear()
    rotate_secret(secret_id, "third")

    assert cached.values_after(31) == ("third", "second")
    assert cached.values_after(SECRET_MAX_AGE_SECONDS) == ("third", "second")


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ResourceNotFoundException", "InvalidRequestException"]
)
def test_withdrawn_secret_is_not_used_on(cached: CachedSecret, code: str) -> None:
    cached.errors.append(client_error(code, "GetSecretValue", 400))

    with pytest.raises(Unavailable):
        cached.values_after(SECRET_MAX_AGE_SECONDS + 1)
    assert cached.outages == []


@pytest.mark.parametrize("error", OUTAGES)
def test_first_read_during_an_outage_fails(secret_id: str, error: Exception) -> None:
    outages: list[float | None] = []
    secret = Secret(Session(), secret_id, report_outage=lambda _id, age: outages.append(age))
    with watch_calls() as calls:
        calls.before = lambda _call: raise_error(error)
        with pytest.raises(Unavailable):
            secret.read_value()
    assert outages == [None]


def raise_error(error: Exception) -> None:
    raise error


def test_rotated_key_signs_only_once_every_process_has_read_it() -> None:
    assert timedelta(seconds=SECRET_MAX_STALE_SECONDS) < ROTATION_GRACE


def test_outage_is_logged_and_counted(
    secret_id: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")
    monkeypatch.setattr(logger.registered_handler, "stream", sys.stdout)
    monkeypatch.setattr(bootstrap, "_connection", lambda: SimpleNamespace(session=Session()))
    secret = bootstrap._build_rotating_secret(secret_id)
    with watch_calls() as calls:
        calls.before = lambda _call: raise_error(client_error("InternalServiceError", "GetSecretValue", 500))
        with pytest.raises(Unavailable):
            secret.read_values()

    log_line, metrics = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (log_line["level"], log_line["message"]) == ("WARNING", "secret not read")
    assert (log_line["secret"], log_line.get("value_age_seconds")) == (secret_id, None)
    assert metrics["SecretReadFailures"] == [1]
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
