"""ScheduleRules with some endpoints, and inputs for them."""

from dataclasses import replace
from typing import cast

import pytest
from scheduling.domain.errors import ValidationFailed
from scheduling.domain.install import Limits
from scheduling.domain.rules import ScheduleFields, ScheduleInput, ScheduleRules

from tests.unit.builders import NOW, definition, endpoint

ENDPOINTS = (
    endpoint("GET", "/both"),
    endpoint("POST", "/both"),
    endpoint("GET", "/get"),
    endpoint("POST", "/post"),
)
RULES = ScheduleRules(ENDPOINTS, Limits(), NOW)
NAME_TAKEN_ERROR = "Schedule name already in use for this extension"
RULES_WITH_TAKEN_NAME = replace(RULES, name_taken=True)
TOO_LONG_NAME = "n" * 129
EVERY_ERROR = {
    "endpoint": "Endpoint not found or not schedulable",
    "cron": "Cron too frequent (minimum interval is 5 minutes)",
    "timezone": "Invalid timezone",
    "name": "Name too long",
    "payload": "Payload must be a JSON object or array",
}
CURRENT_DEFINITION = definition(
    endpoint_path="/post",
    cron="30 4 * * MON",
    timezone="Europe/Berlin",
    enabled=False,
    name="current",
    payload='{"kept":1.0}',
)


def create_input(**fields: object) -> ScheduleInput:
    return ScheduleInput(cast(ScheduleFields, fields))


def valid_input(**fields: object) -> ScheduleInput:
    return create_input(**{"endpoint": "/post", "cron": "0 9 * * *", **fields})


def add_type_errors(errors: dict[str, str], input_: ScheduleInput) -> ScheduleInput:
    """Return the input with errors for fields of wrong types."""
    return replace(input_, errors=errors)


def field_errors(input_: ScheduleInput, rules: ScheduleRules = RULES) -> dict[str, str]:
    """Return the field errors of a create, which must be those of an update with the same fields."""
    with pytest.raises(ValidationFailed) as refused:
        rules.build_definition(input_)
    with pytest.raises(ValidationFailed) as refused_update:
        rules.update_definition(CURRENT_DEFINITION, input_)
    assert refused.value.field_errors == refused_update.value.field_errors
    assert str(refused.value) == next(iter(refused.value.field_errors.values()))
    return refused.value.field_errors


def payload_of_size(size: int, text: str = "x") -> list[object]:
    """Return an array of one string whose compact JSON has `size` bytes."""
    width = len(text.encode())
    count, rest = divmod(size - len('[""]'), width)
    return [text * count + "x" * rest]
