"""The request of `POST /v1/execute`."""

from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from runner.errors import InvalidField, InvalidJson

DEFAULT_TIMEOUT_MS = 30_000
MAX_TIMEOUT_MS = 60_000
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


def parse_json(body: bytes) -> Any:
    """Parse the JSON of a request.

    Raises:
        InvalidJson: The body is not JSON.
    """
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidJson(f"Failed to parse the request body as JSON: {error}") from None


def parse_request(fields: Any) -> ExecuteRequest:
    """Parse an execute request.

    Raises:
        InvalidField: The text names every invalid field.
    """
    try:
        return ExecuteRequest.model_validate(fields)
    except ValidationError as error:
        raise InvalidField("; ".join(map(_describe_error, error.errors()))) from None


def read_text(fields: Any, part: str, name: str) -> str:
    """Return a text of a request that may be invalid; empty if there is none."""
    values = fields.get(part) if isinstance(fields, dict) else None
    value = values.get(name) if isinstance(values, dict) else None
    return value if isinstance(value, str) else ""


def _describe_error(error: Any) -> str:
    field = ".".join(map(str, error["loc"]))
    return f"{field}: {error['msg']}" if field else str(error["msg"])
