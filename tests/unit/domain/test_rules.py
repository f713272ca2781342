import json
from dataclasses import replace
from typing import cast

import pytest
from scheduling.domain import exact_json
from scheduling.domain.errors import NameTaken, RulesViolated, ValidationFailed
from scheduling.domain.install import Limits
from scheduling.domain.rules import ScheduleFields, ScheduleInput, ScheduleRules, requested_name
from scheduling.domain.schedule import Definition

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


def test_create_has_the_defaults_of_the_contract() -> None:
    assert RULES.build_definition(valid_input()) == Definition(
        endpoint_method="POST",
        endpoint_path="/post",
        cron="0 9 * * *",
        timezone="UTC",
        enabled=True,
        name=None,
        payload=None,
    )


def test_create_accepts_every_field() -> None:
    created = RULES.build_definition(
        create_input(
            endpoint="get //both",
            cron=" 0 9 * * mon ",
            timezone=" Europe/Berlin ",
            enabled=False,
            name=" nightly ",
            payload={"a": [1, "é"]},
        )
    )

    assert created == Definition(
        endpoint_method="GET",
        endpoint_path="/both",
        cron="0 9 * * mon",
        timezone="Europe/Berlin",
        enabled=False,
        name="nightly",
        payload='{"a":[1,"é"]}',
    )


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({}, {"endpoint": "endpoint is required", "cron": "cron is required"}),
        ({"cron": "0 9 * * *"}, {"endpoint": "endpoint is required"}),
        ({"endpoint": "/post"}, {"cron": "cron is required"}),
        ({"endpoint": "/post", "name": TOO_LONG_NAME}, {"cron": "cron is required", "name": "Name too long"}),
    ],
    ids=["both", "endpoint", "cron", "with a broken field"],
)
def test_a_create_needs_endpoint_and_cron(fields: dict[str, object], errors: dict[str, str]) -> None:
    with pytest.raises(ValidationFailed) as refused:
        RULES.build_definition(create_input(**fields))

    assert list(refused.value.field_errors.items()) == list(errors.items())
    assert str(refused.value) == next(iter(errors.values()))
    assert refused.value.code == "VALIDATION_FAILED"


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        pytest.param("endpoint", "", EVERY_ERROR["endpoint"], id="endpoint empty"),
        pytest.param("endpoint", "/other", EVERY_ERROR["endpoint"], id="endpoint unknown"),
        pytest.param("endpoint", "POST /get", EVERY_ERROR["endpoint"], id="endpoint's method"),
        pytest.param("cron", "*/4 9 * * *", EVERY_ERROR["cron"], id="cron under 5 minutes"),
        pytest.param("cron", "0,1 * * * *", EVERY_ERROR["cron"], id="cron in two consecutive minutes"),
        pytest.param("cron", "*/7 * * * *", EVERY_ERROR["cron"], id="cron over the hour"),
        pytest.param("cron", "2,58 9,10 * * *", EVERY_ERROR["cron"], id="cron over two hours"),
        pytest.param(
            "cron", "0 0 30 2 *", "Cron never fires in the next 8 years", id="cron that never fires"
        ),
        pytest.param(
            "cron",
            "",
            "Invalid cron expression (expected 5 fields: m h dom mon dow)",
            id="cron empty",
        ),
        pytest.param("cron", "0 9 * * 1" + ",1" * 60, "Cron expression too long", id="cron of 129"),
        pytest.param("timezone", "Mars/Olympus", "Invalid timezone", id="timezone unknown"),
        pytest.param("timezone", "Z" * 51, "Invalid timezone", id="timezone of 51"),
        pytest.param("name", "n" * 129, "Name too long", id="name of 129"),
        pytest.param("name", "\U0001f600" * 129, "Name too long", id="name of 129 unicode characters"),
        pytest.param("payload", "text", EVERY_ERROR["payload"], id="payload a text"),
        pytest.param("payload", "", EVERY_ERROR["payload"], id="payload an empty text"),
        pytest.param("payload", True, EVERY_ERROR["payload"], id="payload true"),
        pytest.param("payload", False, EVERY_ERROR["payload"], id="payload false"),
        pytest.param("payload", exact_json.Number("0"), EVERY_ERROR["payload"], id="payload a number"),
    ],
)
def test_broken_rule_is_reported_for_its_field_alone(field: str, value: object, text: str) -> None:
    assert field_errors(valid_input(**{field: value})) == {field: text}


@pytest.mark.parametrize(
    ("input_", "malformed"),
    [
        pytest.param(valid_input(cron="* * * * *", name=TOO_LONG_NAME), False, id="rules"),
        pytest.param(valid_input(payload="text"), False, id="payload that is no object or array"),
        pytest.param(create_input(endpoint="/post"), True, id="missing field"),
        pytest.param(create_input(endpoint="/post", name=TOO_LONG_NAME), True, id="missing field and rule"),
        pytest.param(
            add_type_errors({"enabled": "enabled must be true or false"}, valid_input(cron="* * * * *")),
            True,
            id="wrong type and rule",
        ),
        pytest.param(
            add_type_errors({"x": "x is not a known field"}, valid_input()), True, id="unknown field"
        ),
    ],
)
def test_broken_rules_are_distinguished_from_malformed_fields(input_: ScheduleInput, malformed: bool) -> None:
    with pytest.raises(ValidationFailed) as refused:
        RULES.build_definition(input_)

    assert (type(refused.value) is ValidationFailed) is malformed
    assert isinstance(refused.value, RulesViolated) is not malformed


@pytest.mark.parametrize("zone", [None, "", "uTC"], ids=["null", "empty", "another case"])
def test_zone_can_be_reset_to_utc(zone: str | None) -> None:
    assert RULES.build_definition(valid_input(timezone=zone)).timezone == "UTC"
    assert RULES.update_definition(CURRENT_DEFINITION, create_input(timezone=zone)).timezone == "UTC"


@pytest.mark.parametrize(
    ("sent", "trimmed"),
    [
        pytest.param(None, None, id="null"),
        pytest.param("", None, id="empty"),
        pytest.param(" \t\n\u3000", None, id="blank"),
        pytest.param(" a b ", "a b", id="trimmed outside, not inside"),
        pytest.param("n" * 128, "n" * 128, id="128"),
        pytest.param(f"  {'n' * 128}\n", "n" * 128, id="128 when trimmed"),
        pytest.param("\U0001f600" * 128, "\U0001f600" * 128, id="128 characters in 512 bytes"),
        pytest.param("Ünïcödé", "Ünïcödé", id="unicode"),
        pytest.param("e\u0301", "e\u0301", id="exactly as written, not normalized"),
        pytest.param("CASE", "CASE", id="case kept"),
    ],
)
def test_name_is_trimmed(sent: str | None, trimmed: str | None) -> None:
    assert RULES.build_definition(valid_input(name=sent)).name == trimmed
    assert RULES.update_definition(CURRENT_DEFINITION, create_input(name=sent)).name == trimmed
    assert requested_name(create_input(name=sent)) == trimmed


def test_taken_name_alone_has_its_own_error() -> None:
    with pytest.raises(NameTaken) as refused:
        RULES_WITH_TAKEN_NAME.build_definition(valid_input(name=" taken "))
    with pytest.raises(NameTaken):
        RULES_WITH_TAKEN_NAME.update_definition(CURRENT_DEFINITION, create_input(name=" taken "))

    assert refused.value.field_errors == {"name": NAME_TAKEN_ERROR}


def test_taken_name_is_reported_with_the_other_broken_fields_in_order() -> None:
    errors = field_errors(valid_input(name="taken", timezone="x", payload="x"), RULES_WITH_TAKEN_NAME)

    assert list(errors.items()) == [
        ("timezone", "Invalid timezone"),
        ("name", NAME_TAKEN_ERROR),
        ("payload", EVERY_ERROR["payload"]),
    ]


def test_a_taken_name_is_reported_with_missing_fields_and_wrong_types() -> None:
    with pytest.raises(ValidationFailed) as refused:
        RULES_WITH_TAKEN_NAME.build_definition(
            add_type_errors({"x": "x is not a known field"}, create_input(name="taken", endpoint="/post"))
        )

    assert list(refused.value.field_errors.items()) == [
        ("cron", "cron is required"),
        ("name", NAME_TAKEN_ERROR),
        ("x", "x is not a known field"),
    ]


@pytest.mark.parametrize("name", [None, "", "  "])
def test_null_name_is_never_taken(name: str | None) -> None:
    assert RULES_WITH_TAKEN_NAME.build_definition(valid_input(name=name)).name is None
    assert RULES_WITH_TAKEN_NAME.build_definition(valid_input()).name is None


def test_too_long_name_is_not_reported_as_taken() -> None:
    assert field_errors(valid_input(name=TOO_LONG_NAME), RULES_WITH_TAKEN_NAME) == {"name": "Name too long"}


def test_valid_fields_are_returned_beside_broken_ones() -> None:
    result = RULES.check_input(valid_input(timezone="x", name=" nightly ", payload=1))

    assert list(result.errors) == ["timezone", "payload"]
    assert result.definition == definition(endpoint_path="/post", name="nightly")


def test_broken_payload_still_implies_post() -> None:
    assert RULES.check_input(valid_input(endpoint="/both", payload="x")).definition.endpoint == "POST /both"


def test_no_name_is_looked_up_if_absent_or_broken() -> None:
    assert requested_name(create_input()) is None
    assert requested_name(create_input(name=TOO_LONG_NAME)) is None


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        pytest.param("null", None, id="null"),
        pytest.param("{}", "{}", id="empty object"),
        pytest.param("[]", "[]", id="empty array"),
        pytest.param(' { "b" : 1 , "a" : [ true ] } ', '{"b":1,"a":[true]}', id="order kept, spaces not"),
        pytest.param(
            "[1e400, 1.0, 12345678901234567890123, -0]",
            "[1e400,1.0,12345678901234567890123,-0]",
            id="numbers kept exactly",
        ),
        pytest.param('["\\u00e9\\ud83d\\ude00"]', '["é\U0001f600"]', id="escapes become UTF-8"),
        pytest.param("[" * 256 + "1" + "]" * 256, "[" * 256 + "1" + "]" * 256, id="256 levels"),
    ],
)
def test_payload_is_stored_as_compact_json(sent: str, stored: str | None) -> None:
    value = exact_json.loads(sent)

    assert RULES.build_definition(valid_input(payload=value)).payload == stored
    assert RULES.update_definition(CURRENT_DEFINITION, create_input(payload=value)).payload == stored


@pytest.mark.parametrize(
    "text", ["x", "é", "€", "\U0001f600"], ids=["1 byte", "2 bytes", "3 bytes", "4 bytes"]
)
def test_a_payload_may_have_100000_bytes_and_no_more(text: str) -> None:
    stored = RULES.build_definition(valid_input(payload=payload_of_size(100_000, text))).payload

    assert stored is not None
    assert len(stored.encode()) == 100_000
    assert field_errors(valid_input(payload=payload_of_size(100_001, text))) == {
        "payload": "Payload too large"
    }


def test_payload_size_is_measured_as_stored() -> None:
    escaped = json.dumps(payload_of_size(100_000, "é"), indent=4, ensure_ascii=True)
    assert len(escaped) > 250_000

    stored = RULES.build_definition(valid_input(payload=exact_json.loads(escaped))).payload

    assert stored is not None
    assert len(stored.encode()) == 100_000


def test_payload_size_includes_escapes() -> None:
    fits = ["\x01" * 16_666]  # of six bytes each, and four around them

    assert RULES.build_definition(valid_input(payload=fits)).payload is not None
    assert field_errors(valid_input(payload=["\x01" * 16_667])) == {"payload": "Payload too large"}


def test_limits_are_configurable() -> None:
    rules = ScheduleRules(ENDPOINTS, Limits(min_interval_minutes=60, max_payload_bytes=10), NOW)

    assert rules.build_definition(valid_input(cron="0 * * * *", payload=["123456"])).payload == '["123456"]'
    assert field_errors(valid_input(cron="0,30 * * * *", payload=["1234567"]), rules) == {
        "cron": "Cron too frequent (minimum interval is 60 minutes)",
        "payload": "Payload too large",
    }


def test_an_interval_of_one_minute_can_be_allowed() -> None:
    rules = ScheduleRules(ENDPOINTS, Limits(min_interval_minutes=1), NOW)

    assert rules.build_definition(valid_input(cron="* * * * *")).cron == "* * * * *"


def test_every_broken_field_is_reported_in_order() -> None:
    errors = field_errors(
        create_input(
            payload="x", name=TOO_LONG_NAME, timezone="x", cron="*/4 9 * * *", endpoint="/x", enabled=True
        )
    )

    assert list(errors.items()) == list(EVERY_ERROR.items())


def test_wrong_types_are_reported_with_the_broken_rules_and_unknown_fields_last() -> None:
    types = {
        "x": "x is not a known field",
        "name": "name must be a string",
        "enabled": "enabled must be true or false",
        "cron": "cron must be a string",
    }

    errors = field_errors(add_type_errors(types, create_input(endpoint="/x", timezone="x", payload="x")))

    assert list(errors.items()) == [
        ("endpoint", "Endpoint not found or not schedulable"),
        ("cron", "cron must be a string"),
        ("timezone", "Invalid timezone"),
        ("enabled", "enabled must be true or false"),
        ("name", "name must be a string"),
        ("payload", "Payload must be a JSON object or array"),
        ("x", "x is not a known field"),
    ]


def test_a_field_of_the_wrong_type_is_not_called_missing() -> None:
    assert field_errors(
        add_type_errors({"endpoint": "endpoint must be a string"}, create_input(cron="0 9 * * *"))
    ) == {"endpoint": "endpoint must be a string"}


def test_one_wrong_type_refuses_an_otherwise_valid_input() -> None:
    assert field_errors(add_type_errors({"x": "x is not a known field"}, valid_input())) == {
        "x": "x is not a known field"
    }


def test_a_broken_timezone_does_not_hide_or_blame_the_cron() -> None:
    assert field_errors(valid_input(timezone="x")) == {"timezone": "Invalid timezone"}
    assert field_errors(valid_input(timezone="x", cron="* * * * *")) == {
        "cron": EVERY_ERROR["cron"],
        "timezone": "Invalid timezone",
    }


@pytest.mark.parametrize(
    ("selector", "payload", "method"),
    [
        ("/both", {}, "POST"),
        ("/both", [], "POST"),
        ("/both", None, "GET"),
        ("GET /both", {"a": 1}, "GET"),
        ("POST /both", None, "POST"),
        ("/get", {"a": 1}, "GET"),
        ("/post", None, "POST"),
    ],
    ids=[
        "empty object",
        "empty array",
        "null",
        "GET with payload",
        "POST without",
        "GET only",
        "POST only",
    ],
)
def test_bare_path_means_post_with_a_payload(selector: str, payload: object, method: str) -> None:
    assert RULES.build_definition(valid_input(endpoint=selector, payload=payload)).endpoint_method == method


def test_bare_path_means_get_without_a_payload() -> None:
    assert RULES.build_definition(valid_input(endpoint="/both")).endpoint_method == "GET"


@pytest.mark.parametrize(
    ("current", "fields", "endpoint_"),
    [
        pytest.param('{"a":1}', {"endpoint": "/both"}, "POST /both", id="payload from before"),
        pytest.param(None, {"endpoint": "/both"}, "GET /both", id="no payload from before"),
        pytest.param('{"a":1}', {"endpoint": "/both", "payload": None}, "GET /both", id="payload cleared"),
        pytest.param(None, {"endpoint": "/both", "payload": []}, "POST /both", id="with payload"),
        pytest.param(None, {"payload": {"a": 1}}, "GET /get", id="a payload alone moves nothing"),
        pytest.param('{"a":1}', {"payload": None}, "GET /get", id="clearing alone moves nothing"),
    ],
)
def test_update_resolves_a_bare_path_by_the_resulting_payload(
    current: str | None, fields: dict[str, object], endpoint_: str
) -> None:
    before = definition(endpoint_method="GET", endpoint_path="/get", payload=current)

    assert RULES.update_definition(before, create_input(**fields)).endpoint == endpoint_


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param(
            {"endpoint": "/get"}, {"endpoint_method": "GET", "endpoint_path": "/get"}, id="endpoint"
        ),
        pytest.param({"cron": "0 5 * * *"}, {"cron": "0 5 * * *"}, id="cron"),
        pytest.param({"timezone": "Asia/Tokyo"}, {"timezone": "Asia/Tokyo"}, id="timezone"),
        pytest.param({"enabled": True}, {"enabled": True}, id="enabled"),
        pytest.param({"name": "other"}, {"name": "other"}, id="name"),
        pytest.param({"name": None}, {"name": None}, id="name cleared by null"),
        pytest.param({"name": " "}, {"name": None}, id="name cleared by blank"),
        pytest.param({"payload": [1]}, {"payload": "[1]"}, id="payload"),
        pytest.param({"payload": None}, {"payload": None}, id="payload cleared by null"),
    ],
)
def test_update_keeps_the_other_fields(fields: dict[str, object], changed: dict[str, object]) -> None:
    after = RULES.update_definition(CURRENT_DEFINITION, create_input(**fields))

    before = {name: getattr(CURRENT_DEFINITION, name) for name in Definition.__slots__}
    assert {name: getattr(after, name) for name in Definition.__slots__} == {**before, **changed}


def test_update_keeps_values_that_are_invalid_today() -> None:
    rules = ScheduleRules((), Limits(min_interval_minutes=60, max_payload_bytes=2), NOW)
    before = definition(cron="*/5 * * * *", payload='{"kept":1.0}')

    assert rules.update_definition(before, create_input(name="new")) == definition(
        cron="*/5 * * * *", payload='{"kept":1.0}', name="new"
    )
