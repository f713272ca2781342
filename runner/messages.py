"""The request and response of `POST /v1/execute`."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from runner.errors import ExecuteFailed, InvalidField, InvalidJson, ResponseTooLarge, RunnerError

DEFAULT_TIMEOUT_MS = 30_000
MAX_TIMEOUT_MS = 60_000
MAX_RESPONSE_BYTES = 256 * 1024
BEARER_PATTERN = r"^[A-Za-z0-9._~+/-]+=*$"
"""The syntax of a bearer token (RFC 6750)."""

U64 = Annotated[int, Field(ge=0, lt=2**64)]


class _RequestPart(BaseModel):
    """A part of the request, whose types are not converted; unknown fields are ignored."""

    model_config = ConfigDict(strict=True)


class ExecutionContext(_RequestPart):
    """The tenant, extension and install of an execution, and the token for its callbacks."""

    request_id: str | None = None
    tenant_id: str
    extension_id: str
    install_id: str | None = None
    content_hash: str
    version_id: str | None = None
    config: dict[str, str] = {}
    callback_token: str | None = Field(None, repr=False, pattern=BEARER_PATTERN, max_length=4096)


class HttpRequest(_RequestPart):
    """The HTTP request to the extension."""

    method: str
    path: str
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body_b64: str | None = None

    @property
    def url(self) -> str:
        """The path and the query string."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def decode_body(self) -> bytes | None:
        """Return the body.

        Raises:
            ExecuteFailed: `body_b64` is not base64.
        """
        if self.body_b64 is None:
            return None
        try:
            return b64decode(self.body_b64, validate=True)
        except ValueError:
            raise ExecuteFailed("http.body_b64 is not base64") from None


class Limits(_RequestPart):
    """The limits of an execution. This runner applies `timeout_ms`, up to its own maximum, and its own memory limit."""

    timeout_ms: U64 | None = None
    memory_mb: U64 | None = None
    fuel: U64 | None = None

    @property
    def effective_timeout_ms(self) -> int:
        """The time limit that applies."""
        return min(DEFAULT_TIMEOUT_MS if self.timeout_ms is None else self.timeout_ms, MAX_TIMEOUT_MS)


class SecretEnvelope(_RequestPart):
    """The encrypted secrets of an install."""

    ciphertext_b64: str
    version: str | None = None
    algorithm: str | None = None
    expires_at: str | None = None
    key_path: str | None = None
    mount: str | None = None


class ExecuteRequest(_RequestPart):
    """The body of an execute request."""

    context: ExecutionContext
    http: HttpRequest
    limits: Limits = Limits()
    secret_envelope: SecretEnvelope | None = None
    providers: list[str] = []
    user: dict[str, Any] | None = None


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


def parse_request(body: bytes) -> ExecuteRequest:
    """Parse an execute request.

    Raises:
        InvalidJson: The body is not JSON.
        InvalidField: The text names every invalid field.
    """
    try:
        fields = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidJson(f"Failed to parse the request body as JSON: {error}") from None
    try:
        return ExecuteRequest.model_validate(fields)
    except ValidationError as error:
        raise InvalidField("; ".join(map(_describe_error, error.errors()))) from None


def error_response(error: RunnerError) -> bytes:
    """Return the body of the response for an execution without a response of the extension."""
    return _dump_response(error.status, {}, None, error.description)


def _dump_response(status: int, headers: dict[str, str], body_b64: str | None, error: str | None) -> bytes:
    fields = {"status": status, "headers": headers, "body_b64": body_b64, "error": error}
    return json.dumps(fields).encode()


def _describe_error(error: Any) -> str:
    field = ".".join(map(str, error["loc"]))
    return f"{field}: {error['msg']}" if field else str(error["msg"])
