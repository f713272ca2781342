"""The commands of docs/guide-admin-api.md, against an API that checks their signatures."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.signing.checker import (
    ACCESS_KEY,
    REGION,
    SECRET_KEY,
    SERVICE,
    SESSION_TOKEN,
    SignatureChecker,
    SignedRequest,
    find_signature_fault,
    start_signature_checker,
)
from tests.support.signing.guide import CREATE, INSTALL, LIST, PAUSE, read_block, run_block, take_requests


@pytest.fixture(scope="module")
def checker() -> Iterator[SignatureChecker]:
    with start_signature_checker() as checker:
        yield checker


@pytest.mark.skipif(which("curl") is None, reason="needs curl")
def test_curl_commands_of_the_guide_are_signed(checker: SignatureChecker, tmp_path: Path) -> None:
    output = run_block(tmp_path, "sh", "-euc", read_block("sh", checker.url))

    update = f"{INSTALL}/schedules/01a20745-4897-4f81-a91e-a0d09962b8d6"
    assert take_requests(checker) == [LIST, ("PATCH", update), PAUSE]
    assert '"installs"' in output
    assert '"paused": true' in output


def test_python_of_the_guide_is_signed(checker: SignatureChecker, tmp_path: Path) -> None:
    output = run_block(tmp_path, sys.executable, "-c", read_block("python", checker.url))

    assert take_requests(checker) == [LIST, CREATE, PAUSE]
    assert output.startswith("201 2026-11-23T10:00:00Z\n{'tenantId': 'acme', 'paused': True")


def sign(
    secret: str = SECRET_KEY, service: str = SERVICE, region: str = REGION, **headers: str
) -> SignedRequest:
    """Return a signed request with a body."""
    body = json.dumps({"enabled": False}).encode()
    signer = SigV4Auth(Credentials(ACCESS_KEY, secret, SESSION_TOKEN), service, region)
    url = f"https://api.example{INSTALL}%2F?b=2&a=%20"
    request = AWSRequest("PATCH", url, {"Content-Type": "application/json", **headers}, body)
    signer.add_auth(request)
    received = {"host": "api.example", **{name.lower(): value for name, value in request.headers.items()}}
    return SignedRequest(method="PATCH", target=f"{INSTALL}%2F?b=2&a=%20", headers=received, body=body)


def test_signed_request_is_let_in() -> None:
    assert find_signature_fault(sign(), datetime.now(UTC)) is None
    assert find_signature_fault(sign(), datetime.now(UTC) + timedelta(minutes=4)) is None


SIGNED, SIGNED_AT = sign(), datetime.now(UTC)
NO_TOKEN = {name: value for name, value in SIGNED.headers.items() if name != "x-amz-security-token"}


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        pytest.param(replace(SIGNED, headers={"host": "api.example"}), "not signed", id="unsigned"),
        pytest.param(sign(secret="another"), "wrong signature", id="secret"),
        pytest.param(sign(region="us-east-1"), "wrong scope", id="region"),
        pytest.param(sign(service="s3"), "wrong scope", id="service"),
        pytest.param(replace(SIGNED, body=b'{"enabled": true}'), "wrong signature", id="body"),
        pytest.param(replace(SIGNED, method="DELETE"), "wrong signature", id="method"),
        pytest.param(replace(SIGNED, target=f"{INSTALL}?a=%20&b=2"), "wrong signature", id="path"),
        pytest.param(replace(SIGNED, target=f"{INSTALL}%2F?b=3&a=%20"), "wrong signature", id="query"),
        pytest.param(
            replace(SIGNED, headers={**SIGNED.headers, "content-type": "text/plain"}),
            "wrong signature",
            id="header",
        ),
        pytest.param(
            replace(SIGNED, headers={**SIGNED.headers, "x-amz-target": "x"}),
            "unsigned headers: x-amz-target",
            id="unsigned header",
        ),
        pytest.param(replace(SIGNED, headers=NO_TOKEN), "wrong session token", id="no session token"),
        pytest.param(sign(**{"X-Amz-Content-SHA256": "0" * 64}), "altered body", id="hash of another body"),
    ],
)
def test_wrongly_signed_request_is_refused(request_: SignedRequest, fault: str) -> None:
    assert find_signature_fault(request_, SIGNED_AT) == fault


def test_request_with_a_stale_date_is_refused() -> None:
    assert find_signature_fault(sign(), datetime.now(UTC) + timedelta(minutes=6)) == "stale date"
    assert find_signature_fault(sign(), datetime.now(UTC) - timedelta(minutes=6)) == "stale date"


def test_refused_request_is_answered_as_by_api_gateway(checker: SignatureChecker) -> None:
    unsigned = replace(SIGNED, headers={"host": "api.example"})

    assert checker.respond(unsigned) == (403, {"message": "Forbidden"})
    assert checker.faults == ["not signed"]
    checker.faults.clear()
