"""Stands for a value of the extension that is too large to be read."""

from dataclasses import dataclass

MAX_VALUE_BYTES = 2 * 1024 * 1024
"""The largest text or byte list that is read. A payload of 300,000 bytes, the largest limit that a stack can have, is
up to six times as long in JSON's escapes."""


@dataclass(frozen=True, slots=True)
class Oversized:
    """A text or byte list of more than `MAX_VALUE_BYTES`, which has not been copied or decoded."""

    size: int
