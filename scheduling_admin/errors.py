"""Errors as messages for the operator, each with the exit status of the command."""

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
    ExitStatus.OK: "the command succeeded, and there is no problem",
    ExitStatus.NEEDS_ATTENTION: "there is a problem, or the command could not do everything",
    ExitStatus.USAGE: "the command line is invalid, or the configuration is incomplete",
    ExitStatus.NOT_FOUND: "the stack, install or schedule does not exist",
    ExitStatus.REFUSED: "the service refused the change, or you declined it",
    ExitStatus.AWS: "AWS did not respond, or denied the request",
}


class AdminError(Exception):
    """An error that ends the command; its text tells the operator what to do."""

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
"""Errors that are reported in one line; any other exception is a bug and keeps its traceback."""

_LOGIN_ADVICE = "Log in again (`aws sso login`, or new keys) and retry."
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
    """Return the error to report for `error`, which is one of EXPECTED_ERRORS."""
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
    """Combine the service's message with the AWS error that caused it, if there is one."""
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
    """Return the error that AWS raised first; a conflict with another write is a root cause itself."""
    if isinstance(error, Conflict):
        return error
    inner_cause = error.cause if isinstance(error, PynamoDBException) else error.__cause__
    return _find_root_cause(inner_cause) if isinstance(inner_cause, Exception) else error


def _convert_table_error(error: PynamoDBException) -> AdminError:
    cause = _find_root_cause(error)
    if isinstance(cause, aws.ClientError) and _error_code(cause) == "ResourceNotFoundException":
        text = (
            "The stack's table does not exist: it was deleted, or belongs to another region or account. "
            "The stack's output TableName is its name."
        )
        return AdminError(text, ExitStatus.AWS)
    return _convert_aws_error(cause)


def _convert_aws_error(error: BaseException) -> AdminError:
    match error:
        case aws.ProfileNotFound():
            return AdminError(f"{error}. `aws configure list-profiles` lists them.", ExitStatus.USAGE)
        case aws.NoRegionError():
            return AdminError(
                "No region is configured: choose the stack's region with --region.", ExitStatus.USAGE
            )
        case aws.ClientError():
            return _convert_client_error(error)
    if isinstance(error, _CREDENTIAL_ERRORS):
        return AdminError(
            f"The AWS credentials cannot be used: {_error_sentence(error)} {_LOGIN_ADVICE}", ExitStatus.AWS
        )
    if isinstance(error, _CONNECTION_ERRORS):
        text = (
            f"AWS does not respond: {_error_sentence(error)} Check the network, --endpoint-url and --region."
        )
        return AdminError(text, ExitStatus.AWS)
    return AdminError(f"The request to AWS failed: {_error_sentence(error)}", ExitStatus.AWS)


def _convert_client_error(error: aws.ClientError) -> AdminError:
    code, operation = _error_code(error), error.operation_name
    if code in _EXPIRED_CODES:
        return AdminError(f"The AWS credentials have expired. {_LOGIN_ADVICE}", ExitStatus.AWS)
    if code in _REJECTED_CODES:
        return AdminError(
            f"AWS rejects the credentials ({code}). Check the profile. {_LOGIN_ADVICE}",
            ExitStatus.AWS,
        )
    if code in _ACCESS_DENIED_CODES:
        text = f"AWS denies {operation} with these credentials: {_error_message(error)}"
        return AdminError(
            f"{text} docs/operations.md lists the permissions that an operator needs.", ExitStatus.AWS
        )
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
    """Add `hint`, which says how to continue, to every expected error that is raised within the block."""
    try:
        yield
    except EXPECTED_ERRORS as error:
        admin_error = convert_to_admin_error(error)
        raise AdminError(f"{admin_error} {hint}", admin_error.exit_status) from error
