"""The rules of a name, a payload, and a path without a method."""

import json

import pytest
from scheduling.domain import exact_json
from scheduling.domain.errors import NameTaken, ValidationFailed
from scheduling.domain.rules import requested_name

from tests.unit.builders import definition
from tests.unit.domain.rules.inputs import (
    CURRENT_DEFINITION,
    EVERY_ERROR,
    NAME_TAKEN_ERROR,
    RULES,
    RULES_WITH_TAKEN_NAME,
    TOO_LONG_NAME,
    add_type_errors,
    create_input,
    field_errors,
    payload_of_size,
    valid_input,
)


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
