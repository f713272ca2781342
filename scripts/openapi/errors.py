"""The errors of the API: each class of the tree with a sample, and the responses that it gets."""

import json
from collections.abc import Iterator, Sequence

from scheduling.api.callback import error_response
from scheduling.api.problems import callback_status, problem_response, rest_status
from scheduling.domain import errors
from scheduling.domain.errors import SchedulingError

from scripts.openapi.schemas import Schema, Undescribed, array, count, record, ref, text, texts_by_name

_GAP_TEXT = "Cron too frequent (minimum interval is 5 minutes)"
_SCHEDULE_ID = "01a20745-4897-4f81-a91e-a0d09962b8d6"
_SAMPLES: Sequence[SchedulingError] = (
    errors.ValidationFailed.from_field_errors({"endpoint": "endpoint must be a string"}),
    errors.BodyTooLarge(620_000),
    errors.InvalidCursor(),
    errors.RulesViolated.from_field_errors({"cron": _GAP_TEXT, "timezone": "Invalid timezone"}),
    errors.CapabilityDenied("cap:scheduler.manage"),
    errors.InstallNotFound(),
    errors.ScheduleNotFound(),
    errors.NameTaken(),
    errors.QuotaExceeded(50),
    errors.IdempotencyMismatch(),
    errors.InstallConflict("An install never changes its tenant"),
    errors.RemapFailed([(_SCHEDULE_ID, "POST /api/sync")]),
    errors.NotRunnable("The schedule is disabled"),
    errors.BackfillInProgress("A backfill of this schedule is in progress: 40 of 100 have not ended"),
    errors.PreconditionFailed(),
    errors.ResponseTooLarge(
        "The answer is too large; accept gzip, or page through GET /v1/installs/…/schedules"
    ),
    errors.RateLimited(17),
    errors.Unavailable("The table does not respond"),
    errors.UnconfirmedChange(),
    SchedulingError("Internal error"),
)
"""One error of each class, for the examples; the operations in `operations` name their classes."""


def read_error_classes(root: type[SchedulingError] = SchedulingError) -> Iterator[type[SchedulingError]]:
    """Yield the classes of errors for the caller."""
    yield root
    for each in root.__subclasses__():
        yield from read_error_classes(each)


def find_sample(error_class: type[SchedulingError]) -> SchedulingError:
    """Return the sample of the class.

    Raises:
        Undescribed: There is none.
    """
    for sample in _SAMPLES:
        if type(sample) is error_class:
            return sample
    raise Undescribed(f"the error {error_class.__name__} has no sample: add one in scripts/openapi/errors.py")


def summarize(error_class: type[SchedulingError]) -> str:
    """Return what the error means, the first paragraph of its docstring."""
    if error_class is SchedulingError:
        return "Anything else; the body has no internals."
    return " ".join((error_class.__doc__ or "").split("\n\n")[0].split())


def build_error_table() -> list[Schema]:
    """Return every error with its code, its statuses in the resource API and in the callback, and its meaning."""
    return [
        {
            "error": each.__name__,
            "code": each.code,
            "status": rest_status(find_sample(each)),
            "callbackStatus": callback_status(find_sample(each)),
            "meaning": summarize(each),
        }
        for each in read_error_classes()
    ]


def build_error_schemas() -> dict[str, Schema]:
    """Return the schemas of the bodies of failures."""
    field_errors = texts_by_name("Field, and what is wrong with it; present if fields are at fault.")
    error = text("What is wrong. Clients match some of these texts.")
    missing = record(
        "A schedule whose endpoint the new version lacks.",
        {"scheduleId": text("The schedule's id."), "endpoint": text("The endpoint, as `METHOD /path`.")},
    )
    return {
        "ErrorCode": _build_code_schema(),
        "Problem": record(
            "A failure, by RFC 9457.",
            {
                "type": text("Always `about:blank`."),
                "title": text("The status in words."),
                "status": count("The HTTP status.", 400, maximum=599),
                "detail": error,
                "code": ref("ErrorCode"),
            },
            {
                "fieldErrors": field_errors,
                "missing": array(
                    "With `SCHEDULE_REMAP_FAILED`: the schedules that hinder the move.", missing
                ),
            },
        ),
        "CallbackFailure": record(
            "A failure of the runner's callback. `success` is absent from 404 and 500.",
            {"error": error, "code": ref("ErrorCode")},
            {"success": {"const": False, "type": "boolean"}, "fieldErrors": field_errors},
        ),
        "GatewayMessage": record(
            "What API Gateway says if it refuses the request itself, or gets no response from the function.",
            {"message": text("Such as `Unauthorized`, `Forbidden` or `Too Many Requests`.")},
        ),
    }


def _build_code_schema() -> Schema:
    codes = sorted({each.code for each in read_error_classes()})
    lines = [
        f"| `{each['code']}` | {each['status']} | {each['callbackStatus']} | {each['meaning']} |"
        for each in build_error_table()
    ]
    header = "| code | status | status in the callback | meaning |\n|---|---|---|---|"
    table = "\n".join([header, *lines])
    return text(f"What kind of error it is; branch on it, not on the text.\n\n{table}", enum=codes)


def example_name(error_class: type[SchedulingError], *, callback: bool) -> str:
    """Return the name of the example of the class's response."""
    return f"{'Callback' if callback else ''}{error_class.__name__}"


def build_error_examples() -> dict[str, Schema]:
    """Return the bodies of the responses to each class's sample."""
    responses = {
        example_name(each, callback=callback): render(find_sample(each))
        for each in read_error_classes()
        for callback, render in ((False, problem_response), (True, error_response))
    }
    return {name: {"value": json.loads(response["body"])} for name, response in responses.items()}
