from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling.api.call_budget import CallBudget
from scheduling.api.callback import callback_handler
from scheduling.api.http import Request, Response, json_response
from scheduling.api.problems import extension_handler, rest_handler
from scheduling.api.rendering import schedule_response
from scheduling.domain import errors
from scheduling.domain.errors import SchedulingError
from scheduling.operations.services import is_tenant_allowed

from tests.unit.builders import SCHEDULE_ID, http_event, parse_response_body, schedule

SECRET = "table scheduling-prod at 10.0.0.7"
UNEXPECTED = [
    pytest.param(RuntimeError(SECRET), id="RuntimeError"),
    pytest.param(KeyError(SECRET), id="KeyError"),
    pytest.param(ValueError(SECRET), id="ValueError"),
    pytest.param(RecursionError(SECRET), id="RecursionError"),
    pytest.param(ExceptionGroup(SECRET, [OSError(SECRET)]), id="ExceptionGroup"),
    pytest.param(SchedulingError(SECRET), id="SchedulingError itself"),
]


def context() -> LambdaContext:
    lambda_context = LambdaContext()
    lambda_context._aws_request_id = "request-1"
    lambda_context.get_remaining_time_in_millis = lambda: 29_000  # type: ignore[method-assign]
    return lambda_context


def raise_in_route(error: Exception) -> Callable[[Request], Response]:
    def route(_request: Request) -> Response:
        raise error

    return route


def callback_error_response(error: Exception) -> Response:
    return callback_handler("operation")(raise_in_route(error))(http_event("{}"), context())


def resource_error_response(error: Exception) -> Response:
    return rest_handler("operation")(raise_in_route(error))(http_event("{}"), context())


def problem(status: int, detail: str, code: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }


@pytest.mark.parametrize(
    "wrap", [callback_handler("operation"), rest_handler("operation")], ids=["callback", "resource"]
)
def test_response_passes_unchanged(wrap: Callable[[Callable[[Request], Response]], Any]) -> None:
    result = json_response(200, {}, {"etag": '"1"'})

    assert wrap(lambda _request: result)(http_event("{}"), context()) is result


@pytest.mark.parametrize(
    "wrap", [callback_handler("operation"), rest_handler("operation")], ids=["callback", "resource"]
)
def test_route_receives_the_event(wrap: Callable[[Callable[[Request], Response]], Any]) -> None:
    def route(request: Request) -> Response:
        return json_response(200, request.install_id)

    assert wrap(route)(http_event(), context())["body"] == '"install-1"'


SPENT = {"error": "Too many requests, please try again later", "code": "RATE_LIMITED"}


@pytest.mark.parametrize(
    ("handler_of", "body"),
    [
        pytest.param(
            lambda budget: callback_handler("list", budget=budget), {"success": False, **SPENT}, id="callback"
        ),
        pytest.param(
            lambda budget: extension_handler("list", budget),
            problem(429, SPENT["error"], SPENT["code"]),
            id="resource",
        ),
    ],
)
def test_a_spent_budget_is_answered_before_the_route_is_called(
    handler_of: Callable[[CallBudget], Callable[[Callable[[Request], Response]], Any]], body: dict[str, Any]
) -> None:
    calls: list[Request] = []

    def route(request: Request) -> Response:
        calls.append(request)
        return json_response(200, {})

    handler = handler_of(CallBudget(1))(route)
    responses = [handler(http_event(), context()) for _ in range(2)]

    assert [each["statusCode"] for each in responses] == [200, 429]
    assert (responses[1]["headers"]["retry-after"], parse_response_body(responses[1])) == ("60", body)
    assert len(calls) == 1


def test_ids_that_differ_in_case_only_have_one_budget_and_malformed_ones_none() -> None:
    def list_statuses(*install_ids: str) -> list[int]:
        handler = extension_handler("list", CallBudget(1))(lambda _request: json_response(200, {}))
        events = [http_event() | {"pathParameters": {"installId": each}} for each in install_ids]
        return [handler(event, context())["statusCode"] for event in events]

    assert list_statuses(SCHEDULE_ID.upper(), SCHEDULE_ID) == [200, 429]
    assert list_statuses("install-1", "Install-1") == [200, 200]
    assert list_statuses("~", "~", "~") == [200, 200, 200]


@pytest.mark.parametrize("error", UNEXPECTED)
def test_unexpected_error_is_an_internal_error_of_the_callback(error: Exception) -> None:
    assert callback_error_response(error) == {
        "statusCode": 500,
        "headers": {"content-type": "application/json"},
        "body": '{"error":"Internal error","code":"INTERNAL_ERROR"}',
    }


@pytest.mark.parametrize("error", UNEXPECTED)
def test_unexpected_error_is_an_internal_error_of_the_resource_api(error: Exception) -> None:
    result = resource_error_response(error)

    assert result["statusCode"] == 500
    assert result["headers"] == {"content-type": "application/problem+json"}
    assert parse_response_body(result) == problem(500, "Internal error", "INTERNAL_ERROR")


CALLBACK_TABLE = [
    pytest.param(
        errors.ValidationFailed.from_field_errors(
            {"cron": "Cron expression too long", "name": "Name too long"}
        ),
        400,
        {
            "success": False,
            "error": "Cron expression too long",
            "fieldErrors": {"cron": "Cron expression too long", "name": "Name too long"},
            "code": "VALIDATION_FAILED",
        },
        id="validation",
    ),
    pytest.param(
        errors.ValidationFailed("The body must be a JSON object"),
        400,
        {"success": False, "error": "The body must be a JSON object", "code": "VALIDATION_FAILED"},
        id="no field to blame",
    ),
    pytest.param(
        errors.QuotaExceeded(50),
        400,
        {
            "success": False,
            "error": "Too many schedules (max 50 per extension install)",
            "code": "QUOTA_EXCEEDED",
        },
        id="quota",
    ),
    pytest.param(
        errors.NameTaken(),
        400,
        {
            "success": False,
            "error": "Schedule name already in use for this extension",
            "fieldErrors": {"name": "Schedule name already in use for this extension"},
            "code": "NAME_TAKEN",
        },
        id="name",
    ),
    pytest.param(
        errors.ScheduleNotFound(),
        400,
        {"success": False, "error": "Schedule not found", "code": "NOT_FOUND"},
        id="schedule",
    ),
    pytest.param(
        errors.InstallNotFound(), 404, {"error": "Install not found", "code": "NOT_FOUND"}, id="install"
    ),
    pytest.param(
        errors.CapabilityDenied("cap:scheduler.manage"),
        403,
        {
            "success": False,
            "error": "Capability not granted: cap:scheduler.manage",
            "code": "CAPABILITY_DENIED",
        },
        id="capability",
    ),
]


@pytest.mark.parametrize(("error", "status", "body"), CALLBACK_TABLE)
def test_callback_error_has_its_format(error: SchedulingError, status: int, body: dict[str, object]) -> None:
    result = callback_error_response(error)

    assert result["statusCode"] == status
    assert result["headers"] == {"content-type": "application/json"}
    assert parse_response_body(result) == body


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(errors.RulesViolated.from_field_errors({"cron": "no"}), 200, id="rules"),
        pytest.param(errors.NameTaken(), 200, id="name"),
        pytest.param(errors.QuotaExceeded(50), 200, id="quota"),
        pytest.param(errors.ScheduleNotFound(), 200, id="schedule"),
        pytest.param(errors.ValidationFailed.from_field_errors({"cron": "no"}), 400, id="malformed"),
        pytest.param(errors.InstallNotFound(), 404, id="install"),
        pytest.param(errors.CapabilityDenied("cap:scheduler.manage"), 403, id="capability"),
        pytest.param(errors.RateLimited(42), 429, id="rate"),
        pytest.param(errors.ResponseTooLarge("x"), 413, id="too large"),
        pytest.param(errors.Unavailable("x"), 503, id="unavailable"),
        pytest.param(RuntimeError("x"), 500, id="unexpected"),
    ],
)
def test_broken_rule_has_the_configured_status_and_the_same_body(error: Exception, status: int) -> None:
    handler = callback_handler("operation", rule_error_status=200)(raise_in_route(error))

    result = handler(http_event("{}"), context())

    assert result == {**callback_error_response(error), "statusCode": status}


@pytest.mark.parametrize(
    ("error", "body"),
    [
        pytest.param(
            errors.ValidationFailed.from_field_errors(
                {"cron": "Cron expression too long", "name": "Name too long"}
            ),
            problem(
                400,
                "Cron expression too long",
                "VALIDATION_FAILED",
                fieldErrors={"cron": "Cron expression too long", "name": "Name too long"},
            ),
            id="validation",
        ),
        pytest.param(
            errors.ScheduleNotFound(), problem(404, "Schedule not found", "NOT_FOUND"), id="schedule"
        ),
        pytest.param(errors.InstallNotFound(), problem(404, "Install not found", "NOT_FOUND"), id="install"),
        pytest.param(
            errors.QuotaExceeded(50),
            problem(409, "Too many schedules (max 50 per extension install)", "QUOTA_EXCEEDED"),
            id="quota",
        ),
        pytest.param(
            errors.PreconditionFailed(),
            problem(
                412,
                "The schedule has changed since the revision that If-Match names",
                "PRECONDITION_FAILED",
            ),
            id="precondition",
        ),
        pytest.param(
            errors.RemapFailed([("s1", "GET /a"), ("s2", "POST /b")]),
            problem(
                409,
                "The new version lacks endpoints that schedules of this install use",
                "SCHEDULE_REMAP_FAILED",
                missing=[
                    {"scheduleId": "s1", "endpoint": "GET /a"},
                    {"scheduleId": "s2", "endpoint": "POST /b"},
                ],
            ),
            id="remap",
        ),
    ],
)
def test_resource_api_error_is_a_problem_document(error: SchedulingError, body: dict[str, object]) -> None:
    result = resource_error_response(error)

    assert result["statusCode"] == body["status"]
    assert result["headers"] == {"content-type": "application/problem+json"}
    assert parse_response_body(result) == body


@pytest.mark.parametrize(
    "respond", [callback_error_response, resource_error_response], ids=["callback", "resource"]
)
@pytest.mark.parametrize(
    ("error", "status", "seconds"),
    [(errors.RateLimited(42), 429, "42"), (errors.Unavailable("x", 3), 503, "3")],
    ids=["rate", "unavailable"],
)
def test_retry_after_is_a_header(
    respond: Callable[[Exception], Response], error: SchedulingError, status: int, seconds: str
) -> None:
    result = respond(error)

    assert (result["statusCode"], result["headers"]["retry-after"]) == (status, seconds)
    assert parse_response_body(result)["code"] == error.code


def test_texts_are_not_escaped_beyond_json() -> None:
    result = resource_error_response(errors.ValidationFailed.from_field_errors({"naïve": 'a "quoted" é'}))

    assert '"fieldErrors":{"naïve":"a \\"quoted\\" é"}' in result["body"]


def test_schedule_response_has_its_revision_as_etag() -> None:
    result = schedule_response(201, schedule(revision=7), location="/there")

    assert result["statusCode"] == 201
    assert result["headers"] == {"content-type": "application/json", "etag": '"7"', "location": "/there"}


@pytest.mark.parametrize(
    ("authorizer", "allowed"),
    [
        pytest.param({}, True, id="no authorizer"),
        pytest.param({"iam": {"userArn": "arn"}}, True, id="IAM"),
        pytest.param({"lambda": None}, True, id="no context"),
        pytest.param({"lambda": {}}, True, id="empty context"),
        pytest.param({"lambda": {"tenantId": "tenant-1"}}, True, id="the tenant"),
        pytest.param({"lambda": {"tenantId": "tenant-2"}}, False, id="another tenant"),
    ],
)
def test_route_is_limited_to_the_tenant_of_the_token(authorizer: dict[str, Any], allowed: bool) -> None:
    def route(_request: Request) -> Response:
        return json_response(200, is_tenant_allowed("tenant-1"))

    event = http_event(requestContext={"authorizer": authorizer})

    assert parse_allowed(rest_handler("operation")(route)(event, context())) is allowed
    assert is_tenant_allowed("tenant-1")
    assert is_tenant_allowed("tenant-2")


def parse_allowed(response: Response) -> bool:
    return {"true": True, "false": False}[response["body"]]
