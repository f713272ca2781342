"""Keep the secrets of a call out of texts that quote a response."""

import json
import re
from collections.abc import Iterable, Iterator

REDACTED = "[redacted]"
_MIN_SUBSTRING_LENGTH = 8
"""Shorter secrets, such as `1` or `eu`, are redacted as whole words only: within words they would deface any text."""
_MIN_SEGMENT_LENGTH = 16
"""Segments of a token are secret on their own from this length on."""
_WORD = re.compile(r"\w+")


class Redactor:
    """Replaces the secrets of one call in texts, also where a text has them as JSON."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _list_forms(secret)}
        self._words = {form for form in forms if len(form) < _MIN_SUBSTRING_LENGTH and _WORD.fullmatch(form)}
        # The longest first, since a secret may contain another one.
        self._substrings = sorted(forms - self._words, key=len, reverse=True)

    def redact(self, text: str) -> str:
        """Return the text without the secrets."""
        for substring in self._substrings:
            text = text.replace(substring, REDACTED)
        return _WORD.sub(self._redact_word, text) if self._words else text

    def _redact_word(self, match: re.Match[str]) -> str:
        return REDACTED if match[0] in self._words else match[0]


def list_nested_values(text: str) -> Iterator[str]:
    """Yield the strings and numbers in a text that is JSON of an object or an array."""
    if text.lstrip()[:1] not in ("{", "["):
        return
    try:
        pending = [json.loads(text, parse_int=str, parse_float=str)]
    except (ValueError, RecursionError):
        return
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            pending += value.values() if isinstance(value, dict) else value


def _list_forms(secret: str) -> set[str]:
    """Return the secret, its long segments if it is a token, and all of them as in JSON."""
    segments = {segment for segment in secret.split(".") if len(segment) >= _MIN_SEGMENT_LENGTH}
    texts = {secret, secret.strip(), *segments}
    escaped = {
        json.dumps(text, ensure_ascii=ascii_only)[1:-1] for text in texts for ascii_only in (True, False)
    }
    return {form for form in texts | escaped if form}
