"""Compare requests and responses with docs/openapi.json, in which every field must be described."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

DESCRIPTION = Path(__file__).parents[3] / "docs" / "openapi.json"
_ADVICE = "see scripts/openapi, and run `make docs`"
_ID = "urn:description"
_formats = FormatChecker(("uuid",))


def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).utcoffset() is not None


_formats.checks("date-time", raises=ValueError)(_is_moment)


@cache
def load_description() -> dict[str, Any]:
    """Load the description with closed objects: a field that is not described is a fault."""
    return dict(close_objects(json.loads(DESCRIPTION.read_text(encoding="utf-8"))))


def close_objects(value: Any) -> Any:
    """Return the value with every schema of an object closed that has fields and does not say otherwise."""
    if isinstance(value, list):
        return [close_objects(each) for each in value]
    if not isinstance(value, dict):
        return value
    closed = {name: close_objects(each) for name, each in value.items()}
    is_record = closed.get("type") == "object" and "properties" in closed
    return {"additionalProperties": False, **closed} if is_record else closed


@cache
def operations() -> Mapping[str, Any]:
    """Return the described operations by method and path, such as `GET /v1/installs/{installId}/endpoints`."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in load_description()["paths"].items()
        for method, operation in methods.items()
    }


@cache
def _path_patterns() -> list[tuple[re.Pattern[str], str]]:
    """Return a pattern for each route's method and path, those with fewer parameters first."""
    keys = sorted(operations(), key=lambda key: key.count("{"))
    return [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(key))), key) for key in keys]


def find_route(method: str, path: str) -> str | None:
    """Return the route of a request, or None."""
    return next((key for pattern, key in _path_patterns() if pattern.fullmatch(f"{method} {path}")), None)


def find_response_faults(
    route: str, status: int, headers: Mapping[str, str], body: str | bytes | None
) -> list[str]:
    """Return what the response of a route has that is not described, or lacks."""
    label = f"{route}, {status}"
    response = operations()[route]["responses"].get(str(status))
    if response is None:
        return [f"{label}: the status is not described; {_ADVICE}"]
    names = {name.lower() for name in headers}
    required = [name for name, header in response.get("headers", {}).items() if header.get("required")]
    faults = [f"{label}: the header {name} is missing" for name in required if name not in names]
    content = response.get("content", {})
    if not content:
        return [*faults, *([f"{label}: a body is not described; {_ADVICE}"] if body else [])]
    content_type = {name.lower(): value for name, value in headers.items()}.get("content-type", "")
    if content_type not in content:
        return [*faults, f"{label}: the content type {content_type!r} is not described; {_ADVICE}"]
    value = json.loads(body or "null")
    return [
        *faults,
        *find_faults(content[content_type]["schema"], value, label),
        *_find_code_faults(response, value, label),
    ]


def find_faults(schema: Mapping[str, Any], value: Any, label: str) -> list[str]:
    """Return how the value differs from a schema of the description."""
    validator = _validator(json.dumps(schema))
    return [
        f"{label}: {error.json_path}: {_shorten(error.message)}; {_ADVICE}"
        for error in _leaves(validator.iter_errors(value))
    ]


def _find_code_faults(response: Mapping[str, Any], value: Any, label: str) -> list[str]:
    code = value.get("code") if isinstance(value, dict) else None
    if code is None or code in response.get("x-codes", ()):
        return []
    return [f"{label}: the code {code} is not described; add its error in scripts/openapi/operations.py"]


@cache
def _validator(schema: str) -> Draft202012Validator:
    document = DRAFT202012.create_resource(load_description())
    absolute = schema.replace('"#/', f'"{_ID}#/')
    return Draft202012Validator(
        json.loads(absolute), registry=Registry().with_resource(_ID, document), format_checker=_formats
    )


def _leaves(errors: Any) -> Iterator[Any]:
    """Yield the errors; of alternatives, those of the one that comes nearest."""
    for error in errors:
        if error.validator in ("anyOf", "oneOf") and error.context:
            best = min(
                {e.schema_path[0] for e in error.context},
                key=lambda i: sum(1 for e in error.context if e.schema_path[0] == i),
            )
            yield from _leaves(e for e in error.context if e.schema_path[0] == best)
        else:
            yield error


def _shorten(message: str) -> str:
    return message if len(message) < 300 else f"{message[:150]} … {message[-150:]}"


def check_response(response: httpx.Response) -> None:
    """Fail if the response of a described route is not as described: a response hook of httpx's clients."""
    route = find_route(response.request.method, response.request.url.path)
    if route is None:
        return
    response.read()
    faults = find_response_faults(route, response.status_code, response.headers, response.content)
    assert not faults, "\n".join(faults)
