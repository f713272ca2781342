"""What goes wrong, each as an operator is told of it."""

import pytest
from botocore import exceptions as aws
from pynamodb.exceptions import PynamoDBConnectionError, QueryError
from scheduling.domain import errors
from scheduling.domain.errors import Conflict, TimerFailed

from scheduling_admin.errors import (
    EXPECTED_ERRORS,
    AdminError,
    ExitStatus,
    add_error_hint,
    convert_to_admin_error,
)

LOGIN_ADVICE = "Log in anew (`aws sso login`, or new keys), and try again."
PERMISSIONS_HINT = "docs/operations.md lists what an operator needs to be allowed."


def client_error(code: str, message: str = "the message", operation: str = "Query") -> aws.ClientError:
    return aws.ClientError({"Error": {"Code": code, "Message": message}}, operation)


def with_cause(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def table_error(cause: Exception) -> Exception:
    return QueryError(cause=cause)


UNREACHABLE = aws.EndpointConnectionError(endpoint_url="https://dynamodb.test")
FAILURE_CASES = {
    "its own": (AdminError("text", ExitStatus.USAGE), ExitStatus.USAGE, "text"),
    "no install": (errors.InstallNotFound(), ExitStatus.NOT_FOUND, "Install not found."),
    "no schedule": (errors.ScheduleNotFound(), ExitStatus.NOT_FOUND, "Schedule not found."),
    "refused": (
        errors.NotRunnable("The tenant is paused"),
        ExitStatus.REFUSED,
        "Refused: The tenant is paused.",
    ),
    "too many": (
        errors.RateLimited(7),
        ExitStatus.REFUSED,
        "Refused: Too many requests, please try again later, in 7 s.",
    ),
    "no capability": (
        errors.CapabilityDenied("cap:scheduler.manage"),
        ExitStatus.REFUSED,
        "Refused: Capability not granted: cap:scheduler.manage.",
    ),
    "lost to concurrent writes": (
        errors.Unavailable("Too many concurrent changes, please try again"),
        ExitStatus.NEEDS_ATTENTION,
        "Too many concurrent changes, please try again.",
    ),
    "paused and resumed concurrently": (
        with_cause(
            errors.Unavailable("The tenant was paused or resumed anew meanwhile"),
            with_cause(Conflict(), table_error(client_error("ConditionalCheckFailedException"))),
        ),
        ExitStatus.NEEDS_ATTENTION,
        "The tenant was paused or resumed anew meanwhile.",
    ),
    "the table throttles": (
        with_cause(
            errors.Unavailable("The table is not available, please try again"),
            table_error(client_error("ThrottlingException", "Rate exceeded")),
        ),
        ExitStatus.AWS,
        "The table is not available, please try again. Query failed with ThrottlingException: Rate exceeded.",
    ),
    "the table does not answer": (
        with_cause(
            errors.Unavailable("The table is not available"), PynamoDBConnectionError(cause=UNREACHABLE)
        ),
        ExitStatus.AWS,
        "The table is not available. AWS does not answer: Could not connect to the endpoint URL: "
        '"https://dynamodb.test". Is the network up, and --endpoint-url or --region right?',
    ),
    "the table is gone": (
        table_error(client_error("ResourceNotFoundException")),
        ExitStatus.AWS,
        "The stack's table does not exist: it was deleted, or the stack is of another region or account than the "
        "table. The stack's output TableName names it.",
    ),
    "the table is not allowed": (
        table_error(
            client_error("AccessDeniedException", "User: u is not authorized to perform: dynamodb:Query")
        ),
        ExitStatus.AWS,
        "AWS does not allow Query with these credentials: "
        f"User: u is not authorized to perform: dynamodb:Query. {PERMISSIONS_HINT}",
    ),
    "a timer": (
        with_cause(TimerFailed("GetSchedule: X", refused=False), client_error("X", "no", "GetSchedule")),
        ExitStatus.AWS,
        "GetSchedule failed with X: no.",
    ),
    "expired": (
        client_error("ExpiredTokenException"),
        ExitStatus.AWS,
        f"The AWS credentials have expired. {LOGIN_ADVICE}",
    ),
    "unknown keys": (
        client_error("InvalidClientTokenId"),
        ExitStatus.AWS,
        f"AWS does not know the credentials (InvalidClientTokenId). Is it the right profile? {LOGIN_ADVICE}",
    ),
    "logged out": (
        aws.UnauthorizedSSOTokenError(),
        ExitStatus.AWS,
        "The AWS credentials cannot be used: The SSO session associated with this profile has expired or is "
        "otherwise invalid. To refresh this SSO session run aws sso login with the corresponding profile. "
        f"{LOGIN_ADVICE}",
    ),
    "no region": (
        aws.NoRegionError(),
        ExitStatus.USAGE,
        "No region is chosen: name the stack's by --region.",
    ),
    "no profile": (
        aws.ProfileNotFound(profile="nope"),
        ExitStatus.USAGE,
        "The config profile (nope) could not be found. `aws configure list-profiles` lists them.",
    ),
    "too slow": (
        aws.ReadTimeoutError(endpoint_url="https://sqs.test"),
        ExitStatus.AWS,
        'AWS does not answer: Read timeout on endpoint URL: "https://sqs.test". '
        "Is the network up, and --endpoint-url or --region right?",
    ),
    "anything else": (
        aws.ParamValidationError(report="bad"),
        ExitStatus.AWS,
        "AWS cannot be asked: Parameter validation failed: bad.",
    ),
}


@pytest.mark.parametrize(("error", "exit_status", "text"), FAILURE_CASES.values(), ids=FAILURE_CASES.keys())
def test_each_failure_becomes_an_admin_error(error: Exception, exit_status: ExitStatus, text: str) -> None:
    assert isinstance(error, EXPECTED_ERRORS)
    admin_error = convert_to_admin_error(error)
    assert (admin_error.exit_status, str(admin_error)) == (exit_status, text)


def test_the_hint_is_added_to_the_error() -> None:
    with pytest.raises(AdminError) as raised, add_error_hint("The same again goes on."):
        raise client_error("ThrottlingException", "Rate exceeded")
    assert (
        str(raised.value) == "Query failed with ThrottlingException: Rate exceeded. The same again goes on."
    )
    assert raised.value.exit_status is ExitStatus.AWS
