"""Log format of the runner: each line of an execution says which one, and none contains control characters."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

MAX_ID_CHARS = 128

_origin: ContextVar[str] = ContextVar("origin", default="")


@contextmanager
def bind_origin(
    *, request_id: str, install_id: str = "", schedule_id: str = "", occurrence: str = ""
) -> Iterator[None]:
    """Put the ids that are not empty on every line that this context logs."""
    ids = {"request": request_id, "install": install_id, "schedule": schedule_id, "occurrence": occurrence}
    parts = [f"{name} {_clean_id(value)}" for name, value in ids.items() if value]
    token = _origin.set(f"[{', '.join(parts)}]" if parts else "")
    try:
        yield
    finally:
        _origin.reset(token)


def format_origin() -> str:
    """Return the ids of this context in brackets; empty if there are none."""
    return _origin.get()


def escape_text(text: str) -> str:
    """Replace all characters that a terminal or a log reader might act on, such as line ends, ESC and U+2028."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


class OriginFormatter(logging.Formatter):
    """Adds the ids to every line, including those of a traceback, that does not have them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        text, origin = super().format(record), _origin.get()
        if not origin:
            return text
        return "\n".join(line if origin in line else f"{line} {origin}" for line in text.split("\n"))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the inherited name
        """Return the text of a record without its traceback: one line."""
        record.message = escape_text(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 - the inherited name
        """Return a traceback, whose lines may quote anything."""
        return "\n".join(map(escape_text, super().formatException(ei).split("\n")))  # type: ignore[arg-type]


def configure_logging() -> None:
    """Log to stderr at level INFO."""
    handler = logging.StreamHandler()
    handler.setFormatter(OriginFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _clean_id(value: str) -> str:
    """Return an id as it is shown, without what would look like the end of it or of the list."""
    return "".join(character for character in value if character.isprintable() and character not in ",[]")[
        :MAX_ID_CHARS
    ]
