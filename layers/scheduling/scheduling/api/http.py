"""HTTP API events in, responses out (API Gateway payload format 2.0)."""

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from scheduling.domain import exact_json
from scheduling.domain.errors import (
    BodyTooLarge,
    InstallNotFound,
    InvalidJson,
    ResponseTooLarge,
    ValidationFailed,
)
from scheduling.domain.ids import (
    INSTALL_ID_FORMAT,
    TENANT_ID_FORMAT,
    InstallId,
    parse_install_id,
    parse_tenant_id,
)

MAX_RESPONSE_BYTES = 6_000_000
"""Lambda's limit is 6,291,556 bytes for the response as JSON, in which the body is one escaped string."""

MAX_PAGE_BYTES = 2_000_000
"""Bytes of payloads in a page. JSON text at most doubles when it is escaped, so a page stays below Lambda's limit."""

MAX_COMPACT_BODY_BYTES = 620_000
"""What a function can parse within 200 MB and a second of a full core, whatever it is made of."""

MAX_LIST_BYTES = 16_000_000
"""Bytes of payloads in a list without pages, which is in memory several times; the limits allow 5 MB by default."""

_MAX_BYTES_PER_CHARACTER = 6
Response = dict[str, Any]
_First = TypeVar("_First")
_Second = TypeVar("_Second")


class Request:
    """An event of the HTTP API, as a route's handler reads it."""

    def __init__(self, event: Mapping[str, Any], operation: str = "") -> None:
        self.operation = operation
        self._event = event
        self._headers: Mapping[str, str] = {
            name.lower(): value for name, value in (event.get("headers") or {}).items()
        }

    @property
    def install_id(self) -> InstallId:
        """The install id of the path.

        Raises:
            InstallNotFound: No install can have this id.
        """
        install_id = parse_install_id(self.path_parameter("installId"))
        if install_id is None:
            raise InstallNotFound
        return install_id

    @property
    def new_install_id(self) -> InstallId:
        """The install id of the path, for an install that may be new.

        Raises:
            ValidationFailed: No install can have this id.
        """
        install_id = parse_install_id(self.path_parameter("installId"))
        if install_id is None:
            raise ValidationFailed.from_field_errors({"installId": f"installId must be {INSTALL_ID_FORMAT}"})
        return install_id

    @property
    def loggable_install_id(self) -> str:
        """The install id of the path in the form in which it is stored, or unchanged if no install can have it."""
        text = self.path_parameter("installId")
        return parse_install_id(text) or text

    @property
    def tenant_id(self) -> str:
        """The tenant id of the path.

        Raises:
            ValidationFailed: No tenant can have this id.
        """
        tenant_id = parse_tenant_id(self.path_parameter("tenantId"))
        if tenant_id is None:
            raise ValidationFailed.from_field_errors({"tenantId": f"tenantId must be {TENANT_ID_FORMAT}"})
        return tenant_id

    @property
    def queried_tenant_id(self) -> str | None:
        """The tenant id of the query, or None.

        Raises:
            ValidationFailed: No tenant can have this id.
        """
        text = self.query_parameter("tenant")
        tenant_id = parse_tenant_id(text) if text is not None else None
        if text is not None and tenant_id is None:
            raise ValidationFailed.from_field_errors({"tenant": f"tenant must be {TENANT_ID_FORMAT}"})
        return tenant_id

    @property
    def principal(self) -> str:
        """The ARN of the IAM principal that signed the request; requests to the local stack are unsigned."""
        authorizer = (self._event.get("requestContext") or {}).get("authorizer") or {}
        return str((authorizer.get("iam") or {}).get("userArn") or "unsigned")

    @property
    def token_tenant_id(self) -> str | None:
        """The tenant that the request's callback token was issued for, as the authorizer reports it; else None."""
        authorizer = (self._event.get("requestContext") or {}).get("authorizer") or {}
        return (authorizer.get("lambda") or {}).get("tenantId") or None

    @property
    def accepts_gzip(self) -> bool:
        """Whether the client accepts a compressed response."""
        encodings = (self.header("accept-encoding") or "").lower().replace(" ", "").split(",")
        weights = dict(each.partition(";q=")[::2] for each in encodings)
        weight = weights.get("gzip", weights.get("*", "0"))
        return weight == "" or weight.strip("0.") != ""

    def path_parameter(self, name: str) -> str:
        """Return a parameter of the path, empty if the route does not have it."""
        parameters: Mapping[str, str] = self._event.get("pathParameters") or {}
        return parameters.get(name, "")

    def query_parameter(self, name: str) -> str | None:
        """Return a parameter of the query, or None."""
        parameters: Mapping[str, str] = self._event.get("queryStringParameters") or {}
        return parameters.get(name)

    def header(self, name: str) -> str | None:
        """Return a header by its name in any case, or None."""
        return self._headers.get(name.lower())

    def parse_json_body(self, max_bytes: int) -> dict[str, object]:
        """Parse the body, with numbers kept exactly.

        Raises:
            BodyTooLarge: It has more than `max_bytes`, or than `MAX_COMPACT_BODY_BYTES` as compact JSON. Both are
                checked before it is parsed, since a parsed body takes up to fifty times the memory of its text.
            ValidationFailed: The body is not a JSON object.
        """
        try:
            value = exact_json.loads(self._read_body(max_bytes))
        except InvalidJson as error:
            raise ValidationFailed(f"The body is not valid: {error}") from error
        except ValueError as error:
            raise ValidationFailed("The body is not valid: Not UTF-8") from error
        if not isinstance(value, dict):
            raise ValidationFailed("The body must be a JSON object")
        return value

    def _read_body(self, max_bytes: int) -> str:
        text = str(self._event.get("body") or "")
        in_base64 = bool(self._event.get("isBase64Encoded"))
        max_characters = _base64_length(max_bytes) if in_base64 else max_bytes
        if len(text) > max_characters:
            raise BodyTooLarge(max_bytes)
        data = base64.b64decode(text) if in_base64 else text.encode()
        if len(data) > max_bytes:
            raise BodyTooLarge(max_bytes)
        if exact_json.min_compact_size(data) > MAX_COMPACT_BODY_BYTES:
            raise BodyTooLarge(MAX_COMPACT_BODY_BYTES, compact=True)
        return data.decode() if in_base64 else text


def parse_both(first: Callable[[], _First], second: Callable[[], _Second]) -> tuple[_First, _Second]:
    """Return what both return.

    Raises:
        ValidationFailed: At least one of them raised it; the error has the fields of both, and the text of the first.
    """
    try:
        first_result = first()
    except ValidationFailed as error:
        try:
            second()
        except ValidationFailed as other:
            raise ValidationFailed(str(error), {**error.field_errors, **other.field_errors}) from error
        raise
    return first_result, second()


def _base64_length(byte_count: int) -> int:
    """Return how many characters of base64 encode so many bytes."""
    return 4 * -(-byte_count // 3)


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with the body as JSON; `RawJson` values in it are written unchanged."""
    headers = {"content-type": "application/json", **(headers or {})}
    return {"statusCode": status, "headers": headers, "body": exact_json.dumps(body)}


def empty_response(status: int) -> Response:
    """Return a response without a body."""
    return {"statusCode": status, "headers": {}, "body": ""}


def compress_if_needed(response: Response, request: Request, too_large_text: str) -> Response:
    """Return the response, compressed if it exceeds Lambda's limit and the client accepts gzip.

    Raises:
        ResponseTooLarge: The response does not fit; the error has the text `too_large_text`.
    """
    body = response["body"]
    if (
        len(body) * _MAX_BYTES_PER_CHARACTER <= MAX_RESPONSE_BYTES
        or _serialized_size(body) <= MAX_RESPONSE_BYTES
    ):
        return response
    compressed = base64.b64encode(gzip.compress(body.encode(), compresslevel=6)).decode()
    if not request.accepts_gzip or len(compressed) > MAX_RESPONSE_BYTES:
        raise ResponseTooLarge(too_large_text)
    headers = {**response["headers"], "content-encoding": "gzip", "vary": "accept-encoding"}
    return {**response, "headers": headers, "body": compressed, "isBase64Encoded": True}


def _serialized_size(body: str) -> int:
    """Return the size of the body as Lambda's runtime sends it: one JSON string in UTF-8."""
    return len(json.dumps(body, ensure_ascii=False).encode())
