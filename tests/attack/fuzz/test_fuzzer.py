"""A short run of the fuzzer; `make attack` sends many more requests."""

import json
from collections.abc import Iterator
from random import Random

import pytest
from scheduling.domain.ids import InstallId

from local.gateway.messages import Request, Response
from tests.attack.fuzz.fuzzer import run_fuzzer
from tests.attack.fuzz.invariants import Invariants
from tests.attack.fuzz.requests import Attempt, Generator
from tests.attack.fuzz.scene import CALLBACK_KEY, RUNNER_TOKEN, Scene, registration_fields, start_scene
from tests.support.aws.calls import Call

_PROBLEM = {
    "type": "about:blank",
    "title": "Bad Request",
    "status": 400,
    "detail": "No",
    "code": "VALIDATION_FAILED",
}
_SCHEDULE = {
    "id": "01a20745-4897-4f81-a91e-a0d09962b8d6", "endpointPath": "/a", "endpointMethod": "GET", "name": None,
    "cron": "0 * * * *", "timezone": "UTC", "enabled": True, "payload": None, "lastRunAt": None,
    "lastRunStatus": None, "lastError": None, "lastSuccessAt": None, "consecutiveFailures": 0,
    "createdAt": "2026-11-23T09:00:00Z", "nextFireAt": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with start_scene() as scene:
        yield scene


@pytest.mark.parametrize("seed", [1, 2])
def test_no_request_breaks_an_invariant(seed: int) -> None:
    report = run_fuzzer(seed, 400)

    assert report.violations == []
    assert report.count == 400


def test_the_same_seed_sends_the_same_requests() -> None:
    assert run_fuzzer(3, 60).statuses == run_fuzzer(3, 60).statuses


def _attempt(scene: Scene, method: str, path: str, *, authorized: bool = True) -> Attempt:
    route = next(each for each in scene.routes if (each.method, each.path) == (method, path))
    return Attempt(1, route, Request(method, path, "", {}, b"", "r"), scene.targets[0], authorized)


@pytest.mark.parametrize(
    ("status", "content", "violation"),
    [
        pytest.param(500, _PROBLEM, "status 500", id="an internal error"),
        pytest.param(503, _PROBLEM, "status 503", id="unavailable without a fault"),
        pytest.param(200, {"schedules": [{**_SCHEDULE, "cron": None}]}, "cron is None", id="a field of another type"),
        pytest.param(
            200, {name: _SCHEDULE[name] for name in _SCHEDULE if name != "name"}, "name is missing", id="a field less"
        ),
        pytest.param(200, {"a": "mark11mark"}, "the response has data of tenant-1", id="another tenant's data"),
        pytest.param(200, {"a": CALLBACK_KEY}, f"the response contains the secret {CALLBACK_KEY}", id="a secret"),
        pytest.param(400, {**_PROBLEM, "code": None}, "code is None", id="a problem without a code"),
        pytest.param(400, {**_PROBLEM, "status": 404}, "the status of the problem is another", id="another status"),
        pytest.param(400, {**_PROBLEM, "fieldErrors": {}}, "fieldErrors {}", id="no field to blame"),
        pytest.param(429, {**_PROBLEM, "status": 429}, "429 without Retry-After", id="no time to retry"),
        pytest.param(400, ["x"], "the body of an error is no object", id="an error of another shape"),
    ],
)  # fmt: skip
def test_violation_is_detected(scene: Scene, status: int, content: object, violation: str) -> None:
    attempt = _attempt(scene, "GET", "/v1/installs/{installId}/schedules")
    headers = [("content-type", "application/problem+json")]
    response = Response(status, json.dumps(content).encode(), headers)

    assert violation in list(Invariants(scene).violations(attempt, response))


def test_change_of_another_install_is_detected(scene: Scene) -> None:
    invariants = Invariants(scene)
    attempt = _attempt(scene, "POST", "/v1/installs/{installId}/schedules")
    other = scene.targets[1]
    scene.world.register_install(InstallId(other.id), **registration_fields(other), enabled=False)

    found = list(invariants.violations(attempt, Response(200, b"{}")))

    assert [each.partition(":")[0] for each in found] == ["the request changes data of tenant-1"]


def test_failure_is_reported_with_its_traceback(scene: Scene) -> None:
    def fail(_call: Call) -> None:
        raise RuntimeError("boom")

    attempt = _attempt(scene, "GET", "/v1/installs/{installId}/schedules")
    path = f"/v1/installs/{scene.targets[0].id}/schedules"
    scene.world.calls.before = fail
    response = scene.send(Request("GET", path, "", {"x-runner-auth": RUNNER_TOKEN}, b"", "r"))
    scene.world.calls.before = None

    assert "status 500" in list(Invariants(scene).violations(attempt, response))
    assert "RuntimeError: boom" in scene.failures[0]


def test_unauthorized_success_is_detected(scene: Scene) -> None:
    attempt = _attempt(scene, "GET", "/v1/installs/{installId}/endpoints", authorized=False)

    found = list(Invariants(scene).violations(attempt, Response(200, b"{}")))

    assert found == ["an unauthorized request has status 200 and changes set()"]


def test_eleventh_write_within_a_minute_is_detected(scene: Scene) -> None:
    invariants = Invariants(scene)
    attempt = _attempt(scene, "DELETE", "/v1/installs/{installId}/schedules/{scheduleId}")

    found = [list(invariants.violations(attempt, Response(204))) for _ in range(11)]

    assert found == [[]] * 10 + [["11 writes in a minute"]]


def test_requests_reach_every_route(scene: Scene) -> None:
    generator = Generator(scene, Random(1))  # noqa: S311

    routes = {generator.next_attempt().route.key for _ in range(3_000)}

    assert routes == {route.key for route in scene.routes}
