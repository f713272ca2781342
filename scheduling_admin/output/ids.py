"""Ids as short as they are unique, as commands accept them."""

from collections.abc import Iterable, Mapping

MIN_LENGTH = 8


def shorten_ids(ids: Iterable[str]) -> Mapping[str, str]:
    """Return for each id its shortest end, of eight characters or more, that no other id has.

    Ids begin with the time at which they were created, so that those of one set-up differ only towards their ends.
    """
    ordered = sorted(set(ids), key=lambda each: each[::-1])
    neighbours = zip(["", *ordered], ordered, [*ordered[1:], ""], strict=False)
    return {each: _shorten(each, before, after) for before, each, after in neighbours}


def _shorten(text: str, *others: str) -> str:
    ends = (text[-length:] for length in range(MIN_LENGTH, len(text)))
    return next((end for end in ends if not any(other.endswith(end) for other in others)), text)
