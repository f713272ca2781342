"""A client of the runner's `POST /v1/execute`."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from runner.workers.components import content_hash

INSTALL_ID = "0b8e5b1c-3a55-4a39-9d2c-5f1f6d3a7a10"
ROUTING_HEADERS = {"x-alga-tenant": "tenant-1", "x-alga-extension": "registry-1"}
ALL_PROVIDERS = ("cap:context.read", "cap:log.emit", "cap:scheduler.manage")


@dataclass
class ExecutionResult:
    """The runner's response; `body` is the extension's."""

    http_status: int
    text: str

    @property
    def response(self) -> dict[str, Any]:
        return json.loads(self.text)  # type: ignore[no-any-return]

    @property
    def failure(self) -> tuple[int, str]:
        """Status and text of an execution without a response of the extension."""
        assert self.http_status == 200, self.text
        assert (self.response["headers"], self.response["body_b64"]) == ({}, None)
        return self.response["status"], self.response["error"]

    @property
    def body(self) -> bytes:
        return b64decode(self.response["body_b64"])

    def json(self) -> Any:
        return json.loads(self.body)


class ComponentClient:
    """Executes one component on one runner."""

    def __init__(self, url: str, component: Path) -> None:
        self.url = url
        self.http = urllib3.PoolManager(maxsize=8)
        self.content_hash = content_hash(component.read_bytes())

    def create_request(
        self, method: str, path: str, *, body: bytes | None = None, timeout_ms: int = 20_000, **changed: Any
    ) -> dict[str, Any]:
        """Return the body of an execute request that matches the contract."""
        return {
            "context": {
                "request_id": "request-1",
                "tenant_id": "tenant-1",
                "extension_id": "registry-1",
                "install_id": INSTALL_ID,
                "version_id": "version-1",
                "content_hash": self.content_hash,
                "config": {},
                "trigger": "schedule",
                "schedule_id": "schedule-1",
                "scheduled_for": "2026-11-23T09:00:00Z",
            },
            "http": {
                "method": method,
                "path": path,
                "query": changed.pop("query", {}),
                "headers": changed.pop("headers", {}),
                **({} if body is None else {"body_b64": b64encode(body).decode()}),
            },
            "limits": {"timeout_ms": timeout_ms},
            "providers": list(changed.pop("providers", ALL_PROVIDERS)),
        }

    def post_request(self, request: object, **headers: str) -> ExecutionResult:
        """Send a body to `/v1/execute`; bytes are sent unchanged."""
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        response = self.http.request(
            "POST", f"{self.url}/v1/execute", body=body, headers=ROUTING_HEADERS | headers, retries=False
        )
        return ExecutionResult(response.status, response.data.decode())

    def execute_request(self, method: str, path: str, **fields: Any) -> ExecutionResult:
        """Execute a request of the extension."""
        return self.post_request(self.create_request(method, path, **fields))

    def call_json(self, path: str, *arguments: object, **fields: Any) -> Any:
        """POST the arguments as JSON to the extension and return its JSON."""
        result = self.execute_request("POST", path, body=json.dumps(arguments).encode(), **fields)
        assert result.http_status == 200, result.text
        assert result.response["error"] is None, result.text
        return result.json()
