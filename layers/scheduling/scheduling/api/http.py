"""HTTP API events in, answers out (API Gateway payload format 2.0)."""

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

from scheduling.domain import exact_json
from scheduling.domain.errors import InstallNotFound, InvalidJson, ResponseTooLarge, ValidationFailed
from scheduling.domain.ids import (
    INSTALL_ID_FORMAT,
    TENANT_ID_FORMAT,
    InstallId,
    parse_install_id,
    parse_tenant_id,
)

MAX_RESPONSE_BYTES = 6_000_000
"""Lambda's limit is 6,291,556 bytes for the answer as JSON, in which the body is one escaped string."""

_MAX_BYTES_PER_CHARACTER = 6
Response = dict[str, Any]


class Request:
    """What a route's handler asks of an event."""

    def __init__(self, event: Mapping[str, Any], operation: str = "") -> None:
        self.operation = operation
        self._event = event
        self._headers: Mapping[str, str] = {
            name.lower(): value for name, value in (event.get("headers") or {}).items()
        }

    @property
    def install_id(self) -> InstallId:
        """Of the path. Raises InstallNotFound for what no install can be named."""
        install_id = parse_install_id(self.path_parameter("installId"))
        if install_id is None:
            raise InstallNotFound
        return install_id

    @property
    def new_install_id(self) -> InstallId:
        """Of the path, for an install that may be new. Raises ValidationFailed for what no install can be named."""
        install_id = parse_install_id(self.path_parameter("installId"))
        if install_id is None:
            raise ValidationFailed.from_field_errors({"installId": f"installId must be {INSTALL_ID_FORMAT}"})
        return install_id

    @property
    def tenant_id(self) -> str:
        """Of the path. Raises ValidationFailed for what no tenant can be named."""
        tenant_id = parse_tenant_id(self.path_parameter("tenantId"))
        if tenant_id is None:
            raise ValidationFailed.from_field_errors({"tenantId": f"tenantId must be {TENANT_ID_FORMAT}"})
        return tenant_id

    @property
    def principal(self) -> str:
        """The ARN of the IAM principal that signed the request; locally nobody does."""
        authorizer = (self._event.get("requestContext") or {}).get("authorizer") or {}
        return str((authorizer.get("iam") or {}).get("userArn") or "unsigned")

    def path_parameter(self, name: str) -> str:
        """A parameter of the path."""
        parameters: Mapping[str, str] = self._event.get("pathParameters") or {}
        return parameters.get(name, "")

    def query_parameter(self, name: str) -> str | None:
        """A parameter of the query."""
        parameters: Mapping[str, str] = self._event.get("queryStringParameters") or {}
        return parameters.get(name)

    def header(self, name: str) -> str | None:
        """A header, in any case of its name."""
        return self._headers.get(name.lower())

    def parse_json_body(self) -> dict[str, object]:
        """The body. Raises ValidationFailed for anything but a JSON object, numbers being kept exactly."""
        try:
            value = exact_json.loads(self._body)
        except InvalidJson as error:
            raise ValidationFailed(f"The body is not valid: {error}") from error
        except ValueError as error:
            raise ValidationFailed("The body is not valid: Not UTF-8") from error
        if not isinstance(value, dict):
            raise ValidationFailed("The body must be a JSON object")
        return value

    @property
    def _body(self) -> str:
        body = str(self._event.get("body") or "")
        return base64.b64decode(body).decode() if self._event.get("isBase64Encoded") else body

    @property
    def accepts_gzip(self) -> bool:
        """Whether the client takes a compressed answer."""
        encodings = (self.header("accept-encoding") or "").lower().replace(" ", "").split(",")
        weights = dict(each.partition(";q=")[::2] for each in encodings)
        weight = weights.get("gzip", weights.get("*", "0"))
        return weight == "" or weight.strip("0.") != ""


def json_response(status: int, body: str | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body, or without any."""
    content = {"content-type": "application/json"} if body is not None else {}
    return {"statusCode": status, "headers": {**content, **(headers or {})}, "body": body or ""}


def compress_if_needed(response: Response, request: Request, too_large_text: str) -> Response:
    """The answer, compressed where it would not fit Lambda's limit and the client takes that.

    Raises AnswerTooLarge with the text `too_large` otherwise.
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
    """As Lambda's runtime sends it: one JSON string in UTF-8."""
    return len(json.dumps(body, ensure_ascii=False).encode())
