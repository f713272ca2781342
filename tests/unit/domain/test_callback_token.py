import base64
import hmac
import json
import string
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from scheduling.domain.callback_token import is_valid_token, issue_token
from scheduling.domain.errors import Unavailable
from scheduling.domain.ids import InstallId
from scheduling.domain.install import KNOWN_CAPABILITIES, SCHEDULER_MANAGE

from tests.unit.builders import INSTALL_ID, NOW, install

KEY, OTHER_KEY = "k" * 64, "o" * 64
STACK = "stack-1"
SECONDS_30 = timedelta(seconds=30)
CLAIMS = {
    "iss": STACK,
    "aud": "extension-scheduler/callback",
    "iat": 1795424400,
    "nbf": 1795424395,
    "exp": 1795424440,
    "install_id": INSTALL_ID,
    "tenant_id": "tenant-1",
    "capabilities": ["cap:context.read", SCHEDULER_MANAGE],
}


def issued(now: datetime = NOW, lasting: timedelta = SECONDS_30, **fields: Any) -> str:
    return issue_token(KEY, STACK, install(**fields), now, lasting)


def admitted(token: str, *keys: str, install_id: str = INSTALL_ID, now: datetime = NOW) -> bool:
    return is_valid_token(token, keys or (KEY,), STACK, install_id, now)


def signed(header: object, payload: bytes, key: str = KEY) -> str:
    """By HMAC-SHA-256, whatever the header and the payload say."""
    parts = [base64url(json.dumps(header).encode()), base64url(payload)]
    return ".".join([*parts, base64url(hmac.digest(key.encode(), ".".join(parts).encode(), "sha256"))])


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def claiming(**changed: object) -> str:
    """A token with other claims; those that are `...` are left out."""
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not ...}
    return signed({"typ": "JWT", "alg": "HS256"}, json.dumps(claims).encode())


def test_a_token_says_who_issued_it_for_whom_and_until_when() -> None:
    token = issued()

    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "HS256"}
    assert jwt.decode(token, options={"verify_signature": False}) == CLAIMS
    assert datetime.fromtimestamp(1795424400, UTC) == NOW


def test_a_token_is_good_for_its_own_install_alone() -> None:
    assert admitted(issued())
    assert not admitted(issued(), install_id="install-2")
    assert admitted(issued(id=InstallId("install-2")), install_id="install-2")


@pytest.mark.parametrize(
    ("seconds", "good"),
    [
        pytest.param(-5.001, False, id="before its time"),
        pytest.param(-5, True, id="on a clock that is slow"),
        pytest.param(0, True, id="when issued"),
        pytest.param(30, True, id="at the end of the run's time"),
        pytest.param(39.999, True, id="on a clock that is fast"),
        pytest.param(40, False, id="past its time"),
        pytest.param(3600, False, id="long past it"),
        pytest.param(-3600, False, id="long before it"),
    ],
)
@pytest.mark.parametrize("zone", [UTC, None], ids=["UTC", "another zone"])
def test_a_token_is_good_from_a_little_before_its_run_until_a_little_past_it(
    seconds: float, good: bool, zone: Any
) -> None:
    now = (NOW + timedelta(seconds=seconds)).astimezone(zone)

    assert admitted(issued(), now=now) is good


@pytest.mark.parametrize("milliseconds", [1, 999, 1000, 29_999])
def test_a_token_lasts_as_long_as_the_run_may_take_to_the_second(milliseconds: int) -> None:
    token = issued(lasting=timedelta(milliseconds=milliseconds))

    assert admitted(token, now=NOW + timedelta(seconds=10, milliseconds=milliseconds - 1000))
    assert not admitted(token, now=NOW + timedelta(seconds=10, milliseconds=milliseconds + 1))


@pytest.mark.parametrize("micros", [0, 1, 499_999, 999_999])
def test_a_token_is_good_at_the_very_moment_whatever_its_fraction(micros: int) -> None:
    now = NOW.replace(microsecond=micros)

    assert admitted(issued(now), now=now)


REFUSED = [
    pytest.param(issue_token(OTHER_KEY, STACK, install(), NOW, SECONDS_30), id="another key"),
    pytest.param(issue_token(KEY, "stack-2", install(), NOW, SECONDS_30), id="another stack"),
    pytest.param(issued(granted_capabilities=frozenset({"cap:context.read"})), id="without the capability"),
    pytest.param(claiming(aud="other"), id="another audience"),
    pytest.param(claiming(aud=[CLAIMS["aud"]]), id="several audiences"),
    pytest.param(claiming(iss=[STACK]), id="several issuers"),
    pytest.param(claiming(capabilities=[]), id="no capabilities"),
    pytest.param(claiming(capabilities=SCHEDULER_MANAGE), id="a capability that is no list"),
    pytest.param(claiming(capabilities={SCHEDULER_MANAGE: True}), id="capabilities that are no list"),
    pytest.param(claiming(capabilities=["CAP:SCHEDULER.MANAGE"]), id="a capability in another case"),
    pytest.param(claiming(install_id=[INSTALL_ID]), id="several installs"),
    pytest.param(claiming(install_id=INSTALL_ID.upper()), id="the install in another case"),
    pytest.param(claiming(exp=str(CLAIMS["exp"])), id="an end that is text"),
    pytest.param(claiming(exp=1e400), id="an end that is infinite"),
    pytest.param(claiming(nbf=[0]), id="a beginning that is a list"),
    *(pytest.param(claiming(**{name: ...}), id=f"no {name}") for name in CLAIMS),
    *(pytest.param(claiming(**{name: None}), id=f"null {name}") for name in CLAIMS),
    pytest.param(jwt.encode(CLAIMS, "", algorithm="none"), id="alg none"),
    pytest.param(
        signed({"typ": "JWT", "alg": "none"}, json.dumps(CLAIMS).encode()), id="alg none, and signed"
    ),
    pytest.param(signed({"typ": "JWT", "alg": "hs256"}, json.dumps(CLAIMS).encode()), id="alg hs256"),
    pytest.param(signed({"typ": "JWT"}, json.dumps(CLAIMS).encode()), id="no alg"),
    pytest.param(signed({"typ": "JWT", "alg": ["HS256"]}, json.dumps(CLAIMS).encode()), id="a list of algs"),
    pytest.param(signed(["HS256"], json.dumps(CLAIMS).encode()), id="a header that is no object"),
    pytest.param(
        signed({"alg": "HS256", "crit": ["exp"]}, json.dumps(CLAIMS).encode()), id="a critical extension"
    ),
    pytest.param(jwt.encode(CLAIMS, KEY, algorithm="HS384"), id="HS384"),
    pytest.param(jwt.encode(CLAIMS, KEY, algorithm="HS512"), id="HS512"),
    pytest.param(jwt.encode(CLAIMS, rsa.generate_private_key(65537, 2048), algorithm="RS256"), id="RS256"),
    pytest.param(signed({"alg": "HS256"}, b"[]"), id="claims that are no object"),
    pytest.param(signed({"alg": "HS256"}, b"{"), id="claims that are no JSON"),
    pytest.param(signed({"alg": "HS256"}, b"\xff"), id="claims that are no text"),
    pytest.param(claiming(padding="x" * 1300), id="too long"),
    pytest.param("", id="empty"),
    pytest.param("..", id="three empty parts"),
    pytest.param(issued().rpartition(".")[0], id="without its signature"),
    pytest.param(issued().rpartition(".")[0] + ".", id="with an empty signature"),
    pytest.param(issued() + "=", id="padded"),
    pytest.param(issued() + "\n", id="with a new line"),
    pytest.param(" " + issued(), id="with a space"),
    pytest.param(f"{issued()}.{issued()}", id="twice"),
    pytest.param(issued().replace(".", ","), id="other separators"),
    pytest.param("é" * 60 + "." + "é" * 60 + "." + "é" * 43, id="not ASCII"),
    pytest.param("A" * 10_000_000, id="ten million characters"),
]


@pytest.mark.parametrize("token", REFUSED)
def test_any_other_token_is_refused(token: str) -> None:
    assert not admitted(token)


def test_the_claims_that_the_table_changes_are_admitted_as_they_are() -> None:
    assert admitted(claiming())
    assert admitted(claiming(more="than is asked for"))


def test_the_longest_names_make_no_token_too_long() -> None:
    install_id, stack = InstallId("i" * 64), "s" * 128
    longest = install(id=install_id, tenant_id='"' * 128, granted_capabilities=KNOWN_CAPABILITIES)

    assert is_valid_token(issue_token(KEY, stack, longest, NOW, SECONDS_30), [KEY], stack, install_id, NOW)


def test_no_character_of_a_token_can_be_changed_left_out_or_added() -> None:
    token = issued()
    characters = string.ascii_letters + string.digits + "-_.="

    for at, own in enumerate(token):
        for other in characters:
            assert other == own or not admitted(token[:at] + other + token[at + 1 :]), (at, other)
        assert not admitted(token[:at] + token[at + 1 :]), at
        assert not admitted(token[:at] + "A" + token[at:]), at


def test_during_a_rotation_either_key_is_good() -> None:
    assert admitted(issued(), OTHER_KEY, KEY)
    assert admitted(issued(), KEY, OTHER_KEY)
    assert not admitted(issued(), OTHER_KEY, "x" * 64)


WEAK = [
    pytest.param("", id="empty"),
    pytest.param("k" * 31, id="a character short"),
    pytest.param(" " * 64, id="spaces"),
    pytest.param("k" * 64 + "\n", id="a line"),
    pytest.param("-----BEGIN PUBLIC KEY-----\n" + "k" * 64, id="a public key"),
]


@pytest.mark.parametrize("key", WEAK)
def test_by_a_weak_key_nothing_is_signed(key: str) -> None:
    with pytest.raises(Unavailable, match=r"^the key is not of at least 32 printable characters$"):
        issue_token(key, STACK, install(), NOW, SECONDS_30)


@pytest.mark.parametrize("key", WEAK)
def test_by_a_weak_key_nothing_is_admitted(key: str) -> None:
    token = signed({"typ": "JWT", "alg": "HS256"}, json.dumps(CLAIMS).encode(), key)

    assert not admitted(token, key)
    assert admitted(issued(), key, KEY)


def test_without_a_key_nothing_is_admitted() -> None:
    assert not is_valid_token(issued(), [], STACK, INSTALL_ID, NOW)
