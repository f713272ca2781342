"""Identifiers and tokens; the ones from outside are verified once, where they enter."""

import re
import secrets
from datetime import datetime
from threading import Lock
from typing import NewType
from uuid import NAMESPACE_URL, UUID, uuid5

InstallId = NewType("InstallId", str)
ScheduleId = NewType("ScheduleId", str)

INSTALL_ID_FORMAT = "1 to 64 letters, digits, dots, underscores and dashes, the first a letter or a digit"
TENANT_ID_FORMAT = "1 to 128 visible ASCII characters"
_TENANT_ID_PATTERN = re.compile(r"[\x21-\x7e]{1,128}")
_INSTALL_ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SCHEDULE_ID_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_ENDPOINT_NAMESPACE = uuid5(NAMESPACE_URL, "extension-scheduler/endpoint")


def parse_install_id(text: str) -> InstallId | None:
    """The id, or None where no install can have it: see `INSTALL_ID_FORM`."""
    return InstallId(text) if _INSTALL_ID_PATTERN.fullmatch(text) else None


def parse_tenant_id(text: str) -> str | None:
    """The id, or None where no tenant can have it: see `TENANT_ID_FORM`."""
    return text if _TENANT_ID_PATTERN.fullmatch(text) else None


def parse_schedule_id(text: str) -> ScheduleId | None:
    """The id in lower case, or None for what is no UUID of version 1 to 5."""
    lowercase = text.lower()
    return ScheduleId(lowercase) if _SCHEDULE_ID_PATTERN.fullmatch(lowercase) else None


class ScheduleIdGenerator:
    """Gives UUIDs of version 4 form that sort by their time.

    48 bits of milliseconds, 12 bits that count the ids of one giver in one millisecond, 62 random bits: so one
    query in key order answers a list oldest first, page by page.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._millis = self._count = 0

    def new_id(self, now: datetime) -> ScheduleId:
        """An id of that moment."""
        with self._lock:
            millis = int(now.timestamp() * 1000)
            self._count = min(self._count + 1, 0xFFF) if millis == self._millis else 0
            self._millis = millis
            bits = millis << 80 | self._count << 64 | secrets.randbits(62)
        return ScheduleId(str(UUID(int=bits, version=4)))


def new_token() -> str:
    """A word by which a writer knows its own write again when the answer to it was lost."""
    return secrets.token_hex(8)


def new_generation() -> int:
    """Where an install begins to count the changes of it: where no earlier install of the same id has ever been.

    Chosen among 2^52, so that this needs no clock and no memory of what was removed, and stays exact in any JSON.
    """
    return secrets.randbits(52) + 1


def endpoint_id(registry_id: str, method: str, path: str) -> str:
    """The same UUID for the same endpoint of an extension, in every version of it."""
    return str(uuid5(_ENDPOINT_NAMESPACE, f"{registry_id} {method} {path}"))


HOST_API = "host_api"
"""The install's own extension, by its runner."""
SYSTEM = "system"
"""The service itself: what it takes back or mends."""


def admin_actor(principal: str) -> str:
    """The platform: an IAM principal's ARN."""
    return f"admin:{principal}"
