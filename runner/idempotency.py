"""The responses of finished executions, by idempotency key."""

import threading
from collections import OrderedDict

MAX_ENTRIES = 1_000
MAX_BYTES = 32 * 1024 * 1024


class ResponseMemory:
    """Stores the most recent responses, bounded in number and size.

    A deployed runner keeps them without bound.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._responses: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def find_response(self, key: str) -> bytes | None:
        """Return the response of a finished execution, or None."""
        with self._lock:
            return self._responses.get(key)

    def save_response(self, key: str, response: bytes) -> None:
        """Store a response, and delete the oldest ones that exceed the bounds."""
        with self._lock:
            self._bytes += len(response) - len(self._responses.pop(key, b""))
            self._responses[key] = response
            while len(self._responses) > self._max_entries or self._bytes > self._max_bytes:
                self._bytes -= len(self._responses.popitem(last=False)[1])
