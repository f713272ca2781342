"""The demonstration's client of the runner, the API and the clock."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import httpx

from local.errors import StackError

if TYPE_CHECKING:
    from local.sample import SampleInstall
    from local.settings import Settings


class DemoClient:
    """A client over HTTP that calls the sample's endpoints and reads its schedules."""

    def __init__(self, settings: Settings, sample: SampleInstall) -> None:
        self._settings = settings
        self._sample = sample
        self._install_url = f"{settings.api_url}/v1/installs/{sample.install_id}"
        token = {"x-runner-auth": settings.runner_auth_token}
        self._http = httpx.Client(timeout=60, headers=token)

    def call_extension(self, method: str, path: str) -> dict[str, Any]:
        """Call an endpoint of the sample through the runner and return its JSON response.

        Raises:
            StackError: The extension or the runner does not answer 200.
        """
        service_token = self._settings.runner_service_token
        headers = {"x-runner-service-token": service_token} if service_token else {}
        body = self._sample.build_execute_request(method, path)
        context = body["context"]
        headers |= {"x-alga-tenant": context["tenant_id"], "x-alga-extension": context["extension_id"]}
        response = _read_json(
            self._http.post(f"{self._settings.runner_url}/v1/execute", json=body, headers=headers)
        )
        content = base64.b64decode(response.get("body_b64") or "").decode()
        if response["status"] != 200:
            reason = response["error"] or content
            raise StackError(f"{method} {path} of the sample answered {response['status']}: {reason}")
        extension_response: dict[str, Any] = json.loads(content)
        return extension_response

    def list_schedules(self) -> list[dict[str, Any]]:
        """Return the sample's schedules from the API."""
        schedules: list[dict[str, Any]] = _read_json(self._http.get(f"{self._install_url}/schedules"))[
            "schedules"
        ]
        return schedules

    def list_runs(self, schedule_id: str) -> list[dict[str, Any]]:
        """Return the run history of a schedule, newest first."""
        url = f"{self._install_url}/schedules/{schedule_id}/runs"
        runs: list[dict[str, Any]] = _read_json(self._http.get(url))["runs"]
        return runs

    def advance_clock(self, duration: str) -> int:
        """Advance the clock and return the number of occurrences that fired."""
        response = _read_json(
            self._http.post(f"{self._settings.api_url}/_local/clock", json={"advance": duration})
        )
        return len(response["fired"])


def _read_json(response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        raise StackError(
            f"{response.request.method} {response.request.url}: {response.status_code} {response.text}"
        )
    content: dict[str, Any] = response.json()
    return content
