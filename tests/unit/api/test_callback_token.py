import base64
import hmac
import json
import string
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from scheduling.api.callback_token import issue_token, verify_token
from scheduling.domain.errors import Unavailable
from scheduling.domain.ids import InstallId
from scheduling.domain.install import KNOWN_CAPABILITIES, SCHEDULER_MANAGE

from tests.unit.builders import INSTALL_ID, NOW, install

KEY, OTHER_KEY = "k" * 64, "o" * 64
STACK_NAME = "stack-1"
SECONDS_30 = timedelta(seconds=30)
CLAIMS = {
    "iss": STACK_NAME,
    "aud": "extension-scheduler/callback",
    "iat": 1795424400,
    "nbf": 1795424395,
    "exp": 1795424440,
    "install_id": INSTALL_ID,
    "tenant_id": "tenant-1",
    "capabilities": ["cap:context.read", SCHEDULER_MANAGE],
}


def issue_test_token(now: datetime = NOW, lifetime: timedelta = SECONDS_30, **fields: Any) -> str:
    return issue_token(KEY, STACK_NAME, install(**fields), now, lifetime)


def is_accepted(token: str, *keys: str, install_id: str = INSTALL_ID, now: datetime = NOW) -> bool:
    tenant_id = verify_token(token, keys or (KEY,), STACK_NAME, install_id, now)
    assert tenant_id in (None, "tenant-1")
    return tenant_id is not None


def sign_parts(header: object, payload: bytes, key: str = KEY) -> str:
    """Sign with HMAC-SHA-256, regardless of the header and the payload."""
    parts = [base64url(json.dumps(header).encode()), base64url(payload)]
    return ".".join([*parts, base64url(hmac.digest(key.encode(), ".".join(parts).encode(), "sha256"))])


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def token_with_claims(**changed: object) -> str:
    """Return a token with changed claims; those that are `...` are omitted."""
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not ...}
    return sign_parts({"typ": "JWT", "alg": "HS256"}, json.dumps(claims).encode())


def test_token_contains_issuer_audience_and_expiry() -> None:
    token = issue_test_token()

    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "HS256"}
    assert jwt.decode(token, options={"verify_signature": False}) == CLAIMS
    assert datetime.fromtimestamp(1795424400, UTC) == NOW


def test_token_is_valid_only_for_its_install() -> None:
    assert is_accepted(issue_test_token())
    assert not is_accepted(issue_test_token(), install_id="install-2")
    assert is_accepted(issue_test_token(id=InstallId("install-2")), install_id="install-2")


def test_verification_returns_the_tenant_of_the_issue() -> None:
    token = issue_test_token(tenant_id="tenant-2")

    assert verify_token(token, [KEY], STACK_NAME, INSTALL_ID, NOW) == "tenant-2"


@pytest.mark.parametrize(
    ("seconds", "valid"),
    [
        pytest.param(-5.001, False, id="not yet valid"),
        pytest.param(-5, True, id="on a clock that is slow"),
        pytest.param(0, True, id="when issued"),
        pytest.param(30, True, id="at the end of the run's time"),
        pytest.param(39.999, True, id="on a clock that is fast"),
        pytest.param(40, False, id="expired"),
        pytest.param(3600, False, id="long expired"),
        pytest.param(-3600, False, id="long before its issue"),
    ],
)
@pytest.mark.parametrize("zone", [UTC, None], ids=["UTC", "another zone"])
def test_token_is_valid_slightly_before_and_after_its_run(seconds: float, valid: bool, zone: Any) -> None:
    now = (NOW + timedelta(seconds=seconds)).astimezone(zone)

    assert is_accepted(issue_test_token(), now=now) is valid


@pytest.mark.parametrize("milliseconds", [1, 999, 1000, 29_999])
def test_token_lifetime_is_the_run_timeout_in_seconds(milliseconds: int) -> None:
    token = issue_test_token(lifetime=timedelta(milliseconds=milliseconds))

    assert is_accepted(token, now=NOW + timedelta(seconds=10, milliseconds=milliseconds - 1000))
    assert not is_accepted(token, now=NOW + timedelta(seconds=10, milliseconds=milliseconds + 1))


@pytest.mark.parametrize("micros", [0, 1, 499_999, 999_999])
def test_token_is_valid_at_its_issue_time(micros: int) -> None:
    now = NOW.replace(microsecond=micros)

    assert is_accepted(issue_test_token(now), now=now)


REFUSED_TOKENS = [
    pytest.param(issue_token(OTHER_KEY, STACK_NAME, install(), NOW, SECONDS_30), id="another key"),
    pytest.param(issue_token(KEY, "stack-2", install(), NOW, SECONDS_30), id="another stack"),
    pytest.param(
        issue_test_token(granted_capabilities=frozenset({"cap:context.read"})), id="without the capability"
    ),
    pytest.param(token_with_claims(aud="other"), id="another audience"),
    pytest.param(token_with_claims(aud=[CLAIMS["aud"]]), id="several audiences"),
    pytest.param(token_with_claims(iss=[STACK_NAME]), id="several issuers"),
    pytest.param(token_with_claims(capabilities=[]), id="no capabilities"),
    pytest.param(token_with_claims(capabilities=SCHEDULER_MANAGE), id="a capability that is no list"),
    pytest.param(
        token_with_claims(capabilities={SCHEDULER_MANAGE: True}), id="capabilities that are no list"
    ),
    pytest.param(token_with_claims(capabilities=["CAP:SCHEDULER.MANAGE"]), id="a capability in another case"),
    pytest.param(token_with_claims(install_id=[INSTALL_ID]), id="several installs"),
    pytest.param(token_with_claims(tenant_id=""), id="empty tenant"),
    pytest.param(token_with_claims(tenant_id=["tenant-1"]), id="several tenants"),
    pytest.param(token_with_claims(tenant_id=1), id="tenant that is a number"),
    pytest.param(token_with_claims(install_id=INSTALL_ID.upper()), id="the install in another case"),
    pytest.param(token_with_claims(exp=str(CLAIMS["exp"])), id="an end that is text"),
    pytest.param(token_with_claims(exp=1e400), id="an end that is infinite"),
    pytest.param(token_with_claims(nbf=[0]), id="a beginning that is a list"),
    *(pytest.param(token_with_claims(**{name: ...}), id=f"no {name}") for name in CLAIMS),
    *(pytest.param(token_with_claims(**{name: None}), id=f"null {name}") for name in CLAIMS),
    pytest.param(jwt.encode(CLAIMS, "", algorithm="none"), id="alg none"),
    pytest.param(
        sign_parts({"typ": "JWT", "alg": "none"}, json.dumps(CLAIMS).encode()), id="alg none, and signed"
    ),
    pytest.param(sign_parts({"typ": "JWT", "alg": "hs256"}, json.dumps(CLAIMS).encode()), id="alg hs256"),
    pytest.param(sign_parts({"typ": "JWT"}, json.dumps(CLAIMS).encode()), id="no alg"),
    pytest.param(
        sign_parts({"typ": "JWT", "alg": ["HS256"]}, json.dumps(CLAIMS).encode()), id="a list of algs"
    ),
    pytest.param(sign_parts(["HS256"], json.dumps(CLAIMS).encode()), id="a header that is no object"),
    pytest.param(
        sign_parts({"alg": "HS256", "crit": ["exp"]}, json.dumps(CLAIMS).encode()), id="a critical extension"
    ),
    pytest.param(jwt.encode(CLAIMS, KEY, algorithm="HS384"), id="HS384"),
    pytest.param(jwt.encode(CLAIMS, KEY, algorithm="HS512"), id="HS512"),
    pytest.param(jwt.encode(CLAIMS, rsa.generate_private_key(65537, 2048), algorithm="RS256"), id="RS256"),
    pytest.param(sign_parts({"alg": "HS256"}, b"[]"), id="claims that are no object"),
    pytest.param(sign_parts({"alg": "HS256"}, b"{"), id="claims that are no JSON"),
    pytest.param(sign_parts({"alg": "HS256"}, b"\xff"), id="claims that are no text"),
    pytest.param(token_with_claims(padding="x" * 1300), id="too long"),
    pytest.param("", id="empty"),
    pytest.param("..", id="three empty parts"),
    pytest.param(issue_test_token().rpartition(".")[0], id="without its signature"),
    pytest.param(issue_test_token().rpartition(".")[0] + ".", id="with an empty signature"),
    pytest.param(issue_test_token() + "=", id="padded"),
    pytest.param(issue_test_token() + "\n", id="with a new line"),
    pytest.param(" " + issue_test_token(), id="with a space"),
    pytest.param(f"{issue_test_token()}.{issue_test_token()}", id="twice"),
    pytest.param(issue_test_token().replace(".", ","), id="other separators"),
    pytest.param("é" * 60 + "." + "é" * 60 + "." + "é" * 43, id="not ASCII"),
    pytest.param("A" * 10_000_000, id="ten million characters"),
]


@pytest.mark.parametrize("token", REFUSED_TOKENS)
def test_invalid_token_is_refused(token: str) -> None:
    assert not is_accepted(token)


def test_unmodified_claims_are_accepted() -> None:
    assert is_accepted(token_with_claims())
    assert is_accepted(token_with_claims(more="than required"))


def test_token_with_the_longest_names_is_accepted() -> None:
    install_id, stack = InstallId("i" * 64), "s" * 128
    longest = install(id=install_id, tenant_id='"' * 128, granted_capabilities=KNOWN_CAPABILITIES)

    tenant_id = verify_token(issue_token(KEY, stack, longest, NOW, SECONDS_30), [KEY], stack, install_id, NOW)

    assert tenant_id == longest.tenant_id


def test_token_with_any_character_changed_removed_or_added_is_refused() -> None:
    """Of the base64 text, each bit; of the last character of a part, which may have unused bits, every other one."""
    token = issue_test_token()
    digits = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    ends = {at for at in range(len(token)) if token[at + 1 : at + 2] in ("", ".")}

    for at, own in enumerate(token):
        one_bit = [digits[digits.index(own) ^ 1 << bit] for bit in range(6)] if own in digits else digits
        for other in {*(digits if at in ends else one_bit), *".="} - {own}:
            assert not is_accepted(token[:at] + other + token[at + 1 :]), (at, other)
        assert not is_accepted(token[:at] + token[at + 1 :]), at
        assert not is_accepted(token[:at] + "A" + token[at:]), at


def test_both_keys_are_valid_during_a_rotation() -> None:
    assert is_accepted(issue_test_token(), OTHER_KEY, KEY)
    assert is_accepted(issue_test_token(), KEY, OTHER_KEY)
    assert not is_accepted(issue_test_token(), OTHER_KEY, "x" * 64)


WEAK_KEYS = [
    pytest.param("", id="empty"),
    pytest.param("k" * 31, id="a character short"),
    pytest.param(" " * 64, id="spaces"),
    pytest.param("k" * 64 + "\n", id="a line"),
    pytest.param("-----BEGIN PUBLIC KEY-----\n" + "k" * 64, id="a public key"),
]


@pytest.mark.parametrize("key", WEAK_KEYS)
def test_weak_key_issues_no_token(key: str) -> None:
    with pytest.raises(Unavailable, match=r"^the key is not of at least 32 printable characters$"):
        issue_token(key, STACK_NAME, install(), NOW, SECONDS_30)


@pytest.mark.parametrize("key", WEAK_KEYS)
def test_token_signed_with_a_weak_key_is_refused(key: str) -> None:
    token = sign_parts({"typ": "JWT", "alg": "HS256"}, json.dumps(CLAIMS).encode(), key)

    assert not is_accepted(token, key)
    assert is_accepted(issue_test_token(), key, KEY)


def test_token_is_refused_if_there_is_no_key() -> None:
    assert verify_token(issue_test_token(), [], STACK_NAME, INSTALL_ID, NOW) is None
