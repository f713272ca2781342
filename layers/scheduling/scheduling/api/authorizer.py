"""Who may call: a runner that shows the runners' token, or a run that shows the one it was given."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduling.domain.callback_token import is_valid_token

WELL_KNOWN_TOKENS = frozenset({"local-runner-key"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    """What the API's routes for runners go by; a well-known token is refused outside local."""

    runner_tokens: Callable[[], Sequence[str]]
    callback_keys: Callable[[], Sequence[str]]
    issuer: str
    clock: Callable[[], datetime]
    local: bool

    def is_authorized(self, event: Mapping[str, Any]) -> bool:
        """Whether the request shows a good token. A Bearer token decides alone, whatever else is shown."""
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        bearer_token = _parse_bearer_token(headers.get("authorization", ""))
        if bearer_token is None:
            return self._is_runner_token(headers.get("x-runner-auth", ""))
        install_id = (event.get("pathParameters") or {}).get("installId", "")
        return is_valid_token(bearer_token, self.callback_keys(), self.issuer, install_id, self.clock())

    def _is_runner_token(self, presented: str) -> bool:
        accepted_tokens = [
            token
            for token in self.runner_tokens()
            if token and (self.local or token not in WELL_KNOWN_TOKENS)
        ]
        # A sum compares with each of them, whichever it is.
        return sum(hmac.compare_digest(presented.encode(), token.encode()) for token in accepted_tokens) > 0


def _parse_bearer_token(authorization: str) -> str | None:
    """The token of that scheme; None where there is none or another scheme."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
