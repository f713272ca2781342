"""Tokens of a call that are not available, and secrets of a call in what the runner and the extension say."""

import json

import pytest
from scheduling.domain.errors import Unavailable
from scheduling.domain.install import InstallConfig
from scheduling.domain.runs import RunStatus

from tests.unit.clients.runner_harness import (
    LocalRunner,
    RunnerHarness,
    error_outcome,
    extension_response,
    respond_with,
    runner_error,
)


def raise_unavailable() -> str:
    raise Unavailable("The secret store is not available, please try again")


def test_unreadable_service_token_is_an_error(local: LocalRunner, client: RunnerHarness) -> None:
    client.token = raise_unavailable

    assert client.execute_fire() == error_outcome(
        "The runner's service token could not be read: The secret store is not available, please try again"
    )
    assert local.received == []


def test_unsigned_callback_token_is_an_error(local: LocalRunner, client: RunnerHarness) -> None:
    client.callback_token = lambda _install: raise_unavailable()

    assert client.execute_fire() == error_outcome(
        "The callback token could not be signed: The secret store is not available, please try again"
    )
    assert local.received == []


def test_invalid_service_token_is_an_error_without_showing_it(client: RunnerHarness) -> None:
    client.token = lambda: "first-line\nsecond-line"

    outcome = client.execute_fire()

    assert outcome.status is RunStatus.ERROR
    assert "line" not in f"{outcome.error}{outcome.detail}"


CONFIG = {
    "key": "the key of the install",
    "second": 'a "quoted" secret\n',
    "short": "eu",
    "number": 4711,
    "nested": '{"smtp":{"password":"the nested password","ports":[4712]}}',
}
ENVELOPE = {"ciphertext_b64": "c2VjcmV0LWVudmVsb3Bl", "version": "v7"}
SECRETS = (
    "the key of the install",
    "quoted",
    "4711",
    "the nested password",
    "4712",
    "c2VjcmV0",
    "v7",
    "service-token",
    "signature-of-the-token",
)


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("HTTP 422: config: {config}, envelope: {envelope}", id="the runner's refusal"),
        pytest.param("not JSON {config} {envelope} {token} {callback}", id="not understood"),
        pytest.param("error: execute_failed: {config} {envelope} {token} {callback}", id="execute_failed"),
        pytest.param("error: bundle_fetch_failed: {config} {envelope} {token} {callback}", id="an error"),
        pytest.param("extension: {config} {envelope} {token} {callback}", id="the extension's answer"),
        pytest.param("extension: login with the nested password on 4712", id="a value within JSON"),
    ],
)
def test_no_text_quotes_a_secret_of_the_call(
    local: LocalRunner, client: RunnerHarness, template: str
) -> None:
    client.config = InstallConfig(config=json.dumps(CONFIG), secret_envelope=json.dumps(ENVELOPE))
    client.token = lambda: "service-token"
    client.callback_token = lambda _install: "eyJhbGciOiJIUzI1NiJ9.eyJhIjoiYiJ9.signature-of-the-token"
    text = (
        template.replace("{config}", json.dumps(CONFIG))
        .replace("{envelope}", str(ENVELOPE))
        .replace("{token}", "service-token")
        .replace("{callback}", "signature-of-the-token")
    )
    if template.startswith("HTTP"):
        local.respond = respond_with(text.encode(), "422 Unprocessable Entity")
    elif template.startswith("error: "):
        local.respond = respond_with(runner_error(text.removeprefix("error: ")))
    elif template.startswith("extension"):
        local.respond = respond_with(extension_response(400, text.encode()))
    else:
        local.respond = respond_with(text.encode())

    outcome = client.execute_fire()

    texts = f"{outcome.error} {outcome.detail}"
    assert "[redacted]" in texts
    assert [secret for secret in SECRETS if secret in texts] == []
    assert "europe" not in texts


@pytest.mark.parametrize("value", ["", " ", "\n"], ids=["empty", "space", "line end"])
def test_empty_service_token_is_not_sent(local: LocalRunner, client: RunnerHarness, value: str) -> None:
    client.token = lambda: value

    client.execute_fire()

    assert "x-runner-service-token" not in local.received[0].headers


def test_empty_service_token_is_an_error_in_production(client: RunnerHarness) -> None:
    client.token = lambda: ""
    client.url = "https://127.0.0.1:9"
    client.settings = {"stage": "prod", "runner_service_token_secret_id": "arn"}

    assert client.execute_fire() == error_outcome("The runner's service token could not be read: it is empty")
