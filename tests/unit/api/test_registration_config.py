"""The configuration and the secret envelope of a registration."""

import pytest
from scheduling.api.registration import parse_registration
from scheduling.domain.exact_json import Number, loads
from scheduling.domain.install import InstallConfig

from tests.unit.api.registration_bodies import body, refusal_errors

ENVELOPE = {"ciphertext_b64": "c2VjcmV0"}
FULL_ENVELOPE = {
    **ENVELOPE,
    "version": "1",
    "algorithm": "vault-transit",
    "expires_at": "2027-01-01T00:00:00Z",
    "key_path": "transit/keys/k",
    "mount": "transit",
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param('"text"', "text", id="text"),
        pytest.param('""', "", id="empty text"),
        pytest.param('"1"', "1", id="text of a number"),
        pytest.param("null", "", id="null"),
        pytest.param("1.0", "1.0", id="number"),
        pytest.param("1e400", "1e400", id="number beyond a float"),
        pytest.param("true", "true", id="true"),
        pytest.param('{ "a" : [ 1.0 , "é" ] }', '{"a":[1.0,"é"]}', id="object"),
        pytest.param("[ ]", "[]", id="array"),
    ],
)
def test_config_value_becomes_a_string(value: str, text: str) -> None:
    config = loads(f'{{"é":{value}}}')

    assert loads(parse_registration(body(config=config)).config.config) == {"é": text}


@pytest.mark.parametrize(
    "envelope", [ENVELOPE, FULL_ENVELOPE, {"ciphertext_b64": ""}], ids=["minimal", "full", "empty text"]
)
def test_secret_envelope_is_kept(envelope: dict[str, str]) -> None:
    assert loads(parse_registration(body(secretEnvelope=envelope)).config.secret_envelope) == envelope


@pytest.mark.parametrize("envelope", [None, {}], ids=["null", "empty object"])
def test_no_secret_envelope_is_none(envelope: object) -> None:
    assert parse_registration(body(secretEnvelope=envelope, config=None)).config == InstallConfig()
    assert parse_registration(body()).config == InstallConfig()


@pytest.mark.parametrize(
    ("envelope", "errors"),
    [
        pytest.param(
            {"version": "1"},
            {"secretEnvelope.ciphertext_b64": "secretEnvelope.ciphertext_b64 is required"},
            id="no ciphertext",
        ),
        pytest.param(
            {"ciphertext_b64": None},
            {"secretEnvelope.ciphertext_b64": "secretEnvelope.ciphertext_b64 must be a string"},
            id="null ciphertext",
        ),
        *(
            pytest.param(
                {**ENVELOPE, name: value},
                {f"secretEnvelope.{name}": f"secretEnvelope.{name} must be a string"},
                id=f"{name} {kind}",
            )
            for name in FULL_ENVELOPE
            if name != "ciphertext_b64"
            for kind, value in (("null", None), ("number", Number("1")), ("object", {}))
        ),
        pytest.param(
            {**ENVELOPE, "extra": "x"},
            {"secretEnvelope.extra": "secretEnvelope.extra is not a known field"},
            id="unknown field",
        ),
        pytest.param([], {"secretEnvelope": "secretEnvelope must be an object"}, id="empty array"),
        pytest.param("", {"secretEnvelope": "secretEnvelope must be an object"}, id="empty text"),
        pytest.param(False, {"secretEnvelope": "secretEnvelope must be an object"}, id="false"),
    ],
)
def test_invalid_secret_envelope_is_refused(envelope: object, errors: dict[str, str]) -> None:
    assert refusal_errors(body(secretEnvelope=envelope)) == errors


def test_envelope_is_reported_with_the_other_fields() -> None:
    errors = refusal_errors(body(tenantId=None, secretEnvelope={"mount": "m"}))

    assert list(errors) == ["tenantId", "secretEnvelope.ciphertext_b64"]


@pytest.mark.parametrize(("field", "name"), [("config", "a"), ("secretEnvelope", "ciphertext_b64")])
def test_config_and_envelope_of_at_most_100000_bytes_are_accepted(field: str, name: str) -> None:
    length = 100_000 - len(f'{{"{name}":""}}')
    text = "é" * (length // 2) + "x" * (length % 2)

    parse_registration(body(**{field: {name: text}}))
    assert refusal_errors(body(**{field: {name: f"{text}x"}})) == {field: "Larger than 100000 bytes"}
