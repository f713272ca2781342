"""Who makes a change, as rows and the audit name it."""

HOST_API = "host_api"
"""The install's own extension, by its runner."""
SYSTEM = "system"
"""The service itself: what it takes back or mends."""


def admin(principal: str) -> str:
    """The platform: an IAM principal's ARN."""
    return f"admin:{principal}"
