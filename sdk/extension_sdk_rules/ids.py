# Copied from layers/scheduling/scheduling/domain by scripts/vendor_rules.py. Do not edit.
"""Identifiers and tokens; identifiers from outside are validated once, where they enter."""

import re
import secrets
from datetime import datetime
from hashlib import sha256
from threading import Lock
from typing import NewType
from uuid import NAMESPACE_URL, UUID, uuid5

InstallId = NewType("InstallId", str)
ScheduleId = NewType("ScheduleId", str)

INSTALL_ID_FORMAT = "1 to 64 letters, digits, dots, underscores and dashes, the first a letter or a digit"
TENANT_ID_FORMAT = "1 to 128 visible ASCII characters"
_TENANT_ID_PATTERN = re.compile(r"[\x21-\x7e]{1,128}")
_INSTALL_ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UUID_PATTERN = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SCHEDULE_ID_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_CHANGE_POSITION_PATTERN = re.compile(r"[0-9T:-]{19}Z#[0-9]{40}")
_ENDPOINT_NAMESPACE = uuid5(NAMESPACE_URL, "extension-scheduler/endpoint")

HOST_API = "host_api"
"""Actor: the install's own extension, through its runner."""
SYSTEM = "system"
"""Actor: the service itself, when it rolls back or repairs."""


def admin_actor(principal: str) -> str:
    """Return the actor for the platform, an IAM principal's ARN."""
    return f"admin:{principal}"


def is_admin(actor: str) -> bool:
    """Return whether the actor is one of the platform's admins, rather than an extension or the service."""
    return actor.startswith("admin:")


def parse_install_id(text: str) -> InstallId | None:
    """Return the id, or None if the text does not have the form `INSTALL_ID_FORMAT`.

    A UUID is one install in any case, so it is returned in lower case; other ids are case-sensitive.
    """
    if not _INSTALL_ID_PATTERN.fullmatch(text):
        return None
    return InstallId(text.lower() if _UUID_PATTERN.fullmatch(text) else text)


def parse_tenant_id(text: str) -> str | None:
    """Return the id, or None if the text does not have the form `TENANT_ID_FORMAT`."""
    return text if _TENANT_ID_PATTERN.fullmatch(text) else None


def parse_schedule_id(text: str) -> ScheduleId | None:
    """Return the id in lower case, or None if the text is not a UUID of version 1 to 5."""
    lowercase = text.lower()
    return ScheduleId(lowercase) if _SCHEDULE_ID_PATTERN.fullmatch(lowercase) else None


def parse_change_position(text: str) -> str | None:
    """Return the text if it is a position in the list of an install's changes, else None."""
    return text if _CHANGE_POSITION_PATTERN.fullmatch(text) else None


class ScheduleIdGenerator:
    """Generates UUIDs of version 4 form that sort by time.

    An id has 48 bits of milliseconds, 12 bits that count the ids of this generator in one millisecond, and 62 random
    bits. So one query in key order returns a list oldest first, page by page.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._millis = self._count = 0

    def new_id(self, now: datetime) -> ScheduleId:
        """Return a new id for the time `now`."""
        with self._lock:
            millis = int(now.timestamp() * 1000)
            self._count = min(self._count + 1, 0xFFF) if millis == self._millis else 0
            self._millis = millis
            bits = millis << 80 | self._count << 64 | secrets.randbits(62)
        return ScheduleId(str(UUID(int=bits, version=4)))


def new_token() -> str:
    """Return a random token by which a writer recognizes its own write after the response was lost."""
    return secrets.token_hex(8)


def new_generation() -> int:
    """Return the first generation of a new install, different from those of earlier installs with the same id.

    A random number below 2^52 needs neither a clock nor a record of deleted installs, and is exact in any JSON.
    """
    return secrets.randbits(52) + 1


def endpoint_id(registry_id: str, method: str, path: str) -> str:
    """Return the UUID of an extension's endpoint, the same in all versions of the extension."""
    return str(uuid5(_ENDPOINT_NAMESPACE, f"{registry_id} {method} {path}"))


MAX_INLINE_PAYLOAD_BYTES = 256
"""The largest payload in a schedule's own row, which then still fits into one write unit."""


def digest_large_payload(payload: str | None) -> str | None:
    """Return the digest of a payload that belongs in an item of its own; None for one that does not."""
    data = payload.encode() if payload else b""
    return sha256(data).hexdigest() if len(data) > MAX_INLINE_PAYLOAD_BYTES else None
