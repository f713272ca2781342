"""The token by which a run calls back: a short-lived JWT of this stack, valid for the run's own install only."""

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
NOT_BEFORE_LEEWAY, EXPIRY_LEEWAY = timedelta(seconds=5), timedelta(seconds=10)
"""Tolerance for clocks that differ: a token is valid from a little before its issue until a little after the run."""

# RFC 7518 requires a key for HS256 no shorter than the hash. A key of another kind has spaces or lines.
_KEY_PATTERN = re.compile(r"[!-~]{32,}")
_REQUIRED_CLAIMS = ("iss", "aud", "iat", "nbf", "exp", "install_id", "tenant_id", "capabilities")
# Only the base64 form of a signature whose unused bits are 0, so that no character of a token can be changed.
_TOKEN_PATTERN = re.compile(r"(?=.{1,2048}\Z)[\w-]+\.[\w-]+\.[\w-]{42}[048AEIMQUYcgkosw]", re.ASCII)


def issue_token(key: str, issuer: str, install: Install, now: datetime, lifetime: timedelta) -> str:
    """Issue a token for a run of the install that may take as long as `lifetime`.

    Raises:
        Unavailable: The key is too weak.
    """
    if not _KEY_PATTERN.fullmatch(key):
        raise Unavailable("the key is not of at least 32 printable characters")
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "iat": int(now.timestamp()),
        "nbf": int((now - NOT_BEFORE_LEEWAY).timestamp()),
        "exp": int((now + lifetime + EXPIRY_LEEWAY).timestamp()),
        "install_id": install.id,
        "tenant_id": install.tenant_id,
        "capabilities": sorted(install.granted_capabilities),
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def verify_token(token: str, keys: Sequence[str], issuer: str, install_id: str, now: datetime) -> str | None:
    """Return the tenant for which the token was issued, or None if it does not permit the call.

    It does if one of the keys signed it and it permits to manage the install's schedules now. The tenant is for the
    operation to compare with the install's, which may have been registered again for another tenant since.
    """
    claims = _decode_claims(token, keys, issuer) if _TOKEN_PATTERN.fullmatch(token) else None
    if claims is None or not _is_valid_at(now, claims):
        return None
    capabilities, tenant_id = claims["capabilities"], claims["tenant_id"]
    can_manage_schedules = isinstance(capabilities, list) and SCHEDULER_MANAGE in capabilities
    if not can_manage_schedules or claims["install_id"] != install_id:
        return None
    return tenant_id if isinstance(tenant_id, str) and tenant_id else None


def _decode_claims(token: str, keys: Sequence[str], issuer: str) -> Mapping[str, Any] | None:
    """Return the claims if all are present; times are checked elsewhere, as the library would use the real clock."""
    for key in filter(_KEY_PATTERN.fullmatch, keys):
        with suppress(jwt.PyJWTError):
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=issuer,
                options={
                    "require": list(_REQUIRED_CLAIMS),
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
    return None


def _is_valid_at(now: datetime, claims: Mapping[str, Any]) -> bool:
    not_before, expires_at = claims["nbf"], claims["exp"]
    return (
        isinstance(not_before, int)
        and isinstance(expires_at, int)
        and not_before <= now.timestamp() < expires_at
    )
