"""The SDK's exceptions."""

from collections.abc import Mapping


class BadRequest(Exception):
    """The endpoint cannot handle the request; the caller gets status 400 and the text."""


class SchedulerError(Exception):
    """The scheduler refused a call; `code` says why."""

    code = "internal"


class NotFound(SchedulerError):
    """The install is unknown or disabled."""

    code = "not-found"


class ValidationFailed(SchedulerError):
    """The scheduler considers the call invalid."""

    code = "validation-failed"


class QuotaExceeded(SchedulerError):
    """The install exceeded a quota."""

    code = "quota-exceeded"


class Denied(SchedulerError):
    """The install does not have the capability `cap:scheduler.manage`."""

    code = "denied"


class SchedulerInternalError(SchedulerError):
    """The scheduler failed or did not respond."""


class ScheduleRejected(SchedulerError):
    """The scheduler refused a create, update or delete; `field_errors` names the invalid fields."""

    code = "rejected"

    def __init__(self, error: str, field_errors: Mapping[str, str]) -> None:
        super().__init__(error)
        self.field_errors = field_errors


ERRORS_BY_CODE: Mapping[str, type[SchedulerError]] = {
    error.code: error for error in (NotFound, ValidationFailed, QuotaExceeded, Denied, SchedulerInternalError)
}
