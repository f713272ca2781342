"""The request PUT /admin/v1/installs/{i}: its body to a Registration, its query to PutOptions (contract, section 3)."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from scheduling.api.http import Request
from scheduling.api.parsing import find_type_errors
from scheduling.domain import exact_json
from scheduling.domain.endpoints import Endpoint, normalize_path
from scheduling.domain.errors import ValidationFailed
from scheduling.domain.ids import admin_actor, endpoint_id
from scheduling.domain.install import ALWAYS_GRANTED, InstallConfig, Version, select_known_capabilities
from scheduling.operations.installs.register import PutOptions, Registration

MAX_MANIFEST_BYTES = MAX_CONFIG_BYTES = 100_000
_Id = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class _Endpoint(BaseModel):
    method: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,16}$")]
    path: _Text
    handler: _Text


class _Api(BaseModel):
    endpoints: list[_Endpoint]


class _Manifest(BaseModel):
    name: _Text
    publisher: _Text
    version: _Text
    capabilities: list[str] = []
    api: _Api = _Api(endpoints=[])


class _RegistrationBody(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    tenantId: _Id  # noqa: N815 - the contract's names
    registryId: _Id  # noqa: N815
    versionId: _Id  # noqa: N815
    contentHash: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9A-Za-z]{1,64}$")]  # noqa: N815
    manifest: _Manifest
    grantedCapabilities: list[str]  # noqa: N815
    enabled: bool = True
    config: dict[str, Any] | None = None
    secretEnvelope: dict[str, Any] | None = Field(None)  # noqa: N815


def parse_registration(body: Mapping[str, Any]) -> Registration:
    """Return what the platform declares of an install.

    Raises:
        ValidationFailed: The body is invalid; the error names every invalid field.
    """
    errors = find_type_errors(_RegistrationBody, body)
    if errors:
        raise ValidationFailed.from_field_errors(errors)
    model = _RegistrationBody.model_validate(body)
    return Registration(
        tenant_id=model.tenantId,
        registry_id=model.registryId,
        content_hash=model.contentHash,
        granted_capabilities=_parse_granted_capabilities(model),
        enabled=model.enabled,
        version=_build_version(
            model, _dump_limited_json("manifest", body["manifest"], MAX_MANIFEST_BYTES, sort_keys=True)
        ),
        config=InstallConfig(
            config=_dump_limited_json("config", model.config or {}, MAX_CONFIG_BYTES),
            secret_envelope=_dump_limited_json(
                "secretEnvelope", model.secretEnvelope or {}, MAX_CONFIG_BYTES
            ),
        ),
    )


def parse_put_options(request: Request) -> PutOptions:
    """Return how the install is to be put, and by whom.

    Raises:
        ValidationFailed: A query parameter has an unknown value.
    """
    on_missing_endpoint = _parse_choice(
        "onMissingEndpoint", request.query_parameter("onMissingEndpoint"), ("reject", "disable")
    )
    dry_run = _parse_choice("dryRun", request.query_parameter("dryRun"), ("false", "true"))
    return PutOptions(
        actor=admin_actor(request.principal),
        disable_missing=on_missing_endpoint == "disable",
        dry_run=dry_run == "true",
    )


def _parse_choice(name: str, text: str | None, choices: Sequence[str]) -> str:
    """Return a query parameter that must be one of the choices; the default is the first."""
    if text is None:
        return choices[0]
    if text not in choices:
        raise ValidationFailed.from_field_errors({name: f"{name} must be {' or '.join(choices)}"})
    return text


def _parse_granted_capabilities(model: _RegistrationBody) -> frozenset[str]:
    granted = select_known_capabilities(model.grantedCapabilities)
    undeclared = granted - select_known_capabilities(model.manifest.capabilities) - ALWAYS_GRANTED
    if undeclared:
        text = f"Not in the manifest: {', '.join(sorted(undeclared))}"
        raise ValidationFailed.from_field_errors({"grantedCapabilities": text})
    return granted | ALWAYS_GRANTED


def _build_version(model: _RegistrationBody, manifest_text: str) -> Version:
    handlers = {(e.method.upper(), normalize_path(e.path)): e.handler for e in model.manifest.api.endpoints}
    endpoints = [
        Endpoint(id=endpoint_id(model.registryId, method, path), method=method, path=path, handler=handler)
        for (method, path), handler in handlers.items()
    ]
    return Version(
        id=model.versionId,
        manifest_hash=hashlib.sha256(manifest_text.encode()).hexdigest(),
        endpoints=tuple(sorted(endpoints, key=lambda e: (e.path, e.method))),
    )


def _dump_limited_json(field: str, value: object, max_bytes: int, *, sort_keys: bool = False) -> str:
    text = exact_json.dumps(value, sort_keys=sort_keys)
    if len(text.encode()) > max_bytes:
        raise ValidationFailed.from_field_errors({field: f"Larger than {max_bytes} bytes"})
    return text
