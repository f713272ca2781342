import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduling.domain.errors import InvalidJson
from scheduling.domain.exact_json import dumps, loads

SPACES = st.text(" \t\r\n", max_size=2)
TEXTS = st.text(max_size=12)


class Json(NamedTuple):
    """One value: as a client may write it, as it is kept, and as it is kept with its names sorted."""

    written: str
    compact: str
    canonical: str


def number(text: str) -> Json:
    return Json(text, text, text)


def string(text: str, escaped: bool) -> Json:
    compact = json.dumps(text, ensure_ascii=False)
    return Json(json.dumps(text) if escaped else compact, compact, compact)


def array(members: list[Json], space: str) -> Json:
    return Json(
        f"[{space}{f'{space},{space}'.join(member.written for member in members)}{space}]",
        f"[{','.join(member.compact for member in members)}]",
        f"[{','.join(member.canonical for member in members)}]",
    )


def object_(members: dict[str, tuple[Json, bool]], space: str) -> Json:
    named = [(name, string(name, escaped), value) for name, (value, escaped) in members.items()]
    written = [f"{name.written}{space}:{space}{value.written}" for _, name, value in named]
    compact = [f"{name.compact}:{value.compact}" for _, name, value in named]
    in_order = sorted(named, key=lambda member: member[0])
    canonical = [f"{name.canonical}:{value.canonical}" for _, name, value in in_order]
    return Json(
        f"{{{space}{f'{space},{space}'.join(written)}{space}}}",
        f"{{{','.join(compact)}}}",
        f"{{{','.join(canonical)}}}",
    )


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
SCALARS = st.one_of(
    NUMBERS.map(number),
    st.builds(string, TEXTS, st.booleans()),
    st.sampled_from(["true", "false", "null"]).map(number),
)


def containers(members: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(
        st.builds(array, st.lists(members, max_size=4), SPACES),
        st.builds(object_, st.dictionaries(TEXTS, st.tuples(members, st.booleans()), max_size=4), SPACES),
    )


VALUES = st.recursive(SCALARS, containers, max_leaves=20)


def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(members)) < len(members):
        raise ValueError("a name twice")
    return dict(members)


def no_constant(name: str) -> None:
    raise ValueError(name)


@given(VALUES, SPACES)
def test_a_text_is_kept_number_for_number(value: Json, space: str) -> None:
    assert dumps(loads(f"{space}{value.written}{space}")) == value.compact


@given(VALUES)
def test_a_text_means_what_it_meant(value: Json) -> None:
    kept = dumps(loads(value.written))

    assert json.loads(kept, parse_int=str, parse_float=str) == json.loads(
        value.written, parse_int=str, parse_float=str
    )


@given(VALUES)
def test_what_is_kept_is_kept_again(value: Json) -> None:
    kept = dumps(loads(value.written))

    assert dumps(loads(kept)) == kept
    assert loads(kept) == loads(value.written)


@given(VALUES)
def test_sorted_names_make_one_text_of_every_order(value: Json) -> None:
    canonical = dumps(loads(value.written), sort_keys=True)

    assert canonical == value.canonical
    assert dumps(loads(dumps(loads(canonical))), sort_keys=True) == canonical


@given(VALUES, TEXTS)
def test_a_name_twice_is_refused_at_any_depth(value: Json, name: str) -> None:
    quoted = json.dumps(name)

    with pytest.raises(InvalidJson):
        loads(f"[{value.written},{{{quoted}:{value.written},{quoted}:0}}]")


@given(st.one_of(st.text(max_size=30), st.text('0123456789.-+eE[]{}",:\\untrfalsNI ', max_size=12)))
def test_any_text_is_refused_or_read_as_json_does(text: str) -> None:
    try:
        meant = json.loads(
            text, parse_int=str, parse_float=str, parse_constant=no_constant, object_pairs_hook=pairs
        )
        json.dumps(meant, ensure_ascii=False).encode()
    except ValueError:
        with pytest.raises(InvalidJson):
            loads(text)
    else:
        assert json.loads(dumps(loads(text)), parse_int=str, parse_float=str) == meant
