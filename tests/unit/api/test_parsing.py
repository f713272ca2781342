import tracemalloc

import pytest
from scheduling.api.http import Request
from scheduling.api.parsing import (
    MAX_OTHER_FIELDS_BYTES,
    max_schedule_body_bytes,
    parse_idempotency_key,
    parse_if_match,
    parse_schedule_body,
    parse_schedule_input,
    schedule_id_from_body,
    schedule_id_from_path,
)
from scheduling.domain import exact_json
from scheduling.domain.errors import RulesViolated, ScheduleNotFound, ValidationFailed
from scheduling.domain.install import Limits
from scheduling.domain.rules import ScheduleRules

from tests.unit.builders import NOW, SCHEDULE_ID, endpoint, http_event


def parse_body(text: str) -> dict[str, object]:
    value = exact_json.loads(text)
    assert isinstance(value, dict)
    return value


def refusal_errors(refused: pytest.ExceptionInfo[ValidationFailed]) -> dict[str, str]:
    assert refused.value.code == "VALIDATION_FAILED"
    return refused.value.field_errors


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        pytest.param("{}", {}, id="none"),
        pytest.param(
            '{"endpoint":"/a","cron":"c","timezone":"t","enabled":false,"name":"n","payload":[]}',
            {
                "endpoint": "/a",
                "cron": "c",
                "timezone": "t",
                "enabled": False,
                "name": "n",
                "payload": [],
            },
            id="all",
        ),
        pytest.param('{"name":null,"payload":null}', {"name": None, "payload": None}, id="null clears"),
        pytest.param('{"timezone":null}', {"timezone": None}, id="null zone"),
        pytest.param(
            '{"payload":{"a":1.0}}', {"payload": {"a": exact_json.Number("1.0")}}, id="numbers kept"
        ),
        pytest.param('{"payload":"text"}', {"payload": "text"}, id="a payload of any type, for its rule"),
    ],
)
def test_valid_fields_are_parsed(text: str, fields: dict[str, object]) -> None:
    parsed = parse_schedule_input(parse_body(text))

    assert parsed.fields == fields
    assert parsed.errors == {}


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("endpoint", "null", "endpoint must be a string"),
        ("endpoint", "1", "endpoint must be a string"),
        ("endpoint", '["/a"]', "endpoint must be a string"),
        ("cron", "null", "cron must be a string"),
        ("cron", "{}", "cron must be a string"),
        ("timezone", "true", "timezone must be a string"),
        ("enabled", "null", "enabled must be true or false"),
        ("enabled", '"true"', "enabled must be true or false"),
        ("enabled", "1", "enabled must be true or false"),
        ("name", "1", "name must be a string"),
        ("name", "false", "name must be a string"),
        ("scheduleId", '"x"', "scheduleId is not a known field"),
        ("Cron", '"0 9 * * *"', "Cron is not a known field"),
        ("", "1", " is not a known field"),
    ],
)
def test_field_of_the_wrong_type_is_reported_and_omitted(field: str, value: str, text: str) -> None:
    parsed = parse_schedule_input(parse_body(f'{{"{field}":{value},"payload":[]}}'))

    assert parsed.errors == {field: text}
    assert parsed.fields == {"payload": []}


def test_all_wrong_types_are_reported_together() -> None:
    parsed = parse_schedule_input(parse_body('{"endpoint":1,"cron":2,"enabled":3,"other":4,"name":"kept"}'))

    assert set(parsed.errors) == {"endpoint", "cron", "enabled", "other"}
    assert parsed.fields == {"name": "kept"}


def test_many_unknown_fields_do_not_hide_a_wrong_type() -> None:
    unknown = ",".join(f'"x{number}":1' for number in range(30))

    parsed = parse_schedule_input(parse_body(f'{{{unknown},"cron":1,"name":"kept"}}'))

    assert len(parsed.errors) == 20
    assert parsed.errors["cron"] == "cron must be a string"
    assert parsed.fields == {"name": "kept"}


@pytest.mark.parametrize("body_bytes", [100, 7_000])
def test_body_larger_than_any_valid_one_is_a_payload_too_large(body_bytes: int) -> None:
    limits = Limits(max_payload_bytes=(body_bytes - 40) // 6)
    body = f'{{"payload":[{" " * (max_schedule_body_bytes(limits) - 14)}]}}'
    assert parse_schedule_body(Request(http_event(body)), limits) == {"payload": []}

    with pytest.raises(RulesViolated) as refused:
        parse_schedule_body(Request(http_event(f"{body} ")), limits)

    assert refusal_errors(refused) == {"payload": "Payload too large"}
    assert str(refused.value) == "Payload too large"


def test_largest_valid_schedule_fits_though_all_of_it_is_escaped() -> None:
    def escape(text: str) -> str:
        return "".join(f"\\u{unit:04x}" for unit in memoryview(text.encode("utf-16-le")).cast("H"))

    fields = {
        "operation": "update",
        "scheduleId": SCHEDULE_ID,
        "endpoint": "POST /" + "\U0001f600" * 255,
        "cron": "0" * 128,
        "timezone": "U" * 50,
        "name": "\U0001f600" * 128,
    }
    members = ",".join(f'"{escape(name)}":"{escape(text)}"' for name, text in fields.items())
    payload = escape("x" * (Limits().max_payload_bytes - 4))
    body = f'{{{members},"{escape("enabled")}":false,"{escape("payload")}":["{payload}"]}}'

    parsed = parse_schedule_body(Request(http_event(body)), Limits())

    assert parsed == {**fields, "enabled": False, "payload": ["x" * (Limits().max_payload_bytes - 4)]}
    assert len(body) - 6 * Limits().max_payload_bytes < MAX_OTHER_FIELDS_BYTES / 2


def test_payload_within_its_limit_may_have_any_number_of_names() -> None:
    payload = {f"{number:x}": exact_json.Number("1") for number in range(11_000)}
    body = exact_json.dumps({"payload": payload})
    assert len(body) <= Limits().max_payload_bytes

    parsed = parse_schedule_input(parse_schedule_body(Request(http_event(body)), Limits()))

    assert (parsed.fields, parsed.errors) == ({"payload": payload}, {})


def test_unknown_fields_are_not_made_errors_beyond_those_named() -> None:
    body = {f"x{number}": None for number in range(50_000)}
    tracemalloc.start()
    try:
        errors = parse_schedule_input(body).errors
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert errors == {f"x{number}": f"x{number} is not a known field" for number in range(20)}
    assert peak_bytes < 1_000_000


@pytest.mark.parametrize(
    ("name", "reported_name"),
    [("x" * 64, "x" * 64), ("x" * 65, "x" * 64 + "…"), ("x" * 100_000, "x" * 64 + "…")],
    ids=["64", "65", "100000"],
)
def test_long_field_name_is_cut(name: str, reported_name: str) -> None:
    assert parse_schedule_input({name: 1}).errors == {reported_name: f"{reported_name} is not a known field"}


@pytest.mark.parametrize(
    "text", [SCHEDULE_ID, SCHEDULE_ID.upper(), f" {SCHEDULE_ID}\n"], ids=["lower", "upper", "spaces"]
)
def test_schedule_id_in_a_body_is_lowercased(text: str) -> None:
    assert schedule_id_from_body({"scheduleId": text}) == SCHEDULE_ID


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param({}, "scheduleId is required", id="missing"),
        pytest.param({"scheduleId": None}, "scheduleId is required", id="null"),
        pytest.param({"scheduleId": ""}, "Invalid scheduleId", id="empty"),
        pytest.param({"scheduleId": "x"}, "Invalid scheduleId", id="no UUID"),
        pytest.param({"scheduleId": exact_json.Number("1")}, "Invalid scheduleId", id="number"),
        pytest.param({"scheduleId": [SCHEDULE_ID]}, "Invalid scheduleId", id="array"),
        pytest.param({"scheduleId": False}, "Invalid scheduleId", id="false"),
        pytest.param(
            {"scheduleId": "0f4a0000-0000-7000-8000-000000000001"}, "Invalid scheduleId", id="version 7"
        ),
    ],
)
def test_invalid_schedule_id_in_a_body_is_refused(fields: dict[str, object], text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        schedule_id_from_body(fields)

    assert refusal_errors(refused) == {"scheduleId": text}
    assert str(refused.value) == text


def test_schedule_id_in_a_path_is_parsed_or_not_found() -> None:
    assert schedule_id_from_path(SCHEDULE_ID.upper()) == SCHEDULE_ID
    with pytest.raises(ScheduleNotFound):
        schedule_id_from_path("preview")


def test_missing_header_means_no_idempotency_key() -> None:
    assert parse_idempotency_key(None, {}) is None


@pytest.mark.parametrize("header", ["k", "k" * 64, " "], ids=["1", "64", "space"])
def test_idempotency_key_of_1_to_64_characters_is_accepted(header: str) -> None:
    key = parse_idempotency_key(header, {})

    assert key is not None
    assert key.value == header


@pytest.mark.parametrize("header", ["", "k" * 65], ids=["empty", "65"])
def test_idempotency_key_of_another_length_is_refused(header: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_idempotency_key(header, {})

    assert refusal_errors(refused) == {"Idempotency-Key": "Idempotency-Key must be 1 to 64 characters"}


SAME = '{"cron":"0 9 * * *","payload":{"b":[1.0,"é"],"a":null}}'


@pytest.mark.parametrize(
    ("text", "same"),
    [
        pytest.param(SAME, True, id="the same text"),
        pytest.param(
            '{ "payload" : { "a" : null, "b" : [ 1.0 , "\\u00e9" ] }, "cron":"0 9 * * *" }',
            True,
            id="other spacing, order and escapes",
        ),
        pytest.param(SAME.replace("1.0", "1"), False, id="a number written otherwise"),
        pytest.param(SAME.replace("null", '"null"'), False, id="another value"),
        pytest.param(SAME.replace('"a":null', '"c":null'), False, id="another name"),
        pytest.param(SAME.replace('[1.0,"é"]', '["é",1.0]'), False, id="another order in an array"),
        pytest.param("{}", False, id="nothing"),
    ],
)
def test_key_hash_identifies_the_body(text: str, same: bool) -> None:
    first, second = parse_idempotency_key("k", parse_body(SAME)), parse_idempotency_key("k", parse_body(text))

    assert (first == second) is same


def create_key(levels: int) -> str | None:
    """Return the stored payload of a create with an Idempotency-Key and a payload of that many levels."""
    payload = "[" * levels + "1" + "]" * levels
    sent = http_event(f'{{"endpoint":"/a","cron":"0 9 * * *","payload":{payload}}}')
    input_ = parse_schedule_body(Request(sent), Limits())
    assert parse_idempotency_key("k", input_) is not None
    return (
        ScheduleRules([endpoint("POST", "/a")], Limits(), NOW)
        .build_definition(parse_schedule_input(input_))
        .payload
    )


@pytest.mark.parametrize("levels", [1, 200, 255])
def test_key_works_with_any_storable_payload(levels: int) -> None:
    assert create_key(levels) == "[" * levels + "1" + "]" * levels


@pytest.mark.parametrize("levels", [256, 257, 500, 100_000])
def test_key_with_a_body_of_more_than_256_levels_fails_validation(levels: int) -> None:
    with pytest.raises(ValidationFailed) as refused:
        create_key(levels)

    assert str(refused.value) == "The body is not valid: Nested deeper than 256 levels"


@pytest.mark.parametrize(
    ("header", "revisions"),
    [
        pytest.param(None, None, id="no header"),
        pytest.param("*", None, id="any"),
        pytest.param(" * ", None, id="any, with spaces"),
        pytest.param('"3"', {3}, id="one"),
        pytest.param('"3", "4","5"', {3, 4, 5}, id="several"),
        pytest.param('W/"3"', set(), id="weak"),
        pytest.param('W/"3", "4"', {4}, id="weak and strong"),
        pytest.param("3", set(), id="not quoted"),
        pytest.param('"x"', set(), id="not a revision"),
        pytest.param('""', set(), id="empty tag"),
        pytest.param("", set(), id="empty header"),
        pytest.param('"9999999999999999"', set(), id="16 digits"),
    ],
)
def test_if_match_admits_the_listed_revisions(header: str | None, revisions: set[int] | None) -> None:
    assert parse_if_match(header) == revisions
