"""A runner with one base URL and one token for all services of a platform, which routes the scheduler's path here."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.sample import INSTALL_ID, REGISTRY_ID, TENANT_ID
from local.settings import free_ports
from samples.build import EXTENSIONS
from tests.support.components.client import ComponentClient
from tests.support.components.runner import (
    build_sample,
    create_runner_settings,
    prepare_components,
    start_runner,
)
from tests.support.stacks.local_stack import ApiInstall, LocalStack, start_local_stack
from tests.support.stacks.path_router import PathRouter, RoutedRequest, start_path_router

pytestmark = pytest.mark.local_only("a stack of its own")

PREFIX = "/api/internal/ext-scheduler/"
CALLBACK_PATH = f"{PREFIX}install/{INSTALL_ID}"
PLATFORM_TOKEN = "the-token-of-all-five-services"


@dataclass
class Platform:
    """A platform whose runner knows only the gateway, and the stack behind the gateway."""

    router: PathRouter
    stack: LocalStack
    runner: ComponentClient

    def execute_sample(self, method: str, path: str) -> Any:
        """Call an endpoint of the sample as for a user's request, so without a callback token."""
        request = self.runner.create_request(method, path)
        request["context"] |= {"tenant_id": TENANT_ID, "extension_id": REGISTRY_ID, "install_id": INSTALL_ID}
        routing_headers = {"x-alga-tenant": TENANT_ID, "x-alga-extension": REGISTRY_ID}
        return self.runner.post_request(request, **routing_headers).json()

    def call_gateway(self, path: str, token: str, body: object) -> tuple[int, Any]:
        """Send a request with exactly the headers of a deployed runner, which has no user-agent."""
        content = json.dumps(body).encode()
        connection = HTTPConnection(urlsplit(self.router.url).netloc, timeout=60)
        try:
            connection.putrequest("POST", path, skip_accept_encoding=True)
            headers = {"content-type": "application/json", "x-runner-auth": token, "accept": "*/*"}
            for name, value in {**headers, "content-length": str(len(content))}.items():
                connection.putheader(name, value)
            connection.endheaders(content)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def shared_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    prepare_components()
    (port,) = free_ports(1)
    runner_url = f"http://127.0.0.1:{port}"
    environment = {"RUNNER_AUTH_TOKEN": PLATFORM_TOKEN, "RUNNER_BASE_URL": runner_url}
    with (
        start_path_router() as router,
        start_local_stack(tmp_path_factory.mktemp("stack"), **environment) as stack,
        start_runner(
            replace(create_runner_settings(router.url, EXTENSIONS), port=port, auth_token=PLATFORM_TOKEN)
        ),
    ):
        stack.api.headers["x-runner-auth"] = PLATFORM_TOKEN
        router.services[PREFIX] = str(stack.api.base_url)
        yield Platform(router, stack, ComponentClient(runner_url, build_sample()))


@pytest.fixture
def platform(shared_platform: Platform) -> Platform:
    """The platform that the tests share, with no requests recorded and no schedules of the sample."""
    sample = ApiInstall(shared_platform.stack, INSTALL_ID)
    for schedule in shared_platform.stack.api.get(f"{sample.path}/schedules").json()["schedules"]:
        assert sample.call_callback("delete", scheduleId=schedule["id"]).status_code == 200
    shared_platform.router.requests.clear()
    return shared_platform


def callbacks(platform: Platform) -> list[RoutedRequest]:
    return [request for request in platform.router.requests if request.path.startswith(PREFIX)]


def test_extension_creates_its_schedules_through_the_gateway(platform: Platform) -> None:
    assert platform.execute_sample("POST", "/api/setup")["created"] == ["heartbeat", "daily-status"]

    assert {request.path for request in callbacks(platform)} == {CALLBACK_PATH}
    assert {request.headers["x-runner-auth"] for request in callbacks(platform)} == {PLATFORM_TOKEN}


def test_fires_reach_the_runner_and_its_callbacks_the_stack(platform: Platform) -> None:
    sample = ApiInstall(platform.stack, INSTALL_ID)
    schedule_id = sample.create_schedule(endpoint="GET /api/schedules", name="list itself")

    fires = platform.stack.advance_clock("PT1H")

    assert [fire["status"] for fire in fires] == ["success"]
    (run,) = sample.list_runs(schedule_id)
    assert (run["status"], run["httpStatus"], run["error"]) == ("success", 200, None)
    (callback,) = callbacks(platform)
    # Only deployed runners ignore the run's callback token, which this runner prefers to its own.
    assert callback.headers["authorization"].startswith("Bearer ")


def test_response_passes_the_gateway_unchanged(platform: Platform) -> None:
    body = {"operation": "create", "endpoint": "POST /api/heartbeat", "cron": "* * * * *"}
    status, error = platform.call_gateway(CALLBACK_PATH, PLATFORM_TOKEN, body)
    assert (status, error["success"], set(error["fieldErrors"])) == (400, False, {"cron"})

    status, created = platform.call_gateway(CALLBACK_PATH, PLATFORM_TOKEN, {**body, "cron": "0 9 * * *"})
    assert (status, created["success"]) == (201, True)

    status, page = platform.call_gateway(CALLBACK_PATH, PLATFORM_TOKEN, {"operation": "list"})
    assert [schedule["id"] for schedule in page["schedules"]] == [created["scheduleId"]]


@pytest.mark.parametrize("token", ["local-runner-key", PLATFORM_TOKEN[:-1], ""])
def test_any_other_token_is_refused(platform: Platform, token: str) -> None:
    status, _ = platform.call_gateway(CALLBACK_PATH, token, {"operation": "list"})
    assert status in (401, 403)


def test_paths_of_other_services_stay_with_the_platform(platform: Platform) -> None:
    path = f"/api/internal/ext-storage/install/{INSTALL_ID}"
    assert platform.call_gateway(path, PLATFORM_TOKEN, {}) == (200, {"service": "platform"})
    assert platform.stack.api.post(path, json={}).status_code == 404
