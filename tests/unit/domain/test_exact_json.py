import json
from enum import StrEnum

import pytest
from scheduling.domain.errors import InvalidJson
from scheduling.domain.exact_json import Number, RawJson, dumps, loads


def arrays(levels: int, innermost: str = "") -> str:
    return "[" * levels + innermost + "]" * levels


def objects(levels: int, innermost: str = "{}") -> str:
    """Nest objects; `innermost` is the last level."""
    return '{"a":' * (levels - 1) + innermost + "}" * (levels - 1)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1e400", id="beyond a float"),
        pytest.param("-1E+400", id="capital E and plus"),
        pytest.param("1.0", id="a whole float"),
        pytest.param("1.10", id="a trailing zero"),
        pytest.param("12345678901234567890123", id="23 digits"),
        pytest.param("0.1000000000000000055511151231257827", id="more digits than a float has"),
        pytest.param("-0", id="minus zero"),
        pytest.param("-0.0", id="minus zero as a float"),
        pytest.param("1e-400", id="below a float"),
        pytest.param("9" * 5000, id="more digits than int() takes"),
    ],
)
def test_number_keeps_its_text(text: str) -> None:
    assert loads(text) == Number(text)
    assert dumps(loads(text)) == text
    assert dumps(loads(f'{{"a": [{text}]}}')) == f'{{"a":[{text}]}}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(' { "b" : [ 1 , true ] , "a" : null } ', '{"b":[1,true],"a":null}', id="spaces removed"),
        pytest.param("[]", "[]", id="empty array"),
        pytest.param("{}", "{}", id="empty object"),
        pytest.param('[[],{},[{}],""]', '[[],{},[{}],""]', id="empty ones inside"),
        pytest.param("[true,false,null]", "[true,false,null]", id="literals"),
        pytest.param('"\\u00e9\\u20ac"', '"é€"', id="escapes become UTF-8"),
        pytest.param('"\\/"', '"/"', id="escaped slash"),
        pytest.param('"\\u0000\\u001f\\n"', '"\\u0000\\u001f\\n"', id="control characters stay escaped"),
        pytest.param('"\\"\\\\"', '"\\"\\\\"', id="quote and backslash"),
        pytest.param('"\\ud83d\\ude00"', '"\U0001f600"', id="surrogate pair"),
        pytest.param('"\\uD83D\\uDE00"', '"\U0001f600"', id="surrogate pair in capitals"),
        pytest.param('{"\\ud83d\\ude00":1}', '{"\U0001f600":1}', id="surrogate pair in a name"),
        pytest.param('"\\\\ud800"', '"\\\\ud800"', id="a backslash before ud800 is no escape"),
        pytest.param('{"b":1,"B":2,"":3}', '{"b":1,"B":2,"":3}', id="names that differ in case"),
        pytest.param('[{"a":1},{"a":2}]', '[{"a":1},{"a":2}]', id="a name once in each object"),
        pytest.param('{"a":{"a":1}}', '{"a":{"a":1}}', id="a name once on each level"),
    ],
)
def test_text_becomes_compact_and_equivalent(text: str, expected: str) -> None:
    assert dumps(loads(text)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "Not valid JSON: it ends too early", id="empty"),
        pytest.param(" \n", "Not valid JSON: it ends too early", id="blank"),
        pytest.param('{"a":', "Not valid JSON: it ends too early", id="no value"),
        pytest.param("[1", "Not valid JSON: it ends too early", id="unclosed array"),
        pytest.param('["a', "Not valid JSON at character 1", id="unclosed string"),
        pytest.param("{a:1}", "Not valid JSON at character 1", id="a name without quotes"),
        pytest.param("{'a':1}", "Not valid JSON at character 1", id="single quotes"),
        pytest.param("[1 2]", "Not valid JSON at character 3", id="no comma"),
        pytest.param('"\\x"', "Not valid JSON at character 1", id="invalid escape"),
        pytest.param('"\\u12"', "Not valid JSON at character 2", id="incomplete escape"),
        pytest.param("{} x", "Not valid JSON at character 3", id="trailing garbage"),
        pytest.param("{}{}", "Not valid JSON at character 2", id="two values"),
        pytest.param("tru", "Not valid JSON at character 0", id="incomplete literal"),
        pytest.param("01", "Not valid JSON at character 1", id="leading zero"),
        pytest.param("1.", "Not valid JSON at character 1", id="point without digits"),
        pytest.param("+1", "Not valid JSON at character 0", id="plus"),
        pytest.param("\ufeff{}", "Not valid JSON: it begins with a byte order mark", id="byte order mark"),
        pytest.param('"\t"', "Not valid JSON at character 1", id="raw tab"),
        pytest.param("NaN", "Not valid JSON: NaN is no JSON number", id="NaN"),
        pytest.param("[Infinity]", "Not valid JSON: Infinity is no JSON number", id="Infinity"),
        pytest.param('{"a":-Infinity}', "Not valid JSON: -Infinity is no JSON number", id="-Infinity"),
        pytest.param('{"a":1,"a":1}', 'An object has the name "a" twice', id="duplicate name"),
        pytest.param(
            '[{"b":{"x":0,"a":1,"a":2}}]', 'An object has the name "a" twice', id="duplicate name, nested"
        ),
        pytest.param(
            '{"a":1,"\\u0061":2}', 'An object has the name "a" twice', id="duplicate name, once escaped"
        ),
        pytest.param(
            f'{{"{"n" * 65}":1,"{"n" * 65}":2}}',
            f'An object has the name "{"n" * 64}" twice',
            id="long duplicate name",
        ),
        *(
            pytest.param(text, "Text with a lone surrogate is not valid Unicode", id=f"lone surrogate {case}")
            for case, text in {
                "first half": '"\\ud800"',
                "second half": '"\\udfff"',
                "in capitals": '"\\uDBFF"',
                "halves swapped": '"\\ude00\\ud83d"',
                "half and text": '["a", "\\ud83dx"]',
                "in a name": '{"\\udfff":1}',
                "in a deep name": '[{"a":{"\\ud83d":1}}]',
                "beside a pair": '["\\ud83d\\ude00", "\\ud83d"]',
            }.items()
        ),
    ],
)
def test_invalid_json_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidJson) as refused:
        loads(text)

    assert str(refused.value) == message


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(arrays(200), id="200 arrays"),
        pytest.param(objects(200), id="200 objects"),
        pytest.param(arrays(256), id="256 arrays"),
        pytest.param(arrays(256, "1"), id="256 arrays around a number"),
        pytest.param(objects(256), id="256 objects"),
        pytest.param(objects(256, '{"a":""}'), id="256 objects around a text"),
    ],
)
def test_nesting_to_256_levels_is_accepted(text: str) -> None:
    assert dumps(loads(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(arrays(257), id="257 arrays"),
        pytest.param(arrays(257, "1"), id="257 arrays around a number"),
        pytest.param(objects(257), id="257 objects"),
        pytest.param(objects(257, '{"a":""}'), id="257 objects around a text"),
        pytest.param(arrays(258), id="258 arrays"),
        pytest.param(arrays(5000), id="5000 arrays"),
        pytest.param(arrays(100_000), id="100000 arrays"),
        pytest.param(objects(100_000), id="100000 objects"),
        pytest.param("[" * 100_000, id="100000 arrays never closed"),
        pytest.param(arrays(5000, '"\\ud800"'), id="5000 arrays around a lone surrogate"),
    ],
)
def test_deeper_nesting_is_refused(text: str) -> None:
    with pytest.raises(InvalidJson) as refused:
        dumps(loads(text))

    assert str(refused.value) == "Nested deeper than 256 levels"


def test_names_keep_their_order_unless_sorted() -> None:
    value = loads('{"b":{"d":1,"c":2},"a":[{"f":1,"e":2}]}')

    assert dumps(value) == '{"b":{"d":1,"c":2},"a":[{"f":1,"e":2}]}'
    assert dumps(value, sort_keys=True) == '{"a":[{"e":2,"f":1}],"b":{"c":2,"d":1}}'


def test_raw_json_is_written_unchanged() -> None:
    assert dumps({"a": RawJson("[ 1.0 ]"), "b": [RawJson("null")]}) == '{"a":[ 1.0 ],"b":[null]}'
    assert dumps(RawJson("{}")) == "{}"


class Status(StrEnum):
    ACTIVE = "active"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (-7, "-7"),
        (1.5, "1.5"),
        ('é\n"', '"é\\n\\""'),
        (Status.ACTIVE, '"active"'),
        ((1, ()), "[1,[]]"),
        ({"a": {}, "b": Status.ACTIVE}, '{"a":{},"b":"active"}'),
    ],
    ids=["null", "bool", "int", "float", "text", "enum", "tuple", "object"],
)
def test_plain_value_is_written_like_the_standard_library_does(value: object, text: str) -> None:
    assert dumps(value) == text
    assert json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text
