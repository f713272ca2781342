"""All errors of the service, as one tree.

`SchedulingError` and what is below it are for the caller: each has a stable `code`, and its text is shown as it is.
The table from error to HTTP status is in `api.problems`. All other errors are internal: an operation or a handler
turns them into one of the former, or into a retry by AWS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

NAME_TAKEN_TEXT = "Schedule name already in use for this extension"


class ServiceError(Exception):
    """Root of the tree."""


# Errors for the caller


class SchedulingError(ServiceError):
    """A refusal or failure that the caller sees; `str(error)` is the text for the caller."""

    code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(self, text: str, field_errors: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.field_errors = dict(field_errors or {})


class ValidationFailed(SchedulingError):
    """One or more fields are invalid; the text is that of the first one."""

    code = "VALIDATION_FAILED"

    @classmethod
    def from_field_errors(cls, field_errors: Mapping[str, str]) -> "ValidationFailed":
        """Create the error from `field_errors`, which must not be empty."""
        return cls(next(iter(field_errors.values())), field_errors)


class BodyTooLarge(ValidationFailed):
    """The request's body exceeds its limit, and has not been parsed."""

    def __init__(self, max_bytes: int, *, compact: bool = False) -> None:
        super().__init__(f"The body is larger than {max_bytes} bytes{' as compact JSON' if compact else ''}")


class InvalidCursor(ValidationFailed):
    """The cursor is not one that a page of the same list returned."""

    def __init__(self) -> None:
        super().__init__("Invalid cursor", {"cursor": "Invalid cursor"})


class RulesViolated(ValidationFailed):
    """All fields are well-formed, but one or more break a rule of a schedule."""


class NameTaken(SchedulingError):
    """Another schedule of the install has the name."""

    code = "NAME_TAKEN"

    def __init__(self) -> None:
        super().__init__(NAME_TAKEN_TEXT, {"name": NAME_TAKEN_TEXT})


class QuotaExceeded(SchedulingError):
    """The install has the maximum number of schedules."""

    code = "QUOTA_EXCEEDED"

    def __init__(self, limit: int) -> None:
        super().__init__(f"Too many schedules (max {limit} per extension install)")


class RateLimited(SchedulingError):
    """The install's window of accepted writes is full, or its budget of calls spent, for `retry_after` seconds."""

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
    """The install has no such schedule; a schedule of another install counts as none."""

    code = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("Schedule not found")


class CapabilityDenied(SchedulingError):
    """The install was not granted the capability."""

    code = "CAPABILITY_DENIED"

    def __init__(self, capability: str) -> None:
        super().__init__(f"Capability not granted: {capability}")


class IdempotencyMismatch(SchedulingError):
    """The idempotency key was used for another request within the last 24 hours."""

    code = "IDEMPOTENCY_MISMATCH"

    def __init__(self) -> None:
        super().__init__("Idempotency-Key was already used for a different request")


class PreconditionFailed(SchedulingError):
    """The schedule has a revision that If-Match does not name."""

    code = "PRECONDITION_FAILED"

    def __init__(self) -> None:
        super().__init__("The schedule has changed since the revision that If-Match names")


class InstallConflict(SchedulingError):
    """The request would change the tenant of an install or the manifest of a version."""

    code = "INSTALL_CONFLICT"


class RemapFailed(SchedulingError):
    """The new version lacks endpoints that schedules use; `missing` pairs each schedule id with its endpoint."""

    code = "SCHEDULE_REMAP_FAILED"

    def __init__(self, missing: Sequence[tuple[str, str]]) -> None:
        super().__init__("The new version lacks endpoints that schedules of this install use")
        self.missing = list(missing)


class NotRunnable(SchedulingError):
    """The schedule would be skipped if it were started now; the text says why."""

    code = "NOT_RUNNABLE"


class BackfillInProgress(SchedulingError):
    """A backfill of the schedule has not ended; the text says how far it is."""

    code = "BACKFILL_IN_PROGRESS"


class ResponseTooLarge(SchedulingError):
    """The response is too large to be returned."""

    code = "ANSWER_TOO_LARGE"


class Unavailable(SchedulingError):
    """A system that this service depends on does not respond; nothing changes unless the text says otherwise."""

    code = "UNAVAILABLE"

    def __init__(self, text: str, retry_after: int = 1) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class UnconfirmedChange(Unavailable):
    """The response to a change was lost, and the current state does not show whether the change took effect."""

    def __init__(self) -> None:
        super().__init__("The change could not be confirmed; it may still take effect")


# Broken rules of a single value, collected into a ValidationFailed


class RuleViolation(ServiceError, ValueError):
    """A field breaks a rule of a schedule; the message is the exact text for the caller."""


class InvalidCron(RuleViolation):
    """A cron expression breaks a rule."""


class InvalidTimezone(RuleViolation):
    """A name is not a time zone."""


class InvalidJson(ServiceError, ValueError):
    """A text is not JSON, or cannot be kept exactly; the message says which."""


class InvalidFireEvent(ServiceError, ValueError):
    """An event names no occurrence; the message says what is wrong with it."""


# Internal errors


class Conflict(ServiceError):
    """A row has changed between read and write, or a concurrent write came first; the caller reads again."""


class TimerFailed(ServiceError):
    """A call of EventBridge Scheduler failed.

    With `refused`, EventBridge Scheduler rejected the call and changed nothing; otherwise its effect is unknown. With
    `invalid`, it rejected what the call says, and would do so again.
    """

    def __init__(self, text: str, *, refused: bool, invalid: bool = False) -> None:
        super().__init__(text)
        self.refused = refused
        self.invalid = invalid


class PartFailed(ServiceError):
    """The function that was to check a part of the sweep has failed, or has not answered in time."""


class UnsupportedEndpoint(ServiceError):
    """The environment selects AWS endpoints that the trimmed botocore does not know."""


# Not raised


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """A stored item that this release cannot use: it is reported, and what works on many items continues.

    Attributes:
        kind: Such as `schedule`.
        reason: Why it cannot be used; it quotes no payload and no configuration.
    """

    kind: str
    id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id} cannot be used: {self.reason}"
