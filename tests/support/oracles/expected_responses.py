"""Compare responses with `events/<operation>/<case>.expected.json`, whose placeholders match varying values."""

import json
import re
from collections.abc import Mapping
from typing import Any

PLACEHOLDERS = {
    "<uuid>": r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "<time>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "<fire>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "<date>": r"\d{4}-\d\d-\d\d",
}
NUMBER = "<number>"
_PLACEHOLDER = re.compile("|".join(PLACEHOLDERS))


def find_differences(expected: Any, response: Any, path: str = "response") -> list[str]:
    """Return the differences of a response from the expected one; a JSON body is compared after parsing."""
    if isinstance(expected, dict) and isinstance(response, Mapping):
        differences = [f"{path}: {name} is missing" for name in sorted(expected.keys() - response.keys())]
        differences += [
            f"{path}: {name} is not expected" for name in sorted(response.keys() - expected.keys())
        ]
        for name in expected.keys() & response.keys():
            differences += find_differences(expected[name], _read_value(response, name), f"{path}.{name}")
        return differences
    if isinstance(expected, list) and isinstance(response, list) and len(expected) == len(response):
        pairs = enumerate(zip(expected, response, strict=True))
        return [each for index, pair in pairs for each in find_differences(*pair, f"{path}[{index}]")]
    return [] if _matches(expected, response) else [f"{path}: {response!r} instead of {expected!r}"]


def _read_value(response: Mapping[str, Any], name: str) -> Any:
    value = response[name]
    return json.loads(value) if name == "body" and "statusCode" in response and value else value


def _matches(expected: Any, response: Any) -> bool:
    if expected == NUMBER:
        return isinstance(response, int) and not isinstance(response, bool)
    if isinstance(expected, str) and isinstance(response, str):
        return re.fullmatch(_placeholder_pattern(expected), response) is not None
    return type(expected) is type(response) and bool(expected == response)


def _placeholder_pattern(expected: str) -> str:
    pattern, end = "", 0
    for match in _PLACEHOLDER.finditer(expected):
        pattern += re.escape(expected[end : match.start()]) + PLACEHOLDERS[match[0]]
        end = match.end()
    return pattern + re.escape(expected[end:])
