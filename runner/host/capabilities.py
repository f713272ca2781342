"""The capabilities that an execution may have as `providers`."""

from collections.abc import Iterable

SCHEDULER_MANAGE = "cap:scheduler.manage"
KNOWN_CAPABILITIES = frozenset(
    {
        "cap:context.read",
        "cap:log.emit",
        "cap:user.read",
        "cap:secrets.get",
        "cap:http.fetch",
        "cap:storage.kv",
        "cap:ui.proxy",
        "cap:invoice.manual.create",
        "cap:client.read",
        "cap:service.read",
        SCHEDULER_MANAGE,
    }
)


def normalize_capabilities(providers: Iterable[str]) -> set[str]:
    """Return the names as they are compared: trimmed and case-folded."""
    return {name.strip().casefold() for name in providers}
