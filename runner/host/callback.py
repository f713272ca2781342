"""HTTP callbacks to the scheduler on behalf of an install."""

import logging
import time
from urllib.parse import quote

import urllib3

from runner.protocol import CallbackResponse

logger = logging.getLogger(__name__)

MAX_RESPONSE_BYTES = 8 * 1024 * 1024
"""More than the service's API can return."""


class SchedulerCallback:
    """A client of the scheduler's callback API."""

    def __init__(self, base_url: str, auth_token: str) -> None:
        self._url = f"{base_url}/api/internal/ext-scheduler/install/"
        self._headers = {"content-type": "application/json", "accept-encoding": "gzip"}
        self._auth_token = auth_token
        self._http = urllib3.PoolManager(maxsize=16)

    def post_operation(
        self, install_id: str, body: str, deadline: float, callback_token: str | None
    ) -> CallbackResponse | None:
        """Send `body` and return the response.

        A run with a callback token of its own sends that one, because the runner's token opens every install.

        Args:
            install_id: The install on whose behalf the callback is sent.
            body: The operation as JSON text.
            deadline: When to stop waiting, on the monotonic clock.
            callback_token: The run's own token, if it has one.

        Returns:
            The response, or None if there is none before `deadline`.
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
                preload_content=False,
            )
            content = _read_content(response)
        except urllib3.exceptions.HTTPError as error:
            logger.warning("the scheduler did not respond: %s", error)
            return None
        return CallbackResponse(response.status, content.decode(errors="replace"))

    def _build_auth_header(self, callback_token: str | None) -> dict[str, str]:
        if callback_token:
            return {"authorization": f"Bearer {callback_token}"}
        return {"x-runner-auth": self._auth_token}


def _read_content(response: urllib3.BaseHTTPResponse) -> bytes:
    """Return the body of a response; empty if it is larger than any response of the service."""
    content = response.read(MAX_RESPONSE_BYTES + 1, decode_content=True)
    if len(content) > MAX_RESPONSE_BYTES:
        logger.warning("the scheduler's response has more than %d bytes", MAX_RESPONSE_BYTES)
        response.close()
        return b""
    response.release_conn()
    return content
