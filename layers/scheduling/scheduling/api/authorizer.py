"""Authorization of callers: a runner with the runners' token, or a run with the token that was issued for it."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduling.domain.callback_token import is_valid_token

WELL_KNOWN_TOKENS = frozenset({"local-runner-key"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    """Authorizes requests to the API's routes for runners; well-known tokens are refused outside local."""

    runner_tokens: Callable[[], Sequence[str]]
    callback_keys: Callable[[], Sequence[str]]
    issuer: str
    clock: Callable[[], datetime]
    local: bool

    def is_authorized(self, event: Mapping[str, Any]) -> bool:
        """Return whether the request has a valid token. If it has a Bearer token, no other token counts."""
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
        # A sum compares with every token, so that the time does not depend on which one matches.
        return sum(hmac.compare_digest(presented.encode(), token.encode()) for token in accepted_tokens) > 0


def _parse_bearer_token(authorization: str) -> str | None:
    """Return the Bearer token; None if there is no header or another scheme."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
