import pytest
from scheduling.domain import exact_json
from scheduling.domain.errors import RulesViolated, ValidationFailed
from scheduling.domain.install import Limits
from scheduling.domain.rules import ScheduleInput, ScheduleRules
from scheduling.domain.schedule import Definition

from tests.unit.builders import NOW, definition
from tests.unit.domain.rules.inputs import (
    CURRENT_DEFINITION,
    ENDPOINTS,
    EVERY_ERROR,
    RULES,
    TOO_LONG_NAME,
    add_type_errors,
    create_input,
    field_errors,
    valid_input,
)


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


def test_valid_fields_are_returned_beside_broken_ones() -> None:
    result = RULES.check_input(valid_input(timezone="x", name=" nightly ", payload=1))

    assert list(result.errors) == ["timezone", "payload"]
    assert result.definition == definition(endpoint_path="/post", name="nightly")


def test_broken_payload_still_implies_post() -> None:
    assert RULES.check_input(valid_input(endpoint="/both", payload="x")).definition.endpoint == "POST /both"


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
