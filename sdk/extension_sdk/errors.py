"""What can go wrong, as exceptions."""

from collections.abc import Mapping


class BadRequest(Exception):
    """The request is not one that the endpoint can answer; the caller gets status 400 and the text."""


class SchedulerError(Exception):
    """The scheduler refused; `code` says why."""

    code = "internal"


class NotFound(SchedulerError):
    """The install is unknown or disabled."""

    code = "not-found"


class ValidationFailed(SchedulerError):
    """The scheduler did not understand the question."""

    code = "validation-failed"


class QuotaExceeded(SchedulerError):
    """Too much in too short a time."""

    code = "quota-exceeded"


class Denied(SchedulerError):
    """The install has not been granted `cap:scheduler.manage`."""

    code = "denied"


class SchedulerInternalError(SchedulerError):
    """The scheduler failed or gave no answer."""


class ScheduleRejected(SchedulerError):
    """A create, update or delete was not done; `field_errors` says which fields are to blame."""

    code = "rejected"

    def __init__(self, error: str, field_errors: Mapping[str, str]) -> None:
        super().__init__(error)
        self.field_errors = field_errors


ERRORS_BY_CODE: Mapping[str, type[SchedulerError]] = {
    error.code: error for error in (NotFound, ValidationFailed, QuotaExceeded, Denied, SchedulerInternalError)
}
