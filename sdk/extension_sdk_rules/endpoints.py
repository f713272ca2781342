# Copied from layers/scheduling/scheduling/domain by scripts/vendor_rules.py. Do not edit.
"""The endpoints of an extension's version, and how a schedule names one (contract, section 4, `endpoint`)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from extension_sdk_rules.errors import RuleViolation

SCHEDULABLE_METHODS = ("GET", "POST")
NOT_SCHEDULABLE_TEXT = "Endpoint not found or not schedulable"
_SELECTOR_PATTERN = re.compile(r"(?:([A-Za-z]+)\s+)?(\S.*)", re.DOTALL)
_SLASHES_PATTERN = re.compile(r"/{2,}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An API endpoint that a manifest declares; `method` is in upper case, `path` normalized."""

    id: str
    method: str
    path: str
    handler: str

    @property
    def schedulable(self) -> bool:
        """Whether a schedule may use it: GET or POST, without path parameters."""
        return self.method in SCHEDULABLE_METHODS and not set(self.path) & set(":{}")


def normalize_path(path: str) -> str:
    """Return the path with one leading slash and without doubled slashes."""
    return _SLASHES_PATTERN.sub("/", f"/{path.strip()}")


def resolve_endpoint(selector: str, endpoints: Sequence[Endpoint], *, with_payload: bool) -> Endpoint:
    """Return the schedulable endpoint that `"/path"` or `"METHOD /path"` names.

    A bare path that exists as both GET and POST means POST if the schedule has a payload, else GET.

    Raises:
        RuleViolation: There is no such endpoint.
    """
    match = _SELECTOR_PATTERN.fullmatch(selector.strip())
    if match is None:
        raise RuleViolation(NOT_SCHEDULABLE_TEXT)
    method, path = match[1], normalize_path(match[2])
    endpoints_by_method = {e.method: e for e in endpoints if e.path == path and e.schedulable}
    preference = [method.upper()] if method else (["POST", "GET"] if with_payload else ["GET", "POST"])
    for candidate in preference:
        if candidate in endpoints_by_method:
            return endpoints_by_method[candidate]
    raise RuleViolation(NOT_SCHEDULABLE_TEXT)
