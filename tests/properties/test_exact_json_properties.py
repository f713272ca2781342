import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduling.domain.errors import InvalidJson
from scheduling.domain.exact_json import dumps, loads, min_compact_size

SPACES = st.text(" \t\r\n", max_size=2)
TEXTS = st.text(max_size=12)


class JsonText(NamedTuple):
    """A value as a client may write it, as it is stored, and as it is stored with sorted names."""

    as_written: str
    compact_text: str
    canonical_text: str


def number(text: str) -> JsonText:
    return JsonText(text, text, text)


def string(text: str, escaped: bool) -> JsonText:
    compact_text = json.dumps(text, ensure_ascii=False)
    return JsonText(json.dumps(text) if escaped else compact_text, compact_text, compact_text)


def array(members: list[JsonText], space: str) -> JsonText:
    return JsonText(
        f"[{space}{f'{space},{space}'.join(member.as_written for member in members)}{space}]",
        f"[{','.join(member.compact_text for member in members)}]",
        f"[{','.join(member.canonical_text for member in members)}]",
    )


def object_(members: dict[str, tuple[JsonText, bool]], space: str) -> JsonText:
    named = [(name, string(name, escaped), value) for name, (value, escaped) in members.items()]
    written = [f"{name.as_written}{space}:{space}{value.as_written}" for _, name, value in named]
    compact_members = [f"{name.compact_text}:{value.compact_text}" for _, name, value in named]
    in_order = sorted(named, key=lambda member: member[0])
    canonical = [f"{name.canonical_text}:{value.canonical_text}" for _, name, value in in_order]
    return JsonText(
        f"{{{space}{f'{space},{space}'.join(written)}{space}}}",
        f"{{{','.join(compact_members)}}}",
        f"{{{','.join(canonical)}}}",
    )


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
SCALARS = st.one_of(
    NUMBERS.map(number),
    st.builds(string, TEXTS, st.booleans()),
    st.sampled_from(["true", "false", "null"]).map(number),
)


def containers(members: st.SearchStrategy[JsonText]) -> st.SearchStrategy[JsonText]:
    return st.one_of(
        st.builds(array, st.lists(members, max_size=4), SPACES),
        st.builds(object_, st.dictionaries(TEXTS, st.tuples(members, st.booleans()), max_size=4), SPACES),
    )


VALUES = st.recursive(SCALARS, containers, max_leaves=20)


def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(members)) < len(members):
        raise ValueError("duplicate name")
    return dict(members)


def reject_constant(name: str) -> None:
    raise ValueError(name)


@given(VALUES, SPACES)
def test_numbers_keep_their_text(value: JsonText, space: str) -> None:
    assert dumps(loads(f"{space}{value.as_written}{space}")) == value.compact_text


@given(VALUES)
def test_value_is_preserved(value: JsonText) -> None:
    stored = dumps(loads(value.as_written))

    assert json.loads(stored, parse_int=str, parse_float=str) == json.loads(
        value.as_written, parse_int=str, parse_float=str
    )


@given(VALUES)
def test_dump_is_idempotent(value: JsonText) -> None:
    stored = dumps(loads(value.as_written))

    assert dumps(loads(stored)) == stored
    assert loads(stored) == loads(value.as_written)


@given(VALUES)
def test_text_with_sorted_names_is_independent_of_their_order(value: JsonText) -> None:
    canonical = dumps(loads(value.as_written), sort_keys=True)

    assert canonical == value.canonical_text
    assert dumps(loads(dumps(loads(canonical))), sort_keys=True) == canonical


@given(VALUES, TEXTS)
def test_duplicate_name_is_refused_at_any_depth(value: JsonText, name: str) -> None:
    quoted = json.dumps(name)

    with pytest.raises(InvalidJson):
        loads(f"[{value.as_written},{{{quoted}:{value.as_written},{quoted}:0}}]")


@given(st.one_of(st.text(max_size=30), st.text('0123456789.-+eE[]{}",:\\untrfalsNI ', max_size=12)))
def test_any_text_is_refused_or_parsed_like_json(text: str) -> None:
    try:
        expected = json.loads(
            text, parse_int=str, parse_float=str, parse_constant=reject_constant, object_pairs_hook=pairs
        )
        json.dumps(expected, ensure_ascii=False).encode()
    except ValueError:
        with pytest.raises(InvalidJson):
            loads(text)
    else:
        assert json.loads(dumps(loads(text)), parse_int=str, parse_float=str) == expected


@given(VALUES)
def test_size_known_before_parsing_is_never_too_large(value: JsonText) -> None:
    for text in (value.as_written, value.as_written.replace("/", r"\/"), value.compact_text):
        assert min_compact_size(text.encode()) <= len(dumps(loads(text)).encode())
