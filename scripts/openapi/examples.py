"""The examples, from the events under events/ and the responses that they get."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from scripts.iam_table import ROOT
from scripts.openapi.schemas import Undescribed

_EVENTS = ROOT / "events"
_DATE = date(2026, 11, 23)
_PLACEHOLDERS = {
    "<uuid>": "3f0c5a52-8c2e-4f0b-9d6e-6f1f3d9a2b10",
    "<time>": f"{_DATE}T09:00:00.000Z",
    "<fire>": f"{_DATE}T10:00:00Z",
}
_NUMBER = 41


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request and its response."""

    name: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    status: int
    response: Any

    @property
    def accepted(self) -> bool:
        """Whether the request is a valid one; that of a preview may be invalid although it succeeds."""
        return self.status < 300 and (not isinstance(self.response, dict) or self.response.get("valid", True))


def read_examples(operation: str) -> list[Example]:
    """Return the examples of a function.

    Raises:
        Undescribed: There is none.
    """
    examples = list(_read_events(operation))
    if not examples:
        raise Undescribed(f"the function {operation} has no example: add events/{operation}/<case>.json")
    return examples


def _read_events(operation: str) -> Iterator[Example]:
    for path in sorted((_EVENTS / operation).glob("*.json")):
        if path.name.endswith(".expected.json"):
            continue
        event = json.loads(path.read_text(encoding="utf-8"))
        expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
        yield Example(
            name=path.stem,
            path=event.get("pathParameters") or {},
            query=event.get("queryStringParameters") or {},
            headers=event["headers"],
            body=json.loads(event["body"]) if event.get("body") else None,
            status=expected["statusCode"],
            response=_fill_placeholders(expected.get("body")),
        )


def _fill_placeholders(value: Any, day: date = _DATE) -> Any:
    """Return the value with examples in place of the words that stand for varying values."""
    if isinstance(value, dict):
        return {name: _fill_placeholders(each, day) for name, each in value.items()}
    if isinstance(value, list):
        return [_fill_placeholders(each, day + timedelta(days=i)) for i, each in enumerate(value)]
    if value == "<number>":
        return _NUMBER
    if not isinstance(value, str):
        return value
    words = {**_PLACEHOLDERS, "<date>": day.isoformat()}
    return re.sub("|".join(map(re.escape, words)), lambda match: words[match[0]], value)
