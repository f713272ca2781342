"""The request PUT /admin/v1/installs/{i}: its body to a Registration, its query to PutOptions (contract, section 3)."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, TypeGuard

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from scheduling.api.http import Request, parse_both
from scheduling.api.parsing import MAX_ESCAPE_LENGTH, MAX_OTHER_FIELDS_BYTES, find_type_errors
from scheduling.domain import exact_json
from scheduling.domain.endpoints import Endpoint, normalize_path
from scheduling.domain.errors import ValidationFailed
from scheduling.domain.ids import admin_actor, endpoint_id
from scheduling.domain.install import (
    ALWAYS_GRANTED,
    KNOWN_CAPABILITIES,
    InstallConfig,
    Version,
    normalize_capabilities,
)
from scheduling.operations.installs.register import PutOptions, Registration

MAX_MANIFEST_BYTES = MAX_CONFIG_BYTES = 100_000
_MAX_BYTES = {
    "manifest": MAX_MANIFEST_BYTES,
    "config": MAX_CONFIG_BYTES,
    "secretEnvelope": MAX_CONFIG_BYTES,
}
MAX_REGISTRATION_BYTES = (
    MAX_ESCAPE_LENGTH * (MAX_MANIFEST_BYTES + 2 * MAX_CONFIG_BYTES) + MAX_OTHER_FIELDS_BYTES
)
"""Manifest, configuration and envelope with each byte escaped, and the other fields."""
MAX_ITEMS = 2_500
"""More than a manifest within its limit has endpoints: pydantic makes an error of each invalid item of a list."""
_Id = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]
_Names = Annotated[list[str], Field(max_length=MAX_ITEMS)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class _Endpoint(BaseModel):
    method: Annotated[str, StringConstraints(pattern=r"^(?i:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$")]
    path: _Text
    handler: _Text


class _Api(BaseModel):
    endpoints: Annotated[list[_Endpoint], Field(max_length=MAX_ITEMS)]


class _Manifest(BaseModel):
    name: _Text
    publisher: _Text
    version: _Text
    capabilities: _Names = []
    api: _Api = _Api(endpoints=[])


class SecretEnvelope(BaseModel):
    """An envelope with secrets that a runner can open."""

    model_config = ConfigDict(strict=True, extra="forbid")

    ciphertext_b64: str
    version: str = ""
    algorithm: str = ""
    expires_at: str = ""
    key_path: str = ""
    mount: str = ""


class RegistrationBody(BaseModel):
    """The body of a PUT of an install."""

    model_config = ConfigDict(strict=True, extra="forbid")

    tenantId: _Id  # noqa: N815 - the contract's names
    registryId: _Id  # noqa: N815
    versionId: _Id  # noqa: N815
    contentHash: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9A-Za-z]{1,64}$")]  # noqa: N815
    manifest: _Manifest
    grantedCapabilities: _Names  # noqa: N815
    enabled: bool = True
    config: dict[str, Any] | None = None
    secretEnvelope: dict[str, Any] | None = Field(None)  # noqa: N815


def parse_registration(
    body: Mapping[str, Any], known_capabilities: Collection[str] = KNOWN_CAPABILITIES
) -> Registration:
    """Return what the platform declares of an install.

    Raises:
        ValidationFailed: The body is invalid; the error names every invalid field.
    """
    texts = _dump_fields(body)
    errors = (
        find_type_errors(RegistrationBody, body)
        | _find_envelope_errors(body.get("secretEnvelope"))
        | _find_capability_errors(body, known_capabilities)
        | _find_size_errors(texts)
    )
    if errors:
        raise ValidationFailed.from_field_errors(errors)
    model = RegistrationBody.model_validate(body)
    requested = normalize_capabilities(model.grantedCapabilities)
    return Registration(
        tenant_id=model.tenantId,
        registry_id=model.registryId,
        content_hash=model.contentHash,
        granted_capabilities=requested.intersection(known_capabilities) | ALWAYS_GRANTED,
        ignored_capabilities=requested.difference(known_capabilities),
        enabled=model.enabled,
        extension_name=model.manifest.name,
        extension_version=model.manifest.version,
        version=_build_version(model, texts["manifest"]),
        config=InstallConfig(config=texts["config"], secret_envelope=texts["secretEnvelope"]),
    )


def parse_put_options(request: Request) -> PutOptions:
    """Return how the install is to be put, and by whom.

    Raises:
        ValidationFailed: A query parameter has an unknown value.
    """
    on_missing_endpoint, dry_run = parse_both(
        lambda: _parse_choice(request, "onMissingEndpoint", ("reject", "disable")),
        lambda: _parse_choice(request, "dryRun", ("false", "true")),
    )
    return PutOptions(
        actor=admin_actor(request.principal),
        disable_missing=on_missing_endpoint == "disable",
        dry_run=dry_run == "true",
    )


def _parse_choice(request: Request, name: str, choices: Sequence[str]) -> str:
    """Return a query parameter that must be one of the choices; the default is the first."""
    text = request.query_parameter(name)
    if text is None:
        return choices[0]
    if text not in choices:
        raise ValidationFailed.from_field_errors({name: f"{name} must be {' or '.join(choices)}"})
    return text


def _find_envelope_errors(envelope: object) -> dict[str, str]:
    """Return the errors of an envelope, which is an object; an empty one counts as none."""
    if not isinstance(envelope, dict) or not envelope:
        return {}
    return find_type_errors(SecretEnvelope, envelope, prefix="secretEnvelope.")


def _stringify_values(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the configuration as a runner takes it, with strings as its only values."""
    return {name: _stringify_value(value) for name, value in config.items()}


def _stringify_value(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else exact_json.dumps(value)


def _find_capability_errors(body: Mapping[str, Any], known_capabilities: Collection[str]) -> dict[str, str]:
    """Return an error if the manifest does not request what is granted; a list that cannot be read has its own."""
    granted, manifest = body.get("grantedCapabilities"), body.get("manifest")
    requested = manifest.get("capabilities", []) if isinstance(manifest, dict) else None
    if not (_has_only_strings(granted) and _has_only_strings(requested)):
        return {}
    known = normalize_capabilities(granted).intersection(known_capabilities)
    undeclared = known - normalize_capabilities(requested) - ALWAYS_GRANTED
    return (
        {"grantedCapabilities": f"Not in the manifest: {', '.join(sorted(undeclared))}"} if undeclared else {}
    )


def _has_only_strings(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _dump_fields(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the objects in the body as the JSON texts to store; anything else counts as an empty one."""
    manifest, config, envelope = (
        value if isinstance(value := body.get(name), dict) else {} for name in _MAX_BYTES
    )
    return {
        "manifest": exact_json.dumps(manifest, sort_keys=True),
        "config": exact_json.dumps(_stringify_values(config)),
        "secretEnvelope": exact_json.dumps(envelope),
    }


def _find_size_errors(texts: Mapping[str, str]) -> dict[str, str]:
    return {
        name: f"Larger than {_MAX_BYTES[name]} bytes"
        for name, text in texts.items()
        if len(text.encode()) > _MAX_BYTES[name]
    }


def _build_version(model: RegistrationBody, manifest_text: str) -> Version:
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
