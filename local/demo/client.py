"""What the demonstration asks of the stack, as the platform, the timer's clock and a user would."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from local.errors import StackError

if TYPE_CHECKING:
    from local.sample import Sample
    from local.settings import Settings


@dataclass(frozen=True)
class Fire:
    """One occurrence that the clock delivered."""

    schedule_id: str
    scheduled_time: str
    status: str


class DemoClient:
    """Calls the runner, the API and the clock over HTTP."""

    def __init__(self, settings: Settings, sample: Sample) -> None:
        self._settings = settings
        self._sample = sample
        self._install = f"{settings.api_url}/v1/installs/{sample.install_id}"
        token = {"x-runner-auth": settings.runner_auth_token}
        self._http = httpx.Client(timeout=60, headers=token)

    def call_extension(self, method: str, path: str) -> dict[str, Any]:
        """Call an endpoint of the sample through the runner and return its JSON answer.

        :raises StackError: if the extension or the runner does not answer 200
        """
        service_token = self._settings.runner_service_token
        headers = {"x-runner-service-token": service_token} if service_token else {}
        body = self._sample.execute_request(method, path)
        answer = _json(self._http.post(f"{self._settings.runner_url}/v1/execute", json=body, headers=headers))
        content = base64.b64decode(answer.get("body_b64") or "").decode()
        if answer["status"] != 200:
            raise StackError(f"{method} {path} of the sample answered {answer['status']}: {content}")
        extension_answer: dict[str, Any] = json.loads(content)
        return extension_answer

    def schedules(self) -> list[dict[str, Any]]:
        """The sample's schedules, as the API lists them."""
        found: list[dict[str, Any]] = _json(self._http.get(f"{self._install}/schedules"))["schedules"]
        return found

    def runs(self, schedule_id: str) -> list[dict[str, Any]]:
        """The history of a schedule, newest first."""
        url = f"{self._install}/schedules/{schedule_id}/runs"
        found: list[dict[str, Any]] = _json(self._http.get(url))["runs"]
        return found

    def travel(self, duration: str) -> list[Fire]:
        """Set the clock forward and return what fired on the way."""
        answer = _json(self._http.post(f"{self._settings.api_url}/_local/clock", json={"advance": duration}))
        return [Fire(one["scheduleId"], one["scheduledTime"], one["status"]) for one in answer["fired"]]


def _json(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise StackError(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}")
    content: dict[str, Any] = answer.json()
    return content
