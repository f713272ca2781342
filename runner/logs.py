"""Log format of the runner: each line of an execution has the request id."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

MAX_ID_CHARS = 128

_request_id: ContextVar[str] = ContextVar("request_id", default="")


@contextmanager
def bind_request(request_id: str) -> Iterator[None]:
    """Put the id on every line that this context logs."""
    printable = "".join(character for character in request_id if character.isprintable())
    token = _request_id.set(printable[:MAX_ID_CHARS])
    try:
        yield
    finally:
        _request_id.reset(token)


class RequestFormatter(logging.Formatter):
    """Adds the request id to every line, including those of a traceback, that does not have it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        text = super().format(record)
        request_id = _request_id.get()
        if not request_id:
            return text
        return "\n".join(
            line if request_id in line else f"{line} [request {request_id}]" for line in text.split("\n")
        )


def configure_logging() -> None:
    """Log to stderr at level INFO."""
    handler = logging.StreamHandler()
    handler.setFormatter(RequestFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
