"""Mistakes that a test would overlook: errors that the service has caught so as to go on, and reads of stale rows."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.aws.calls import Call

_MISTAKES = (TypeError, AttributeError, NameError)


class _Mistakes(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's error if it is a mistake."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, _MISTAKES):
            self.found.append(error)


@contextmanager
def no_caught_mistakes() -> Iterator[None]:
    """Fail if an operation logs a mistake and goes on."""
    logger, mistakes = logging.getLogger("scheduling"), _Mistakes()
    logger.addHandler(mistakes)
    try:
        yield
    finally:
        logger.removeHandler(mistakes)
    for mistake in mistakes.found:
        raise AssertionError("the service has caught a mistake of its own") from mistake


def assert_consistent_reads(calls: Iterable[Call]) -> None:
    """Check that each recorded read of the table asks for strong consistency; an index cannot have it."""
    reads = [read for call in calls if call.service == "dynamodb" for read in _list_reads(call)]
    assert [read for read in reads if not read.get("ConsistentRead")] == []


def _list_reads(call: Call) -> list[dict[str, Any]]:
    if call.operation == "BatchGetItem":
        return list(call.arguments["RequestItems"].values())
    is_read = call.operation in ("GetItem", "Query") and "IndexName" not in call.arguments
    return [call.arguments] if is_read else []
