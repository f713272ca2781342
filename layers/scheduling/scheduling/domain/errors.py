"""Everything an operation may refuse with. No HTTP here: `api.statuses` has the one table from error to status."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

NAME_TAKEN_TEXT = "Schedule name already in use for this extension"


class ServiceError(Exception):
    """Root of the tree."""


class RuleViolation(ServiceError, ValueError):
    """One field breaks one rule of a schedule; the message is the text for the caller."""


class SchedulingError(ServiceError):
    """What a caller may be told of; `str(error)` is the text for it."""

    code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(self, text: str, field_errors: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.field_errors = dict(field_errors or {})


class ValidationFailed(SchedulingError):
    """One or more fields are to blame; the text is the first one's."""

    code = "VALIDATION_FAILED"

    @classmethod
    def from_field_errors(cls, field_errors: Mapping[str, str]) -> "ValidationFailed":
        """The refusal of `field_errors`, which must not be empty."""
        return cls(next(iter(field_errors.values())), field_errors)


class NameTaken(SchedulingError):
    """Another schedule of the install has the name."""

    code = "NAME_TAKEN"

    def __init__(self) -> None:
        super().__init__(NAME_TAKEN_TEXT, {"name": NAME_TAKEN_TEXT})


class QuotaExceeded(SchedulingError):
    """The install has as many schedules as it may."""

    code = "QUOTA_EXCEEDED"

    def __init__(self, limit: int) -> None:
        super().__init__(f"Too many schedules (max {limit} per extension install)")


class RateLimited(SchedulingError):
    """The install's window of accepted writes is full for `retry_after` seconds more."""

    code = "RATE_LIMITED"

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too many requests, please try again later")
        self.retry_after = retry_after


class InstallNotFound(SchedulingError):
    """The install is unknown, disabled or being deleted."""

    code = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Install not found")


class ScheduleNotFound(SchedulingError):
    """The install has no such schedule; another install's counts as none."""

    code = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Schedule not found")


class CapabilityDenied(SchedulingError):
    """The install was not granted the capability."""

    code = "CAPABILITY_DENIED"

    def __init__(self, capability: str) -> None:
        super().__init__(f"Capability not granted: {capability}")


class IdempotencyMismatch(SchedulingError):
    """The idempotency key was used for another request within its 24 hours."""

    code = "IDEMPOTENCY_MISMATCH"

    def __init__(self) -> None:
        super().__init__("Idempotency-Key was already used for a different request")


class PreconditionFailed(SchedulingError):
    """The schedule is no longer the one that If-Match names."""

    code = "PRECONDITION_FAILED"

    def __init__(self) -> None:
        super().__init__("The schedule has changed since the revision that If-Match names")


class InstallConflict(SchedulingError):
    """An install would change its tenant, or a version its manifest."""

    code = "INSTALL_CONFLICT"


class RemapFailed(SchedulingError):
    """The new version lacks endpoints that schedules use; `missing` pairs each schedule id with its endpoint."""

    code = "SCHEDULE_REMAP_FAILED"

    def __init__(self, missing: Sequence[tuple[str, str]]) -> None:
        super().__init__("The new version lacks endpoints that schedules of this install use")
        self.missing = list(missing)


class NotRunnable(SchedulingError):
    """The schedule would not be run if it were started now; the text says why."""

    code = "NOT_RUNNABLE"


class ResponseTooLarge(SchedulingError):
    """The answer would not fit what Lambda may return."""

    code = "ANSWER_TOO_LARGE"


class Unavailable(SchedulingError):
    """A system behind this one did not answer; nothing was changed unless the text says otherwise."""

    code = "UNAVAILABLE"

    def __init__(self, text: str, retry_after: int = 1) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class UnconfirmedChange(Unavailable):
    """The answer to a change was lost, and a look at what there is does not tell whether it was made."""

    def __init__(self) -> None:
        super().__init__("The change could not be confirmed; it may still take effect")


class InvalidCron(RuleViolation):
    """A cron expression that breaks a rule; the message is the exact text for the client."""


class InvalidTimezone(RuleViolation):
    """A name that is no time zone; the message is the exact text for the client."""


class InvalidJson(ServiceError, ValueError):
    """Not JSON, or JSON that cannot be kept exactly; the message says which."""


class TimerFailed(ServiceError):
    """EventBridge did not do as told. `refused`: it said no; else what it did is unknown."""

    def __init__(self, text: str, *, refused: bool) -> None:
        super().__init__(text)
        self.refused = refused


class Conflict(ServiceError):
    """Something read for a write has changed since, or a concurrent write came first; read again."""


class RunFailed(ServiceError):
    """An attempt failed, or could not begin, in a way that another attempt may repair: the occurrence must be delivered again.

    `attempt` is 0 where none could begin, since the next occurrence is running.
    """

    def __init__(
        self,
        text: str,
        *,
        attempt: int = 0,
        started_at: datetime | None = None,
        duration_ms: int | None = None,
    ) -> None:
        super().__init__(text)
        self.attempt = attempt
        self.started_at = started_at
        self.duration_ms = duration_ms


class UnreadableRecord(ServiceError):
    """A record that this release cannot read; the text names its row."""


class UnsupportedEndpoint(ServiceError):
    """The environment asks for endpoints that the trimmed botocore does not know."""
