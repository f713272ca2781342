"""Each expected error, and the message and exit status that it becomes."""

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

LOGIN_ADVICE = "Log in again (`aws sso login`, or new keys) and retry."
PERMISSIONS_HINT = "docs/operations.md lists the permissions that an operator needs."


def client_error(code: str, message: str = "the message", operation: str = "Query") -> aws.ClientError:
    return aws.ClientError({"Error": {"Code": code, "Message": message}}, operation)


def with_cause(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def table_error(cause: Exception) -> Exception:
    return QueryError(cause=cause)


UNREACHABLE = aws.EndpointConnectionError(endpoint_url="https://dynamodb.test")
FAILURE_CASES = {
    "an admin error": (AdminError("text", ExitStatus.USAGE), ExitStatus.USAGE, "text"),
    "absent install": (errors.InstallNotFound(), ExitStatus.NOT_FOUND, "Install not found."),
    "absent schedule": (errors.ScheduleNotFound(), ExitStatus.NOT_FOUND, "Schedule not found."),
    "refused by the service": (
        errors.NotRunnable("The tenant is paused"),
        ExitStatus.REFUSED,
        "Refused: The tenant is paused.",
    ),
    "too many requests": (
        errors.RateLimited(7),
        ExitStatus.REFUSED,
        "Refused: Too many requests, please try again later, in 7 s.",
    ),
    "missing capability": (
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
            errors.Unavailable("The tenant was paused or resumed meanwhile"),
            with_cause(Conflict(), table_error(client_error("ConditionalCheckFailedException"))),
        ),
        ExitStatus.NEEDS_ATTENTION,
        "The tenant was paused or resumed meanwhile.",
    ),
    "table throttled": (
        with_cause(
            errors.Unavailable("The table is not available, please try again"),
            table_error(client_error("ThrottlingException", "Rate exceeded")),
        ),
        ExitStatus.AWS,
        "The table is not available, please try again. Query failed with ThrottlingException: Rate exceeded.",
    ),
    "table unreachable": (
        with_cause(
            errors.Unavailable("The table is not available"), PynamoDBConnectionError(cause=UNREACHABLE)
        ),
        ExitStatus.AWS,
        "The table is not available. AWS does not respond: Could not connect to the endpoint URL: "
        '"https://dynamodb.test". Check the network, --endpoint-url and --region.',
    ),
    "table deleted": (
        table_error(client_error("ResourceNotFoundException")),
        ExitStatus.AWS,
        "The stack's table does not exist: it was deleted, or belongs to another region or account. "
        "The stack's output TableName is its name.",
    ),
    "table access denied": (
        table_error(
            client_error("AccessDeniedException", "User: u is not authorized to perform: dynamodb:Query")
        ),
        ExitStatus.AWS,
        "AWS denies Query with these credentials: "
        f"User: u is not authorized to perform: dynamodb:Query. {PERMISSIONS_HINT}",
    ),
    "timer request failed": (
        with_cause(TimerFailed("GetSchedule: X", refused=False), client_error("X", "no", "GetSchedule")),
        ExitStatus.AWS,
        "GetSchedule failed with X: no.",
    ),
    "expired credentials": (
        client_error("ExpiredTokenException"),
        ExitStatus.AWS,
        f"The AWS credentials have expired. {LOGIN_ADVICE}",
    ),
    "rejected keys": (
        client_error("InvalidClientTokenId"),
        ExitStatus.AWS,
        f"AWS rejects the credentials (InvalidClientTokenId). Check the profile. {LOGIN_ADVICE}",
    ),
    "expired login": (
        aws.UnauthorizedSSOTokenError(),
        ExitStatus.AWS,
        "The AWS credentials cannot be used: The SSO session associated with this profile has expired or is "
        "otherwise invalid. To refresh this SSO session run aws sso login with the corresponding profile. "
        f"{LOGIN_ADVICE}",
    ),
    "missing region": (
        aws.NoRegionError(),
        ExitStatus.USAGE,
        "No region is configured: choose the stack's region with --region.",
    ),
    "missing profile": (
        aws.ProfileNotFound(profile="nope"),
        ExitStatus.USAGE,
        "The config profile (nope) could not be found. `aws configure list-profiles` lists them.",
    ),
    "time-out": (
        aws.ReadTimeoutError(endpoint_url="https://sqs.test"),
        ExitStatus.AWS,
        'AWS does not respond: Read timeout on endpoint URL: "https://sqs.test". '
        "Check the network, --endpoint-url and --region.",
    ),
    "other AWS error": (
        aws.ParamValidationError(report="bad"),
        ExitStatus.AWS,
        "The request to AWS failed: Parameter validation failed: bad.",
    ),
}


@pytest.mark.parametrize(("error", "exit_status", "text"), FAILURE_CASES.values(), ids=FAILURE_CASES.keys())
def test_each_failure_becomes_an_admin_error(error: Exception, exit_status: ExitStatus, text: str) -> None:
    assert isinstance(error, EXPECTED_ERRORS)
    admin_error = convert_to_admin_error(error)
    assert (admin_error.exit_status, str(admin_error)) == (exit_status, text)


def test_the_hint_is_added_to_the_error() -> None:
    with pytest.raises(AdminError) as raised, add_error_hint("Run it again."):
        raise client_error("ThrottlingException", "Rate exceeded")
    assert str(raised.value) == "Query failed with ThrottlingException: Rate exceeded. Run it again."
    assert raised.value.exit_status is ExitStatus.AWS
