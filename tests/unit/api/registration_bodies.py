"""Bodies of PUT /admin/v1/installs/{i}, and the errors of a refused one."""

from copy import deepcopy
from typing import Any

import pytest
from scheduling.api.registration import parse_registration
from scheduling.domain.errors import ValidationFailed

ALWAYS = {"cap:context.read", "cap:log.emit", "cap:user.read"}
MANIFEST: dict[str, Any] = {
    "name": "sample",
    "publisher": "tests",
    "version": "1.0.0",
    "capabilities": ["cap:scheduler.manage", "cap:http.fetch"],
    "api": {"endpoints": [{"method": "POST", "path": "/api/sync", "handler": "sync"}]},
}
BODY: dict[str, Any] = {
    "tenantId": "tenant-1",
    "registryId": "registry-1",
    "versionId": "version-1",
    "contentHash": "sha256:" + "0f" * 32,
    "manifest": MANIFEST,
    "grantedCapabilities": ["cap:scheduler.manage"],
}


def body(**fields: object) -> dict[str, Any]:
    return {**deepcopy(BODY), **fields}


def with_manifest(**fields: object) -> dict[str, Any]:
    return body(manifest={**deepcopy(MANIFEST), **fields})


def with_endpoints(*endpoints: object) -> dict[str, Any]:
    return with_manifest(api={"endpoints": list(endpoints)})


def refusal_errors(sent: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationFailed) as refusal:
        parse_registration(sent)
    assert str(refusal.value) == next(iter(refusal.value.field_errors.values()))
    return refusal.value.field_errors
