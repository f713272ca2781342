import json
from typing import Any

import pytest

from local.errors import StackError
from local.lambda_.patterns import matches_pattern, parse_pattern

RUN: dict[str, Any] = {
    "eventName": "MODIFY",
    "dynamodb": {"Keys": {"sk": {"S": "RUN#1"}}, "NewImage": {"status": {"S": "error"}}},
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param({"eventName": ["MODIFY"]}, True, id="a value"),
        pytest.param({"eventName": ["INSERT", "MODIFY"]}, True, id="one of the values"),
        pytest.param({"eventName": ["INSERT"]}, False, id="another value"),
        pytest.param({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "RUN#"}]}}}}, True, id="a prefix"),
        pytest.param({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "S"}]}}}}, False, id="another prefix"),
        pytest.param({"dynamodb": {"Keys": {"sk": {"S": ["RUN#"]}}}}, False, id="a value is not a prefix"),
        pytest.param({"dynamodb": {"OldImage": {"status": {"S": ["error"]}}}}, False, id="absent image"),
        pytest.param({"dynamodb": {"Keys": {"pk": {"S": [{"prefix": ""}]}}}}, False, id="absent leaf"),
        pytest.param({"eventName": {"S": ["MODIFY"]}}, False, id="value instead of an object"),
        pytest.param({"dynamodb": [{"prefix": ""}]}, False, id="object instead of a value"),
        pytest.param(
            {"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"status": {"S": ["missed"]}}}},
            False,
            id="one leaf of two",
        ),
    ],
)
def test_pattern_matches_if_each_leaf_matches(pattern: dict[str, Any], expected: bool) -> None:
    assert matches_pattern(parse_pattern(json.dumps(pattern)), RUN) is expected


@pytest.mark.parametrize("leaf", [{"exists": True}, {"anything-but": ["x"]}, {"prefix": "a", "suffix": "b"}])
def test_unsupported_pattern_is_refused(leaf: dict[str, Any]) -> None:
    with pytest.raises(StackError, match="no rule for the pattern"):
        parse_pattern(json.dumps({"a": {"b": ["x", leaf]}}))
