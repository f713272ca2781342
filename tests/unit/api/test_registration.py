from copy import deepcopy
from typing import Any

import pytest
from scheduling.api.registration import parse_registration
from scheduling.domain.exact_json import Number, dumps
from scheduling.domain.ids import endpoint_id
from scheduling.domain.install import InstallConfig

from tests.unit.api.registration_bodies import (
    ALWAYS,
    BODY,
    MANIFEST,
    body,
    refusal_errors,
    with_endpoints,
    with_manifest,
)


def create_body_without(name: str) -> dict[str, Any]:
    return {field: value for field, value in BODY.items() if field != name}


def test_registration_is_parsed_from_the_body() -> None:
    parsed = parse_registration(body())

    assert parsed.tenant_id == "tenant-1"
    assert parsed.registry_id == "registry-1"
    assert parsed.content_hash == BODY["contentHash"]
    assert parsed.granted_capabilities == ALWAYS | {"cap:scheduler.manage"}
    assert parsed.enabled is True
    assert parsed.config == InstallConfig(config="{}", secret_envelope="{}")
    assert parsed.version.id == "version-1"
    (endpoint,) = parsed.version.endpoints
    assert (endpoint.method, endpoint.path, endpoint.handler) == ("POST", "/api/sync", "sync")
    assert endpoint.id == endpoint_id("registry-1", "POST", "/api/sync")


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        pytest.param(
            {},
            {
                name: f"{name} is required"
                for name in (
                    "tenantId",
                    "registryId",
                    "versionId",
                    "contentHash",
                    "manifest",
                    "grantedCapabilities",
                )
            },
            id="nothing",
        ),
        *(
            pytest.param(create_body_without(name), {name: f"{name} is required"}, id=f"no {name}")
            for name in BODY
        ),
        pytest.param(body(tenantId=None), {"tenantId": "tenantId must be a string"}, id="null tenant"),
        pytest.param(body(tenantId=Number("1")), {"tenantId": "tenantId must be a string"}, id="number"),
        pytest.param(body(manifest=[]), {"manifest": "manifest must be an object"}, id="manifest an array"),
        pytest.param(body(manifest=None), {"manifest": "manifest must be an object"}, id="manifest null"),
        pytest.param(
            body(grantedCapabilities="x"),
            {"grantedCapabilities": "grantedCapabilities must be an array"},
            id="granted a text",
        ),
        pytest.param(
            body(grantedCapabilities=["x", None]),
            {"grantedCapabilities.1": "grantedCapabilities.1 must be a string"},
            id="granted null",
        ),
        pytest.param(body(enabled="true"), {"enabled": "enabled must be true or false"}, id="enabled a text"),
        pytest.param(body(config=[]), {"config": "config must be an object"}, id="config an array"),
        pytest.param(
            body(secretEnvelope="x"),
            {"secretEnvelope": "secretEnvelope must be an object"},
            id="envelope a text",
        ),
        pytest.param(body(extra=1), {"extra": "extra is not a known field"}, id="unknown field"),
        pytest.param(
            with_manifest(api=None), {"manifest.api": "manifest.api must be an object"}, id="api null"
        ),
        pytest.param(
            with_manifest(api={}),
            {"manifest.api.endpoints": "manifest.api.endpoints is required"},
            id="api empty",
        ),
        pytest.param(
            with_manifest(capabilities="x"),
            {"manifest.capabilities": "manifest.capabilities must be an array"},
            id="capabilities a text",
        ),
        pytest.param(
            with_manifest(name=Number("1"), version=None),
            {
                "manifest.name": "manifest.name must be a string",
                "manifest.version": "manifest.version must be a string",
            },
            id="name and version",
        ),
        pytest.param(
            with_endpoints({"method": "GET", "path": "/a", "handler": "h"}, {"method": "GET"}, "x"),
            {
                "manifest.api.endpoints.1.path": "manifest.api.endpoints.1.path is required",
                "manifest.api.endpoints.1.handler": "manifest.api.endpoints.1.handler is required",
                "manifest.api.endpoints.2": "manifest.api.endpoints.2 must be an object",
            },
            id="endpoints",
        ),
    ],
)
def test_every_invalid_field_is_named(sent: dict[str, Any], errors: dict[str, str]) -> None:
    assert refusal_errors(sent) == errors


@pytest.mark.parametrize("field", ["tenantId", "registryId", "versionId"])
@pytest.mark.parametrize("value", ["a", "!" * 128, "tenant#1/x"], ids=["1", "128", "signs"])
def test_an_id_may_have_1_to_128_printable_characters(field: str, value: str) -> None:
    parse_registration(body(**{field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            pytest.param(field, value, id=f"{field} {case}")
            for field in ("tenantId", "registryId", "versionId")
            for case, value in {
                "empty": "",
                "of 129": "a" * 129,
                "with a space": "a b",
                "with a line end": "a\n",
                "with a letter that no header takes": "é",
            }.items()
        ),
        pytest.param("contentHash", "", id="hash empty"),
        pytest.param("contentHash", "sha256:", id="hash without digits"),
        pytest.param("contentHash", "0f" * 32, id="hash without its kind"),
        pytest.param("contentHash", "md5:" + "0f" * 16, id="another hash"),
        pytest.param("contentHash", "sha256:../../x", id="hash with a path"),
        pytest.param("contentHash", "sha256:" + "0" * 65, id="hash too long"),
        pytest.param("contentHash", "sha256:00\n", id="hash with a line end"),
    ],
)
def test_unsafe_id_or_hash_is_refused(field: str, value: str) -> None:
    errors = refusal_errors(body(**{field: value}))

    assert list(errors) == [field]
    assert errors[field].startswith(f"{field} is not valid: ")


@pytest.mark.parametrize(
    ("endpoint", "field"),
    [
        ({"method": "", "path": "/a", "handler": "h"}, "method"),
        ({"method": "G T", "path": "/a", "handler": "h"}, "method"),
        ({"method": "FETCH", "path": "/a", "handler": "h"}, "method"),
        ({"method": "GETS", "path": "/a", "handler": "h"}, "method"),
        ({"method": "\u017fEARCH", "path": "/a", "handler": "h"}, "method"),
        ({"method": "GET", "path": "", "handler": "h"}, "path"),
        ({"method": "GET", "path": "/" * 257, "handler": "h"}, "path"),
        ({"method": "GET", "path": "/a", "handler": ""}, "handler"),
    ],
    ids=[
        "no method",
        "method with a space",
        "unknown method",
        "longer method",
        "unicode method",
        "no path",
        "path of 257",
        "no handler",
    ],
)
def test_invalid_endpoint_is_named(endpoint: dict[str, str], field: str) -> None:
    errors = refusal_errors(with_endpoints(endpoint))

    assert list(errors) == [f"manifest.api.endpoints.0.{field}"]


@pytest.mark.parametrize("method", ["get", "HEAD", "Post", "PUT", "patch", "DELETE", "OPTIONS"])
def test_every_http_method_is_accepted_in_any_case(method: str) -> None:
    parsed = parse_registration(with_endpoints({"method": method, "path": "/a", "handler": "h"}))

    assert [endpoint.method for endpoint in parsed.version.endpoints] == [method.upper()]


def test_endpoints_are_normalized_and_sorted_by_path_then_method() -> None:
    parsed = parse_registration(
        with_endpoints(
            {"method": "post", "path": "b", "handler": "1"},
            {"method": "GET", "path": "//b", "handler": "2"},
            {"method": "Get", "path": "/a//:id", "handler": "3"},
            {"method": "DELETE", "path": "/a", "handler": "4"},
        )
    )

    assert [(e.method, e.path, e.handler, e.schedulable) for e in parsed.version.endpoints] == [
        ("DELETE", "/a", "4", False),
        ("GET", "/a/:id", "3", False),
        ("GET", "/b", "2", True),
        ("POST", "/b", "1", True),
    ]


def test_endpoint_id_is_stable_across_versions() -> None:
    one = parse_registration(body()).version.endpoints[0]
    two = parse_registration(body(versionId="version-2", contentHash="sha256:00")).version.endpoints[0]

    assert one.id == two.id


def reordered() -> dict[str, Any]:
    return dict(reversed(MANIFEST.items()))


@pytest.mark.parametrize(
    ("manifest", "same"),
    [
        pytest.param(deepcopy(MANIFEST), True, id="unchanged"),
        pytest.param(reordered(), True, id="in another order"),
        pytest.param({**MANIFEST, "version": "1.0.1"}, False, id="another version"),
        pytest.param({**MANIFEST, "description": "new"}, False, id="another field"),
        pytest.param(
            {**MANIFEST, "capabilities": [*reversed(MANIFEST["capabilities"])]},
            False,
            id="another order in an array",
        ),
    ],
)
def test_manifest_hash_ignores_order(manifest: dict[str, Any], same: bool) -> None:
    first, second = parse_registration(body()).version, parse_registration(body(manifest=manifest)).version

    assert (first.manifest_hash == second.manifest_hash) is same


def test_a_manifest_may_have_100000_bytes_and_no_more() -> None:
    around = len(dumps({**MANIFEST, "description": ""}))

    parse_registration(with_manifest(description="x" * (100_000 - around)))
    assert refusal_errors(with_manifest(description="x" * (100_001 - around))) == {
        "manifest": "Larger than 100000 bytes"
    }
