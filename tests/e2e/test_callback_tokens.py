"""The callback token of a run authorizes its own install, until shortly after the run's deadline, and nothing else."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest

from tests.support.policies.isolation import SCHEDULES, bearer_headers, read_state
from tests.support.stacks.local_stack import (
    HOURLY_SCHEDULE,
    RUNNER_TOKEN,
    ApiInstall,
    LocalStack,
)

Headers = dict[str, str]


@dataclass
class Api:
    """A client of the API without headers of its own."""

    client: httpx.Client

    def send_request(
        self, headers: Headers, install: ApiInstall, method: str, body: Any = None
    ) -> httpx.Response:
        return self.client.request(method, SCHEDULES.format(i=install.id), json=body, headers=headers)

    def list_status(self, headers: Headers, install: ApiInstall) -> int:
        return self.send_request(headers, install, "GET").status_code


@pytest.fixture(scope="module")
def api(shared_stack: LocalStack) -> Iterator[Api]:
    with httpx.Client(base_url=shared_stack.api.base_url, timeout=60) as client:
        yield Api(client)


@pytest.mark.local_only("functions in containers use the real time")
def test_token_expires_shortly_after_run_deadline(stack: LocalStack, api: Api, install: ApiInstall) -> None:
    headers = bearer_headers(stack.issue_callback_token(install))
    stack.advance_clock("PT69S")
    assert api.list_status(headers, install) == 200

    stack.advance_clock("PT1S")
    before = read_state(install)
    assert api.send_request(headers, install, "POST", HOURLY_SCHEDULE).status_code == 403
    assert read_state(install) == before


def test_forged_token_is_refused(stack: LocalStack, api: Api, install: ApiInstall) -> None:
    token = stack.issue_callback_token(install)
    head, claims, signature = token.split(".")
    later = {**jwt.decode(token, options={"verify_signature": False}), "exp": 2**40}
    forged = {
        "other claims": f"{head}.{base64.urlsafe_b64encode(json.dumps(later).encode()).decode()}.{signature}",
        "another key": jwt.encode(later, "k" * 64, algorithm="HS256"),
        "no signature": f"{head}.{claims}.",
        "a changed letter": f"{token[:-1]}{'A' if token[-1] != 'A' else 'E'}",
        "an empty token": "",
        "the runner token": RUNNER_TOKEN,
    }
    before = read_state(install)

    assert api.list_status(bearer_headers(token), install) == 200
    for kind, forged_token in forged.items():
        for more in ({}, {"x-runner-auth": RUNNER_TOKEN}):
            response = api.send_request(bearer_headers(forged_token) | more, install, "POST", HOURLY_SCHEDULE)
            assert response.status_code == 403, kind
    assert read_state(install) == before


def test_callback_token_takes_precedence_over_runner_token(
    stack: LocalStack, api: Api, install: ApiInstall
) -> None:
    headers = bearer_headers(stack.issue_callback_token(install)) | {"x-runner-auth": RUNNER_TOKEN}

    assert api.list_status(headers, install) == 200
    assert api.list_status(headers, stack.register_install()) == 403


def test_capability_is_still_checked_on_the_install(stack: LocalStack, api: Api, install: ApiInstall) -> None:
    headers = bearer_headers(stack.issue_callback_token(install))

    stack.register_install(install.id, grantedCapabilities=[])
    denied = api.send_request(headers, install, "GET")
    stack.register_install(install.id, enabled=False)
    disabled = api.send_request(headers, install, "GET")

    assert (denied.status_code, denied.json()["code"]) == (403, "CAPABILITY_DENIED")
    assert (disabled.status_code, disabled.json()["code"]) == (404, "NOT_FOUND")
