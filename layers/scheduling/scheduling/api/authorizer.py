"""Who may call: a runner that shows the runners' token, or a run that shows the one it was given."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduling.domain.callback_token import admits

WELL_KNOWN_TOKENS = frozenset({"local-runner-key"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    """What the API's routes for runners go by; a well-known token is refused outside local."""

    tokens: Callable[[], Sequence[str]]
    keys: Callable[[], Sequence[str]]
    issuer: str
    clock: Callable[[], datetime]
    local: bool

    def authorized(self, event: Mapping[str, Any]) -> bool:
        """Whether the request shows a good token. A Bearer token decides alone, whatever else is shown."""
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        bearer = _bearer(headers.get("authorization", ""))
        if bearer is None:
            return self._of_a_runner(headers.get("x-runner-auth", ""))
        install_id = (event.get("pathParameters") or {}).get("installId", "")
        return admits(bearer, self.keys(), self.issuer, install_id, self.clock())

    def _of_a_runner(self, shown: str) -> bool:
        fit = [token for token in self.tokens() if token and (self.local or token not in WELL_KNOWN_TOKENS)]
        # A sum compares with each of them, whichever it is.
        return sum(hmac.compare_digest(shown.encode(), token.encode()) for token in fit) > 0


def _bearer(authorization: str) -> str | None:
    """The token of that scheme; None where there is none or another scheme."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
