"""Installs the sample extension in the local stack, as the platform does."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import httpx

from local.errors import StackError

if TYPE_CHECKING:
    from local.settings import Settings

INSTALL_ID = "5a3d1e0c-9c1b-4f0e-8d55-0d2f6a1c7e11"
TENANT_ID = "7b1f2c64-3f0a-4f5e-9a53-6d1f0b8c2e42"
REGISTRY_ID = "c0ffee00-1d2e-4b3a-8c4d-5e6f708192a3"


@dataclass(frozen=True)
class SampleInstall:
    """An installed version of the sample."""

    install_id: str
    version_id: str
    content_hash: str
    capabilities: list[str]

    def build_execute_request(self, method: str, path: str) -> dict[str, Any]:
        """Return the body of a ``/v1/execute`` request that calls an endpoint as an ordinary HTTP request does."""
        return {
            "context": {
                "request_id": "local",
                "tenant_id": TENANT_ID,
                "extension_id": REGISTRY_ID,
                "install_id": self.install_id,
                "version_id": self.version_id,
                "content_hash": self.content_hash,
                "config": {},
                "trigger": "http",
            },
            "http": {"method": method, "path": path, "query": {}, "headers": {}},
            "limits": {"timeout_ms": 30000},
            "providers": self.capabilities,
        }


def install_sample(settings: Settings) -> SampleInstall | None:
    """Register the sample through the API; return None if it is not built.

    Raises:
        StackError: The API refused the registration.
    """
    folder = settings.build / "extensions" / "scheduler_demo"
    component, manifest_file = folder / "component.wasm", folder / "manifest.json"
    if not (component.is_file() and manifest_file.is_file()):
        return None
    manifest = manifest_file.read_text(encoding="utf-8")
    content_hash = f"sha256:{hashlib.sha256(component.read_bytes()).hexdigest()}"
    capabilities = json.loads(manifest)["capabilities"]
    # The manifest of a version never changes, so each content hash gets its own version.
    version_id = str(uuid5(NAMESPACE_URL, content_hash + manifest))
    sample = SampleInstall(INSTALL_ID, version_id, content_hash, capabilities)
    body = {
        "tenantId": TENANT_ID,
        "registryId": REGISTRY_ID,
        "versionId": sample.version_id,
        "contentHash": content_hash,
        "manifest": json.loads(manifest),
        "grantedCapabilities": capabilities,
    }
    response = httpx.put(f"{settings.api_url}/admin/v1/installs/{INSTALL_ID}", json=body, timeout=30)
    if response.is_error:
        raise StackError(f"the API refused the sample extension: {response.status_code} {response.text}")
    return sample
