"""The token by which a run calls back: a JWT of this stack, short-lived, and good for the run's own install alone."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import jwt

from scheduling.domain.errors import Unavailable
from scheduling.domain.install import SCHEDULER_MANAGE, Install

ALGORITHM = "HS256"
AUDIENCE = "extension-scheduler/callback"
EARLY, LATE = timedelta(seconds=5), timedelta(seconds=10)
"""How far clocks may differ: it is good from a little before it was issued until a little past the run's time."""

# Of a key for HS256, by RFC 7518: no shorter than the hash. A key of another kind has spaces or lines.
_KEY = re.compile(r"[!-~]{32,}")
_CLAIMS = ("iss", "aud", "iat", "nbf", "exp", "install_id", "tenant_id", "capabilities")
# Of one signature's forms in base64 the one whose unused bits are 0, so that no character can be changed.
_FORM = re.compile(r"(?=.{1,2048}\Z)[\w-]+\.[\w-]+\.[\w-]{42}[048AEIMQUYcgkosw]", re.ASCII)


def issue(key: str, issuer: str, install: Install, now: datetime, lasting: timedelta) -> str:
    """A token for a run of the install that may take as long as `lasting`. Raises Unavailable for a weak key."""
    if not _KEY.fullmatch(key):
        raise Unavailable("the key is not of at least 32 printable characters")
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "iat": int(now.timestamp()),
        "nbf": int((now - EARLY).timestamp()),
        "exp": int((now + lasting + LATE).timestamp()),
        "install_id": install.id,
        "tenant_id": install.tenant_id,
        "capabilities": sorted(install.granted),
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def admits(token: str, keys: Sequence[str], issuer: str, install_id: str, now: datetime) -> bool:
    """Whether one of the keys issued it, and it lets manage that install's schedules at that moment."""
    claims = _verified(token, keys, issuer) if _FORM.fullmatch(token) else None
    if claims is None or not _good_at(now, claims):
        return False
    capabilities = claims["capabilities"]
    granted = isinstance(capabilities, list) and SCHEDULER_MANAGE in capabilities
    return granted and claims["install_id"] == install_id


def _verified(token: str, keys: Sequence[str], issuer: str) -> Mapping[str, Any] | None:
    """The claims, all of them present; the library would look at the real clock, so it checks no time."""
    for key in filter(_KEY.fullmatch, keys):
        with suppress(jwt.PyJWTError):
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=issuer,
                options={
                    "require": list(_CLAIMS),
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
    return None


def _good_at(now: datetime, claims: Mapping[str, Any]) -> bool:
    begin, end = claims["nbf"], claims["exp"]
    return isinstance(begin, int) and isinstance(end, int) and begin <= now.timestamp() < end
