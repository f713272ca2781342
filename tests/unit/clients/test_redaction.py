"""Secrets of a call are replaced in texts, without defacing what is no secret."""

import json
import time

import pytest
from scheduling.clients.redaction import REDACTED, Redactor, list_nested_values


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        pytest.param("password-1", "is password-1!", f"is {REDACTED}!", id="anywhere"),
        pytest.param("password-1", "xpassword-1x", f"x{REDACTED}x", id="within a word"),
        pytest.param("1", "line 1 of 10", f"line {REDACTED} of 10", id="short, as a word"),
        pytest.param("eu", "neutral eu", f"neutral {REDACTED}", id="short, not within words"),
        pytest.param("a-b", "xa-bx", f"x{REDACTED}x", id="short, no word"),
        pytest.param('say "hi"', json.dumps({"a": 'say "hi"'}), f'{{"a": "{REDACTED}"}}', id="as JSON"),
        pytest.param("schlüssel", json.dumps("schlüssel"), f'"{REDACTED}"', id="escaped in JSON"),
        pytest.param(" padded-secret ", "padded-secret", REDACTED, id="trimmed"),
        pytest.param("head." + "s" * 20, "s" * 20, REDACTED, id="segment of a token"),
        pytest.param("", "nothing", "nothing", id="empty"),
    ],
)
def test_a_secret_is_replaced(secret: str, text: str, expected: str) -> None:
    assert Redactor([secret]).redact(text) == expected


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param('{"a":{"b":["x",{"c":"y"}]}}', ["x", "y"], id="strings"),
        pytest.param("[1, 2.50, 1e400]", ["1", "1e400", "2.50"], id="numbers as written"),
        pytest.param('{"a":true,"b":null}', [], id="constants"),
        pytest.param(' ["x"]', ["x"], id="a space before it"),
        pytest.param('"x"', [], id="no container"),
        pytest.param("{not JSON", [], id="no JSON"),
        pytest.param("[" * 50_000, [], id="bottomless"),
        pytest.param("", [], id="empty"),
    ],
)
def test_the_values_within_json_are_secrets_too(text: str, values: list[str]) -> None:
    assert sorted(list_nested_values(text)) == values


def test_the_longest_secret_is_replaced_first() -> None:
    assert Redactor(["the-secret", "the-secret-and-more"]).redact("the-secret-and-more") == REDACTED


def test_many_secrets_and_a_large_text_take_little_time() -> None:
    redactor = Redactor(f"secret-number-{number}" for number in range(4_000))
    started_at = time.process_time()

    redactor.redact("no secret at all " * 15_000)

    assert time.process_time() - started_at < 10
