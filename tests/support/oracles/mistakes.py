"""Mistakes in our own code that the service has caught, so that one item does not block others: tests must see them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

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
