"""Who may call: the runner that shows the callback token."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

WELL_KNOWN_TOKENS = frozenset({"local-runner-key"})


def authorized(event: Mapping[str, Any], accepted: Sequence[str], *, local: bool) -> bool:
    """Whether the event's identity source is one of the tokens; a well-known one is refused outside local."""
    shown = "".join(event.get("identitySource") or ())
    fit = [token for token in accepted if token and (local or token not in WELL_KNOWN_TOKENS)]
    # A sum compares with each of them, whichever it is.
    return sum(hmac.compare_digest(shown.encode(), token.encode()) for token in fit) > 0
