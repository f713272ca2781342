"""What an extension may be granted (contract, section 3)."""

from collections.abc import Iterable

SCHEDULER_MANAGE = "cap:scheduler.manage"
ALWAYS_GRANTED = frozenset({"cap:context.read", "cap:log.emit", "cap:user.read"})
KNOWN = ALWAYS_GRANTED | {
    "cap:secrets.get",
    "cap:http.fetch",
    "cap:storage.kv",
    "cap:ui.proxy",
    SCHEDULER_MANAGE,
}


def known_capabilities(names: Iterable[str]) -> frozenset[str]:
    """The known ones among `names`, trimmed and case-folded; unknown ones are dropped."""
    return frozenset(name.strip().casefold() for name in names) & KNOWN
