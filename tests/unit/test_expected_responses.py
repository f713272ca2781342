"""The comparison of responses with their expected files."""

from typing import Any

import pytest

from tests.support.oracles.expected_responses import find_differences

ID, TIME = "01a20745-4897-4f81-a91e-a0d09962b8d6", "2026-11-23T09:00:00.000Z"


@pytest.mark.parametrize(
    ("expected", "response"),
    [
        ({"id": "<uuid>"}, {"id": ID}),
        ({"at": "<time>", "ms": "<number>"}, {"at": TIME, "ms": 0}),
        ({"at": "<date>T09:00:00Z"}, {"at": "2026-11-23T09:00:00Z"}),
        ({"location": "/v1/<uuid>/x"}, {"location": f"/v1/{ID}/x"}),
        ({"statusCode": 200, "body": {"a": [1]}}, {"statusCode": 200, "body": '{ "a":[1]}'}),
        ({"statusCode": 204, "body": ""}, {"statusCode": 204, "body": ""}),
        ([None, True, "a.c"], [None, True, "a.c"]),
    ],
)
def test_matching_response_has_no_differences(expected: Any, response: Any) -> None:
    assert find_differences(expected, response) == []


@pytest.mark.parametrize(
    ("expected", "response", "difference"),
    [
        ({"id": "<uuid>"}, {"id": "1"}, "response.id: '1' instead of '<uuid>'"),
        ({"at": "<date>T09:00:00Z"}, {"at": "2026-11-23T09:30:00Z"}, "response.at: '2026-11-23T09:30:00Z'"),
        ({"ms": "<number>"}, {"ms": True}, "response.ms: True instead of '<number>'"),
        ({"a": 1}, {}, "response: a is missing"),
        ({}, {"a": 1}, "response: a is not expected"),
        ({"a": True}, {"a": 1}, "response.a: 1 instead of True"),
        ({"a": None}, {"a": False}, "response.a: False instead of None"),
        (["a.c"], ["abc"], "response[0]: 'abc' instead of 'a.c'"),
        ([1], [1, 2], "response: [1, 2] instead of [1]"),
        ({"statusCode": 200, "body": {"a": 1}}, {"statusCode": 200, "body": '{"a":2}'}, "response.body.a: 2"),
    ],
)
def test_difference_is_reported_with_its_path(expected: Any, response: Any, difference: str) -> None:
    (message,) = find_differences(expected, response)

    assert message.startswith(difference)
