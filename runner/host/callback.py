"""The HTTP call back to the scheduler, on behalf of an install."""

import logging
import time
from dataclasses import dataclass
from urllib.parse import quote

import urllib3

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallbackResponse:
    """What the scheduler answered."""

    status: int
    body: str


class SchedulerCallback:
    """Knows where the scheduler is and how to be let in."""

    def __init__(self, base_url: str, auth_token: str) -> None:
        self._url = f"{base_url}/api/internal/ext-scheduler/install/"
        self._headers = {"content-type": "application/json", "accept-encoding": "gzip"}
        self._auth_token = auth_token
        self._http = urllib3.PoolManager(maxsize=16)

    def post_operation(
        self, install_id: str, body: str, deadline: float, callback_token: str | None
    ) -> CallbackResponse | None:
        """The answer to `body`, or None where none came before `deadline` (of the monotonic clock).

        A run that was given a token of its own shows that one; the runner's own would open every install.
        """
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return None
        try:
            response = self._http.request(
                "POST",
                self._url + quote(install_id, safe=""),
                body=body.encode(),
                headers=self._headers | self._build_auth_header(callback_token),
                timeout=urllib3.Timeout(total=remaining),
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            log.warning("the scheduler gave no answer: %s", error)
            return None
        return CallbackResponse(response.status, response.data.decode(errors="replace"))

    def _build_auth_header(self, callback_token: str | None) -> dict[str, str]:
        if callback_token:
            return {"authorization": f"Bearer {callback_token}"}
        return {"x-runner-auth": self._auth_token}
