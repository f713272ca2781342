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


class Exit(IntEnum):
    """The exit status of a command."""

    OK = 0
    WRONG = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    AWS = 5


MEANINGS = {
    Exit.OK: "done, and all is well",
    Exit.WRONG: "something is wrong with what was looked at, or not everything could be done",
    Exit.USAGE: "the command was not understood, or lacks what it needs",
    Exit.NOT_FOUND: "no such stack, install or schedule",
    Exit.REFUSED: "the service refuses it, or you did when you were asked",
    Exit.AWS: "AWS does not answer, or does not let you",
}


class AdminError(Exception):
    """Ends the command; the text is for the operator and says what to do."""

    def __init__(self, text: str, ends_with: Exit) -> None:
        super().__init__(text)
        self.ends_with = ends_with


FAILURES = (AdminError, SchedulingError, TimerFailed, PynamoDBException, aws.BotoCoreError, aws.ClientError)
"""What is no bug of this program."""

_LOGIN = "Log in anew (`aws sso login`, or new keys), and try again."
_NO_ANSWER = (aws.ConnectionError, aws.HTTPClientError)
_LOGGED_OUT = (
    aws.SSOError,
    aws.TokenRetrievalError,
    aws.CredentialRetrievalError,
    aws.PartialCredentialsError,
    aws.NoCredentialsError,
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_REJECTED = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure"}
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


def failure_of(error: Exception) -> AdminError:
    """The same as what ends a command; `error` is one of FAILURES."""
    match error:
        case AdminError():
            return error
        case InstallNotFound() | ScheduleNotFound():
            return AdminError(f"{error}.", Exit.NOT_FOUND)
        case Unavailable() | TimerFailed():
            return _unfinished(error)
        case RateLimited():
            return AdminError(f"Refused: {error}, in {error.retry_after} s.", Exit.REFUSED)
        case SchedulingError():
            return AdminError(f"Refused: {error}.", Exit.REFUSED)
        case PynamoDBException():
            return _of_table(error)
    return _of_aws(error)


def _unfinished(error: Exception) -> AdminError:
    """What the service says to its callers, and what AWS said to it, if that was the cause."""
    cause = _root(error)
    if isinstance(cause, aws.BotoCoreError | aws.ClientError):
        told = _of_aws(cause)
        return told if isinstance(error, TimerFailed) else AdminError(f"{_sentence(error)} {told}", Exit.AWS)
    return AdminError(_sentence(error), Exit.WRONG)


def _root(error: BaseException) -> BaseException:
    """What AWS answered first; to have lost to another write is an end of its own."""
    if isinstance(error, Conflict):
        return error
    below = error.cause if isinstance(error, PynamoDBException) else error.__cause__
    return _root(below) if isinstance(below, Exception) else error


def _of_table(error: PynamoDBException) -> AdminError:
    cause = _root(error)
    if isinstance(cause, aws.ClientError) and _code(cause) == "ResourceNotFoundException":
        text = (
            "The stack's table does not exist: it was deleted, or the stack is of another region or account than "
            "the table. The stack's output TableName names it."
        )
        return AdminError(text, Exit.AWS)
    return _of_aws(cause)


def _of_aws(error: BaseException) -> AdminError:
    match error:
        case aws.ProfileNotFound():
            return AdminError(f"{error}. `aws configure list-profiles` lists them.", Exit.USAGE)
        case aws.NoRegionError():
            return AdminError("No region is chosen: name the stack's by --region.", Exit.USAGE)
        case aws.ClientError():
            return _of_answer(error)
    if isinstance(error, _LOGGED_OUT):
        return AdminError(f"The AWS credentials cannot be used: {_sentence(error)} {_LOGIN}", Exit.AWS)
    if isinstance(error, _NO_ANSWER):
        text = f"AWS does not answer: {_sentence(error)} Is the network up, and --endpoint-url or --region right?"
        return AdminError(text, Exit.AWS)
    return AdminError(f"AWS cannot be asked: {_sentence(error)}", Exit.AWS)


def _of_answer(error: aws.ClientError) -> AdminError:
    code, operation = _code(error), error.operation_name
    if code in _EXPIRED:
        return AdminError(f"The AWS credentials have expired. {_LOGIN}", Exit.AWS)
    if code in _REJECTED:
        return AdminError(
            f"AWS does not know the credentials ({code}). Is it the right profile? {_LOGIN}", Exit.AWS
        )
    if code in _DENIED:
        text = f"AWS does not allow {operation} with these credentials: {_message(error)} docs/operations.md lists "
        return AdminError(f"{text}what an operator needs to be allowed.", Exit.AWS)
    return AdminError(f"{operation} failed with {code}: {_message(error)}", Exit.AWS)


def _code(error: aws.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _message(error: aws.ClientError) -> str:
    return _ended(str(error.response.get("Error", {}).get("Message", "")))


def _sentence(error: BaseException) -> str:
    return _ended(" ".join(str(error).split()))


def _ended(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


@contextmanager
def leaving(text: str) -> Iterator[None]:
    """Within, what goes wrong is told together with what is left undone."""
    try:
        yield
    except FAILURES as error:
        failure = failure_of(error)
        raise AdminError(f"{failure} {text}", failure.ends_with) from error
