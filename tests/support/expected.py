"""Answers compared with `events/<operation>/<case>.expected.json`, whose placeholders stand for what varies."""

import json
import re
from collections.abc import Mapping
from typing import Any

PLACEHOLDERS = {
    "<uuid>": r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "<time>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "<date>": r"\d{4}-\d\d-\d\d",
}
NUMBER = "<number>"
_PLACEHOLDER = re.compile("|".join(PLACEHOLDERS))


def differences(expected: Any, answer: Any, at: str = "answer") -> list[str]:
    """Where a function's answer is not the expected one; a JSON body is compared as what it says."""
    if isinstance(expected, dict) and isinstance(answer, Mapping):
        found = [f"{at}: {name} is missing" for name in sorted(expected.keys() - answer.keys())]
        found += [f"{at}: {name} is not expected" for name in sorted(answer.keys() - expected.keys())]
        for name in expected.keys() & answer.keys():
            found += differences(expected[name], _said(answer, name), f"{at}.{name}")
        return found
    if isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        pairs = enumerate(zip(expected, answer, strict=True))
        return [each for index, pair in pairs for each in differences(*pair, f"{at}[{index}]")]
    return [] if _same(expected, answer) else [f"{at}: {answer!r} instead of {expected!r}"]


def _said(answer: Mapping[str, Any], name: str) -> Any:
    value = answer[name]
    return json.loads(value) if name == "body" and "statusCode" in answer and value else value


def _same(expected: Any, answer: Any) -> bool:
    if expected == NUMBER:
        return isinstance(answer, int) and not isinstance(answer, bool)
    if isinstance(expected, str) and isinstance(answer, str):
        return re.fullmatch(_pattern(expected), answer) is not None
    return type(expected) is type(answer) and bool(expected == answer)


def _pattern(expected: str) -> str:
    pattern, end = "", 0
    for found in _PLACEHOLDER.finditer(expected):
        pattern += re.escape(expected[end : found.start()]) + PLACEHOLDERS[found[0]]
        end = found.end()
    return pattern + re.escape(expected[end:])
