"""The token that a run is given opens its own install, for as long as the run may take, and nothing else."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from local.sample import INSTALL_ID
from local.settings import free_ports
from samples.build import EXTENSIONS
from tests.support.component_stack import prepare, running, settings
from tests.support.local_stack import TOKEN, ApiInstall, LocalStack, local_stack

CALLBACK = "/api/internal/ext-scheduler/install/{i}"
SCHEDULES, SCHEDULE = "/v1/installs/{i}/schedules", "/v1/installs/{i}/schedules/{s}"
WANTED = {"endpoint": "POST /api/sync", "cron": "30 * * * *"}


Headers = dict[str, str]


@dataclass
class Api:
    """The API for whoever shows these headers and nothing more."""

    client: httpx.Client

    def call(
        self,
        headers: Headers,
        install: ApiInstall,
        method: str,
        path: str,
        body: Any = None,
        schedule_id: str = "",
    ) -> httpx.Response:
        if body and body.get("operation") in ("update", "delete"):
            body = {**body, "scheduleId": schedule_id}
        url = path.format(i=install.id, s=schedule_id)
        return self.client.request(method, url, json=body, headers=headers)

    def status(self, headers: Headers, install: ApiInstall) -> int:
        return self.call(headers, install, "GET", SCHEDULES).status_code


@pytest.fixture(scope="module")
def api(shared_stack: LocalStack) -> Iterator[Api]:
    with httpx.Client(base_url=shared_stack.api.base_url, timeout=60) as client:
        yield Api(client)


def bearer(token: str) -> Headers:
    return {"authorization": f"Bearer {token}".strip()}


def state(*installs: ApiInstall) -> list[Any]:
    """What both systems have of the installs."""
    rows = [install.rows() for install in installs]
    timers = [
        {**(install.timer(row["sk"]["S"].removeprefix("SCHEDULE#")) or {}), "ResponseMetadata": None}
        for install, own in zip(installs, rows, strict=True)
        for row in own
        if row["sk"]["S"].startswith("SCHEDULE#")
    ]
    return [rows, timers]


@pytest.mark.local_only("functions in containers keep the real time")
def test_it_ends_a_little_after_its_run_had_to(stack: LocalStack, api: Api, install: ApiInstall) -> None:
    headers = bearer(stack.callback_token(install))
    stack.travel("PT39S")
    assert api.status(headers, install) == 200

    stack.travel("PT1S")
    before = state(install)
    assert api.call(headers, install, "POST", SCHEDULES, WANTED).status_code == 403
    assert state(install) == before


def test_a_forged_one_opens_nothing(stack: LocalStack, api: Api, install: ApiInstall) -> None:
    token = stack.callback_token(install)
    head, claims, signature = token.split(".")
    later = {**jwt.decode(token, options={"verify_signature": False}), "exp": 2**40}
    forged = {
        "other claims": f"{head}.{base64.urlsafe_b64encode(json.dumps(later).encode()).decode()}.{signature}",
        "another key": jwt.encode(later, "k" * 64, algorithm="HS256"),
        "no signature": f"{head}.{claims}.",
        "another letter": f"{token[:-1]}{'A' if token[-1] != 'A' else 'E'}",
        "nothing": "",
        "the runners' token": TOKEN,
    }
    before = state(install)

    assert api.status(bearer(token), install) == 200
    for kind, each in forged.items():
        for more in ({}, {"x-runner-auth": TOKEN}):
            answer = api.call(bearer(each) | more, install, "POST", SCHEDULES, WANTED)
            assert answer.status_code == 403, kind
    assert state(install) == before


def test_it_decides_alone_where_the_runners_token_is_shown_too(
    stack: LocalStack, api: Api, install: ApiInstall
) -> None:
    headers = bearer(stack.callback_token(install)) | {"x-runner-auth": TOKEN}

    assert api.status(headers, install) == 200
    assert api.status(headers, stack.register()) == 403


def test_what_the_install_may_is_still_asked_of_the_install(
    stack: LocalStack, api: Api, install: ApiInstall
) -> None:
    headers = bearer(stack.callback_token(install))

    stack.register(install.id, grantedCapabilities=[])
    denied = api.call(headers, install, "GET", SCHEDULES)
    stack.register(install.id, enabled=False)
    disabled = api.call(headers, install, "GET", SCHEDULES)

    assert (denied.status_code, denied.json()["code"]) == (403, "CAPABILITY_DENIED")
    assert (disabled.status_code, disabled.json()["code"]) == (404, "NOT_FOUND")


@pytest.fixture
def with_real_runner(tmp_path: Path) -> Iterator[LocalStack]:
    """A stack whose runner executes the sample, and has a token of its own that opens nothing."""
    prepare()
    (port,) = free_ports(1)
    with (
        local_stack(tmp_path, RUNNER_BASE_URL=f"http://127.0.0.1:{port}") as stack,
        running(replace(settings(str(stack.api.base_url), EXTENSIONS), port=port)),
    ):
        yield stack


@pytest.mark.local_only("a stack of its own")
def test_a_real_component_calls_back_by_it(with_real_runner: LocalStack) -> None:
    sample = ApiInstall(with_real_runner, INSTALL_ID)
    schedule_id = sample.created(endpoint="GET /api/schedules", name="list itself")

    fired = with_real_runner.travel("PT1H")

    (run,) = sample.runs(schedule_id)
    assert (run["status"], run["httpStatus"], run["error"]) == ("success", 200, None)
    assert [each["status"] for each in fired] == ["success"]
