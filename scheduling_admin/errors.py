"""What went wrong, in words for the operator, and what the command ends with for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from botocore import exceptions as aws
from pynamodb.exceptions import PynamoDBException
from scheduling.domain.errors import (
    Conflict,
    InstallNotFound,
    RateLimited,
    ScheduleNotFound,
    SchedulingError,
    TimerFailed,
    Unavailable,
)


class ExitStatus(IntEnum):
    """The exit status of a command."""

    OK = 0
    NEEDS_ATTENTION = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    AWS = 5


EXIT_STATUS_MEANINGS = {
    ExitStatus.OK: "done, and all is well",
    ExitStatus.NEEDS_ATTENTION: "something is wrong with what was looked at, or not everything could be done",
    ExitStatus.USAGE: "the command was not understood, or lacks what it needs",
    ExitStatus.NOT_FOUND: "no such stack, install or schedule",
    ExitStatus.REFUSED: "the service refuses it, or you did when you were asked",
    ExitStatus.AWS: "AWS does not answer, or does not let you",
}


class AdminError(Exception):
    """Ends the command; the text is for the operator and says what to do."""

    def __init__(self, text: str, exit_status: ExitStatus) -> None:
        super().__init__(text)
        self.exit_status = exit_status


EXPECTED_ERRORS = (
    AdminError,
    SchedulingError,
    TimerFailed,
    PynamoDBException,
    aws.BotoCoreError,
    aws.ClientError,
)
"""What is no bug of this program."""

_LOGIN_ADVICE = "Log in anew (`aws sso login`, or new keys), and try again."
_CONNECTION_ERRORS = (aws.ConnectionError, aws.HTTPClientError)
_CREDENTIAL_ERRORS = (
    aws.SSOError,
    aws.TokenRetrievalError,
    aws.CredentialRetrievalError,
    aws.PartialCredentialsError,
    aws.NoCredentialsError,
)
_EXPIRED_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_REJECTED_CODES = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure"}
)
_ACCESS_DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


def convert_to_admin_error(error: Exception) -> AdminError:
    """The same as what ends a command; `error` is one of FAILURES."""
    match error:
        case AdminError():
            return error
        case InstallNotFound() | ScheduleNotFound():
            return AdminError(f"{error}.", ExitStatus.NOT_FOUND)
        case Unavailable() | TimerFailed():
            return _convert_unavailable(error)
        case RateLimited():
            return AdminError(f"Refused: {error}, in {error.retry_after} s.", ExitStatus.REFUSED)
        case SchedulingError():
            return AdminError(f"Refused: {error}.", ExitStatus.REFUSED)
        case PynamoDBException():
            return _convert_table_error(error)
    return _convert_aws_error(error)


def _convert_unavailable(error: Exception) -> AdminError:
    """What the service says to its callers, and what AWS said to it, if that was the cause."""
    cause = _find_root_cause(error)
    if isinstance(cause, aws.BotoCoreError | aws.ClientError):
        admin_error = _convert_aws_error(cause)
        return (
            admin_error
            if isinstance(error, TimerFailed)
            else AdminError(f"{_error_sentence(error)} {admin_error}", ExitStatus.AWS)
        )
    return AdminError(_error_sentence(error), ExitStatus.NEEDS_ATTENTION)


def _find_root_cause(error: BaseException) -> BaseException:
    """What AWS answered first; to have lost to another write is an end of its own."""
    if isinstance(error, Conflict):
        return error
    inner_cause = error.cause if isinstance(error, PynamoDBException) else error.__cause__
    return _find_root_cause(inner_cause) if isinstance(inner_cause, Exception) else error


def _convert_table_error(error: PynamoDBException) -> AdminError:
    cause = _find_root_cause(error)
    if isinstance(cause, aws.ClientError) and _error_code(cause) == "ResourceNotFoundException":
        text = (
            "The stack's table does not exist: it was deleted, or the stack is of another region or account than "
            "the table. The stack's output TableName names it."
        )
        return AdminError(text, ExitStatus.AWS)
    return _convert_aws_error(cause)


def _convert_aws_error(error: BaseException) -> AdminError:
    match error:
        case aws.ProfileNotFound():
            return AdminError(f"{error}. `aws configure list-profiles` lists them.", ExitStatus.USAGE)
        case aws.NoRegionError():
            return AdminError("No region is chosen: name the stack's by --region.", ExitStatus.USAGE)
        case aws.ClientError():
            return _convert_client_error(error)
    if isinstance(error, _CREDENTIAL_ERRORS):
        return AdminError(
            f"The AWS credentials cannot be used: {_error_sentence(error)} {_LOGIN_ADVICE}", ExitStatus.AWS
        )
    if isinstance(error, _CONNECTION_ERRORS):
        text = f"AWS does not answer: {_error_sentence(error)} Is the network up, and --endpoint-url or --region right?"
        return AdminError(text, ExitStatus.AWS)
    return AdminError(f"AWS cannot be asked: {_error_sentence(error)}", ExitStatus.AWS)


def _convert_client_error(error: aws.ClientError) -> AdminError:
    code, operation = _error_code(error), error.operation_name
    if code in _EXPIRED_CODES:
        return AdminError(f"The AWS credentials have expired. {_LOGIN_ADVICE}", ExitStatus.AWS)
    if code in _REJECTED_CODES:
        return AdminError(
            f"AWS does not know the credentials ({code}). Is it the right profile? {_LOGIN_ADVICE}",
            ExitStatus.AWS,
        )
    if code in _ACCESS_DENIED_CODES:
        text = f"AWS does not allow {operation} with these credentials: {_error_message(error)} docs/operations.md lists "
        return AdminError(f"{text}what an operator needs to be allowed.", ExitStatus.AWS)
    return AdminError(f"{operation} failed with {code}: {_error_message(error)}", ExitStatus.AWS)


def _error_code(error: aws.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _error_message(error: aws.ClientError) -> str:
    return _end_with_period(str(error.response.get("Error", {}).get("Message", "")))


def _error_sentence(error: BaseException) -> str:
    return _end_with_period(" ".join(str(error).split()))


def _end_with_period(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


@contextmanager
def add_error_hint(hint: str) -> Iterator[None]:
    """Within, what goes wrong is told together with what is left undone."""
    try:
        yield
    except EXPECTED_ERRORS as error:
        admin_error = convert_to_admin_error(error)
        raise AdminError(f"{admin_error} {hint}", admin_error.exit_status) from error
