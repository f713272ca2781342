"""The request and response of `POST /v1/execute`."""

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from runner.errors import InvalidRequest, ResponseTooLarge

MAX_TIMEOUT_MS = 60_000
MAX_RESPONSE_BYTES = 256 * 1024
BEARER_PATTERN = r"^[A-Za-z0-9._~+/-]+=*$"
"""The syntax of a bearer token (RFC 6750)."""


class ExecutionContext(BaseModel):
    """The tenant, extension and install of an execution, and the token for its callbacks."""

    request_id: str | None = None
    tenant_id: str
    extension_id: str
    install_id: str | None = None
    version_id: str | None = None
    content_hash: str
    callback_token: str | None = Field(None, repr=False, pattern=BEARER_PATTERN, max_length=4096)


class HttpRequest(BaseModel):
    """The HTTP request to the extension."""

    model_config = ConfigDict(val_json_bytes="base64")

    method: str
    path: str
    query: dict[str, str | list[str]] = {}
    headers: dict[str, str] = {}
    body_b64: bytes | None = None

    @property
    def url(self) -> str:
        """The path and the query string."""
        return f"{self.path}?{urlencode(self.query, doseq=True)}" if self.query else self.path


class Limits(BaseModel):
    """The time limit of an execution, capped at the runner's maximum."""

    timeout_ms: Annotated[int, Field(gt=0), AfterValidator(lambda value: min(value, MAX_TIMEOUT_MS))] = 30_000


class ExecuteRequest(BaseModel):
    """The body of an execute request."""

    context: ExecutionContext
    http: HttpRequest
    limits: Limits = Limits()
    providers: list[str] = []


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
        content = json.dumps({"status": self.status, "headers": self.headers, "body_b64": body_b64}).encode()
        if len(content) > MAX_RESPONSE_BYTES:
            text = f"the answer would have {len(content)} bytes as JSON (max {MAX_RESPONSE_BYTES})"
            raise ResponseTooLarge(text)
        return content


def parse_request(body: bytes) -> ExecuteRequest:
    """Parse an execute request.

    Raises:
        InvalidRequest: The text names every invalid field.
    """
    try:
        return ExecuteRequest.model_validate_json(body)
    except ValidationError as error:
        raise InvalidRequest("; ".join(map(_describe_error, error.errors()))) from error


def _describe_error(error: Any) -> str:
    field = ".".join(map(str, error["loc"]))
    return f"{field}: {error['msg']}" if field else error["msg"]
