"""Who may call: the runner that shows the callback token."""

import hmac
from collections.abc import Mapping
from typing import Any

WELL_KNOWN_TOKENS = frozenset({"local-runner-key"})


def authorized(event: Mapping[str, Any], expected: str, *, local: bool) -> bool:
    """Whether the event's identity source is the token; a well-known one is refused outside local."""
    if not expected or (expected in WELL_KNOWN_TOKENS and not local):
        return False
    shown = "".join(event.get("identitySource") or ())
    return hmac.compare_digest(shown.encode(), expected.encode())
