"""The types of a request to `POST /v1/execute`, checked as a deployed runner does; it ignores unknown fields."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

MAX_BODY_BYTES = 2 * 1024 * 1024
MAX_U64 = 2**64 - 1


class Rejection(NamedTuple):
    """The HTTP status and the plain text of a request that a deployed runner does not execute."""

    status: int
    text: str


class _Type(NamedTuple):
    """A type of the interface: how to find the faults of a value, and what may be absent."""

    find_faults: Callable[[str, Any], Iterator[str]]
    nullable: bool = False
    has_default: bool = False


def _string(path: str, value: Any) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path}: invalid type, expected a string"


def _u64(path: str, value: Any) -> Iterator[str]:
    if type(value) is not int or not 0 <= value <= MAX_U64:
        yield f"{path}: invalid type, expected u64"


def _string_map(path: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: invalid type, expected a map"
        return
    for name, each in value.items():
        yield from _string(f"{path}.{name}", each)


def _string_list(path: str, value: Any) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: invalid type, expected a sequence"
        return
    for number, each in enumerate(value):
        yield from _string(f"{path}[{number}]", each)


def _record(fields: Mapping[str, _Type]) -> Callable[[str, Any], Iterator[str]]:
    def find_faults(path: str, value: Any) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path or 'request'}: invalid type, expected a map"
            return
        for name, field_type in fields.items():
            field_path = f"{path}.{name}" if path else name
            if name not in value:
                if not (field_type.nullable or field_type.has_default):
                    yield f"{field_path}: missing field"
            elif value[name] is not None or not field_type.nullable:
                yield from field_type.find_faults(field_path, value[name])

    return find_faults


_STRING, _OPTIONAL_STRING = _Type(_string), _Type(_string, nullable=True)
_OPTIONAL_U64 = _Type(_u64, nullable=True)
_STRINGS_BY_NAME = _Type(_string_map, has_default=True)
_REQUEST = _record(
    {
        "context": _Type(
            _record(
                {
                    "request_id": _OPTIONAL_STRING,
                    "tenant_id": _STRING,
                    "extension_id": _STRING,
                    "install_id": _OPTIONAL_STRING,
                    "content_hash": _STRING,
                    "version_id": _OPTIONAL_STRING,
                    "config": _STRINGS_BY_NAME,
                }
            )
        ),
        "http": _Type(
            _record(
                {
                    "method": _STRING,
                    "path": _STRING,
                    "query": _STRINGS_BY_NAME,
                    "headers": _STRINGS_BY_NAME,
                    "body_b64": _OPTIONAL_STRING,
                }
            )
        ),
        "limits": _Type(
            _record({"timeout_ms": _OPTIONAL_U64, "memory_mb": _OPTIONAL_U64, "fuel": _OPTIONAL_U64}),
            has_default=True,
        ),
        "secret_envelope": _Type(
            _record(
                {
                    "ciphertext_b64": _STRING,
                    **dict.fromkeys(
                        ("version", "algorithm", "expires_at", "key_path", "mount"), _OPTIONAL_STRING
                    ),
                }
            ),
            nullable=True,
        ),
        "providers": _Type(_string_list, has_default=True),
    }
)


def find_rejection(body: bytes) -> Rejection | None:
    """Return how a deployed runner rejects the body before it executes anything, or None."""
    if len(body) > MAX_BODY_BYTES:
        return Rejection(413, "length limit exceeded")
    try:
        request = parse_json(body)
    except ValueError as error:
        return Rejection(400, f"Failed to parse the request body as JSON: {error}")
    faults = list(_REQUEST("", request))
    return (
        Rejection(422, f"Failed to deserialize the JSON body into the target type: {faults[0]}")
        if faults
        else None
    )


def parse_json(body: bytes) -> Any:
    """Parse JSON as strictly as a deployed runner.

    Raises:
        ValueError: the bytes are not UTF-8 or not JSON.
    """
    document = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    json.dumps(document, ensure_ascii=False).encode()  # fails on a lone surrogate
    return document


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
