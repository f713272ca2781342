"""What goes wrong, each as an operator is told of it."""

import pytest
from botocore import exceptions as aws
from pynamodb.exceptions import PynamoDBConnectionError, QueryError
from scheduling.domain import errors
from scheduling.domain.errors import Conflict, TimerFailed

from scheduling_admin.errors import FAILURES, AdminError, Exit, failure_of, leaving

LOGIN = "Log in anew (`aws sso login`, or new keys), and try again."
ALLOWED = "docs/operations.md lists what an operator needs to be allowed."


def answered(code: str, message: str = "the message", operation: str = "Query") -> aws.ClientError:
    return aws.ClientError({"Error": {"Code": code, "Message": message}}, operation)


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def of_table(cause: Exception) -> Exception:
    return QueryError(cause=cause)


UNREACHABLE = aws.EndpointConnectionError(endpoint_url="https://dynamodb.test")
FAILED = {
    "its own": (AdminError("text", Exit.USAGE), Exit.USAGE, "text"),
    "no install": (errors.InstallNotFound(), Exit.NOT_FOUND, "Install not found."),
    "no schedule": (errors.ScheduleNotFound(), Exit.NOT_FOUND, "Schedule not found."),
    "refused": (errors.NotRunnable("The tenant is paused"), Exit.REFUSED, "Refused: The tenant is paused."),
    "too many": (
        errors.RateLimited(7),
        Exit.REFUSED,
        "Refused: Too many requests, please try again later, in 7 s.",
    ),
    "no capability": (
        errors.CapabilityDenied("cap:scheduler.manage"),
        Exit.REFUSED,
        "Refused: Capability not granted: cap:scheduler.manage.",
    ),
    "lost to others": (
        errors.Unavailable("Too many concurrent changes, please try again"),
        Exit.WRONG,
        "Too many concurrent changes, please try again.",
    ),
    "turned the other way": (
        caused(
            errors.Unavailable("The tenant was paused or resumed anew meanwhile"),
            caused(Conflict(), of_table(answered("ConditionalCheckFailedException"))),
        ),
        Exit.WRONG,
        "The tenant was paused or resumed anew meanwhile.",
    ),
    "the table throttles": (
        caused(
            errors.Unavailable("The table is not available, please try again"),
            of_table(answered("ThrottlingException", "Rate exceeded")),
        ),
        Exit.AWS,
        "The table is not available, please try again. Query failed with ThrottlingException: Rate exceeded.",
    ),
    "the table does not answer": (
        caused(errors.Unavailable("The table is not available"), PynamoDBConnectionError(cause=UNREACHABLE)),
        Exit.AWS,
        "The table is not available. AWS does not answer: Could not connect to the endpoint URL: "
        '"https://dynamodb.test". Is the network up, and --endpoint-url or --region right?',
    ),
    "the table is gone": (
        of_table(answered("ResourceNotFoundException")),
        Exit.AWS,
        "The stack's table does not exist: it was deleted, or the stack is of another region or account than the "
        "table. The stack's output TableName names it.",
    ),
    "the table is not allowed": (
        of_table(answered("AccessDeniedException", "User: u is not authorized to perform: dynamodb:Query")),
        Exit.AWS,
        "AWS does not allow Query with these credentials: "
        f"User: u is not authorized to perform: dynamodb:Query. {ALLOWED}",
    ),
    "a timer": (
        caused(TimerFailed("GetSchedule: X", refused=False), answered("X", "no", "GetSchedule")),
        Exit.AWS,
        "GetSchedule failed with X: no.",
    ),
    "expired": (answered("ExpiredTokenException"), Exit.AWS, f"The AWS credentials have expired. {LOGIN}"),
    "unknown keys": (
        answered("InvalidClientTokenId"),
        Exit.AWS,
        f"AWS does not know the credentials (InvalidClientTokenId). Is it the right profile? {LOGIN}",
    ),
    "logged out": (
        aws.UnauthorizedSSOTokenError(),
        Exit.AWS,
        "The AWS credentials cannot be used: The SSO session associated with this profile has expired or is "
        "otherwise invalid. To refresh this SSO session run aws sso login with the corresponding profile. "
        f"{LOGIN}",
    ),
    "no region": (aws.NoRegionError(), Exit.USAGE, "No region is chosen: name the stack's by --region."),
    "no profile": (
        aws.ProfileNotFound(profile="nope"),
        Exit.USAGE,
        "The config profile (nope) could not be found. `aws configure list-profiles` lists them.",
    ),
    "too slow": (
        aws.ReadTimeoutError(endpoint_url="https://sqs.test"),
        Exit.AWS,
        'AWS does not answer: Read timeout on endpoint URL: "https://sqs.test". '
        "Is the network up, and --endpoint-url or --region right?",
    ),
    "anything else": (
        aws.ParamValidationError(report="bad"),
        Exit.AWS,
        "AWS cannot be asked: Parameter validation failed: bad.",
    ),
}


@pytest.mark.parametrize(("error", "ends_with", "text"), FAILED.values(), ids=FAILED.keys())
def test_a_failure_is_told_in_words(error: Exception, ends_with: Exit, text: str) -> None:
    assert isinstance(error, FAILURES)
    found = failure_of(error)
    assert (found.ends_with, str(found)) == (ends_with, text)


def test_what_is_left_undone_is_told_with_the_failure() -> None:
    with pytest.raises(AdminError) as failed, leaving("The same again goes on."):
        raise answered("ThrottlingException", "Rate exceeded")
    assert (
        str(failed.value) == "Query failed with ThrottlingException: Rate exceeded. The same again goes on."
    )
    assert failed.value.ends_with is Exit.AWS
