"""An API that lets in only requests signed by AWS Signature Version 4, as API Gateway does with IAM authorization.

The signature is computed again by botocore's own signer, from the headers that the request says are signed.
"""

import hmac
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.oracles.api_description import find_route, operations

ACCESS_KEY, SECRET_KEY, SESSION_TOKEN = "AKIDEXAMPLE", "secret/example+key", "session+token=="
REGION, SERVICE = "eu-central-1", "execute-api"
MAX_AGE = timedelta(minutes=5)
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_TIMESTAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, kw_only=True)
class SignedRequest:
    """A request as it was received; header names are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def find_signature_fault(request: SignedRequest, now: datetime) -> str | None:
    """Return why the request is refused, or None."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not match:
        return "not signed"
    credential, signed, signature = match[1], match[2].split(";"), match[3]
    timestamp = request.headers.get("x-amz-date", "")
    if credential != f"{ACCESS_KEY}/{timestamp[:8]}/{REGION}/{SERVICE}/aws4_request":
        return "wrong scope"
    if abs(now - datetime.strptime(timestamp, _TIMESTAMP).replace(tzinfo=UTC)) > MAX_AGE:
        return "stale date"
    if unsigned := {name for name in request.headers if name == "host" or name.startswith("x-amz-")} - {
        *signed
    }:
        return f"unsigned headers: {', '.join(sorted(unsigned))}"
    if request.headers.get("x-amz-security-token") != SESSION_TOKEN:
        return "wrong session token"
    body_hash = sha256(request.body).hexdigest()
    if request.headers.get("x-amz-content-sha256", body_hash) != body_hash:
        return "altered body"
    return None if hmac.compare_digest(signature, _sign(request, signed, timestamp)) else "wrong signature"


def _sign(request: SignedRequest, signed: list[str], timestamp: str) -> str:
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), SERVICE, REGION)
    url = f"http://{request.headers['host']}{request.target}"
    headers = {name: request.headers.get(name, "") for name in signed}
    aws_request = AWSRequest(request.method, url, headers, request.body)
    aws_request.context["timestamp"] = timestamp
    canonical_request = signer.canonical_request(aws_request)
    return str(signer.signature(signer.string_to_sign(aws_request, canonical_request), aws_request))


@dataclass
class SignatureChecker:
    """The API: it answers a signed request with the route's first example, and refuses others."""

    url: str
    requests: list[SignedRequest] = field(default_factory=list)
    """The requests that it has let in."""
    faults: list[str] = field(default_factory=list)

    def respond(self, request: SignedRequest) -> tuple[int, Any]:
        """Return the status and the body of the response."""
        if fault := find_signature_fault(request, datetime.now(UTC)):
            self.faults.append(fault)
            return 403, {"message": "Forbidden"}
        self.requests.append(request)
        route = find_route(request.method, request.target.partition("?")[0])
        if route is None:
            return 404, {"message": "Not Found"}
        responses = operations()[route]["responses"]
        status = min(responses)
        examples = responses[status].get("content", {}).get("application/json", {}).get("examples", {})
        return int(status), next((each["value"] for each in examples.values()), None)


@contextmanager
def start_signature_checker() -> Iterator[SignatureChecker]:
    """Start the API on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_http(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = SignedRequest(method=self.command, target=self.path, headers=headers, body=body)
            status, value = checker.respond(request)
            content = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_http  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Suppress the line per request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    checker = SignatureChecker(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield checker
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
