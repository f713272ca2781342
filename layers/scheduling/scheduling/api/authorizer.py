"""Authorization of callers: a runner with the runners' token, or a run with the token that was issued for it."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduling.api.callback_token import verify_token
from scheduling.domain.ids import parse_install_id

WELL_KNOWN_TOKENS = frozenset({"local-runner-key", "changeme", "change-me", "secret"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    """Authorizes requests to the API's routes for runners; well-known tokens are refused outside local."""

    runner_tokens: Callable[[], Sequence[str]]
    callback_keys: Callable[[], Sequence[str]]
    issuer: str
    clock: Callable[[], datetime]
    local: bool

    def authorize(self, event: Mapping[str, Any]) -> dict[str, object]:
        """Return API Gateway's simple response: whether the request has a valid token.

        If it has a Bearer token, no other token counts. The context then has the tenant that the token was issued
        for, because only the operation reads whether the install is still that tenant's.
        """
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        bearer_token = _parse_bearer_token(headers.get("authorization", ""))
        if bearer_token is None:
            return {"isAuthorized": self._is_runner_token(headers.get("x-runner-auth", ""))}
        install_id = parse_install_id((event.get("pathParameters") or {}).get("installId", ""))
        tenant_id = (
            verify_token(bearer_token, self.callback_keys(), self.issuer, install_id, self.clock())
            if install_id
            else None
        )
        if tenant_id is None:
            return {"isAuthorized": False}
        return {"isAuthorized": True, "context": {"tenantId": tenant_id}}

    def _is_runner_token(self, presented: str) -> bool:
        tokens = map(str.strip, self.runner_tokens())  # a header has no white space around its value
        accepted_tokens = [
            token for token in tokens if token and (self.local or token not in WELL_KNOWN_TOKENS)
        ]
        # A sum compares with every token, so that the time does not depend on which one matches.
        return sum(hmac.compare_digest(presented.encode(), token.encode()) for token in accepted_tokens) > 0


def _parse_bearer_token(authorization: str) -> str | None:
    """Return the Bearer token; None if there is no header or another scheme."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
