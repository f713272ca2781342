"""The response of `POST /v1/execute`."""

import json
from base64 import b64encode
from dataclasses import dataclass

from runner.errors import ResponseTooLarge, RunnerError

MAX_RESPONSE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class ExecuteResponse:
    """The extension's response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def to_json(self) -> bytes:
        """Return the response as JSON.

        Raises:
            ResponseTooLarge: The JSON has more than 256 KiB.
        """
        body_b64 = b64encode(self.body).decode()
        content = _dump_response(self.status, self.headers, body_b64, None)
        if len(content) > MAX_RESPONSE_BYTES:
            text = f"the response would have {len(content)} bytes as JSON (max {MAX_RESPONSE_BYTES})"
            raise ResponseTooLarge(text)
        return content


def error_response(error: RunnerError) -> bytes:
    """Return the body of the response for an execution without a response of the extension."""
    return _dump_response(error.status, {}, None, error.description)


def _dump_response(status: int, headers: dict[str, str], body_b64: str | None, error: str | None) -> bytes:
    fields = {"status": status, "headers": headers, "body_b64": body_b64, "error": error}
    return json.dumps(fields).encode()
