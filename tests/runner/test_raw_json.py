"""JSON that stays as it was written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.raw_json import RawJson, dump_object, parse_elements, parse_members, parse_raw_value

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), VALUES), st.sampled_from([None, 1, "\t"]))
def test_object_is_split_into_members(value: dict[str, object], indent: int | str | None) -> None:
    parts = parse_members(json.dumps(value, indent=indent))
    assert {name: json.loads(text) for name, text in parts.items()} == value


@given(st.lists(VALUES), st.sampled_from([None, 1, "\t"]))
def test_array_is_split_into_elements(value: list[object], indent: int | str | None) -> None:
    assert [json.loads(text) for text in parse_elements(json.dumps(value, indent=indent))] == value


@given(st.dictionaries(st.text(), VALUES))
def test_object_is_joined(value: dict[str, object]) -> None:
    raw = {name: RawJson(json.dumps(inner)) for name, inner in value.items()}
    assert json.loads(dump_object(raw)) == json.loads(dump_object(value)) == value


@pytest.mark.parametrize("text", ["1e400", "1.0", "-0.0", "12345678901234567890123", "9" * 5000, '"\\u00fc"'])
def test_value_keeps_its_text(text: str) -> None:
    assert parse_raw_value(f" {text}\n") == RawJson(text)
    assert parse_members(f'{{ "a" : {text} ,"b":[{text}]}}') == {"a": text, "b": f"[{text}]"}
    assert parse_elements(f"[{text} , {text}]") == [text, text]


@pytest.mark.parametrize("text", ["", " ", "nul", "{", '{"a"}', "1 2", "NaN", "-Infinity", "[" * 100_000])
def test_invalid_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_raw_value(text)


@pytest.mark.parametrize("text", ["", "[]", "3", "{", '{"a"', '{"a":1', '{"a":1 "b":2}', "{} x", "null"])
def test_non_object_has_no_members(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_members(text)
