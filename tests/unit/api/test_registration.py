from copy import deepcopy
from typing import Any

import pytest
from scheduling.api.registration import parse_registration
from scheduling.domain.errors import ValidationFailed
from scheduling.domain.exact_json import Number, dumps, loads
from scheduling.domain.ids import endpoint_id
from scheduling.domain.install import InstallConfig

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


def without(name: str) -> dict[str, Any]:
    return {field: value for field, value in BODY.items() if field != name}


def with_endpoints(*endpoints: object) -> dict[str, Any]:
    return with_manifest(api={"endpoints": list(endpoints)})


def refused(sent: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationFailed) as refusal:
        parse_registration(sent)
    assert str(refusal.value) == next(iter(refusal.value.field_errors.values()))
    return refusal.value.field_errors


def test_a_registration_says_what_the_body_says() -> None:
    given = parse_registration(body())

    assert given.tenant_id == "tenant-1"
    assert given.registry_id == "registry-1"
    assert given.content_hash == BODY["contentHash"]
    assert given.granted_capabilities == ALWAYS | {"cap:scheduler.manage"}
    assert given.enabled is True
    assert given.config == InstallConfig(config="{}", secret_envelope="{}")
    assert given.version.id == "version-1"
    (endpoint,) = given.version.endpoints
    assert (endpoint.method, endpoint.path, endpoint.handler) == ("POST", "/api/sync", "sync")
    assert endpoint.id == endpoint_id("registry-1", "POST", "/api/sync")


def test_what_may_be_left_out_is_taken_where_given() -> None:
    config, envelope = loads('{"rate":1.0,"é":1e400}'), loads('{"c":12345678901234567890123}')

    given = parse_registration(body(enabled=False, config=config, secretEnvelope=envelope))

    assert given.enabled is False
    assert given.config.config == '{"rate":1.0,"é":1e400}'
    assert given.config.secret_envelope == '{"c":12345678901234567890123}'


def test_null_config_and_secrets_are_none() -> None:
    assert parse_registration(body(config=None, secretEnvelope=None)).config == InstallConfig()


@pytest.mark.parametrize(
    ("asked", "granted", "held"),
    [
        pytest.param([], [], set(), id="none"),
        pytest.param(["cap:scheduler.manage"], [], set(), id="asked for and not granted"),
        pytest.param(
            [" CAP:Scheduler.Manage "],
            ["cap:SCHEDULER.manage\n"],
            {"cap:scheduler.manage"},
            id="trimmed and case-folded",
        ),
        pytest.param([], ["cap:log.emit", "cap:user.read"], set(), id="always granted ones, not asked for"),
        pytest.param([], ["cap:root", "x"], set(), id="unknown ones dropped"),
        pytest.param(["cap:root"], ["cap:root"], set(), id="unknown ones dropped though asked for"),
    ],
)
def test_granted_is_what_is_known_and_asked_for(asked: list[str], granted: list[str], held: set[str]) -> None:
    sent = {**with_manifest(capabilities=asked), "grantedCapabilities": granted}

    assert parse_registration(sent).granted_capabilities == ALWAYS | held


def test_a_manifest_without_capabilities_asks_for_none() -> None:
    manifest = {name: value for name, value in MANIFEST.items() if name != "capabilities"}

    assert parse_registration(body(manifest=manifest, grantedCapabilities=[])).granted_capabilities == ALWAYS


def test_a_capability_that_is_not_in_the_manifest_cannot_be_granted() -> None:
    sent = {
        **with_manifest(capabilities=["cap:http.fetch"]),
        "grantedCapabilities": ["cap:ui.proxy", "cap:scheduler.manage", "cap:http.fetch"],
    }

    assert refused(sent) == {"grantedCapabilities": "Not in the manifest: cap:scheduler.manage, cap:ui.proxy"}


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
        *(pytest.param(without(name), {name: f"{name} is required"}, id=f"no {name}") for name in BODY),
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
def test_every_field_at_fault_is_named(sent: dict[str, Any], errors: dict[str, str]) -> None:
    assert refused(sent) == errors


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
def test_an_id_or_hash_that_could_not_be_passed_on_is_refused(field: str, value: str) -> None:
    errors = refused(body(**{field: value}))

    assert list(errors) == [field]
    assert errors[field].startswith(f"{field} is not valid: ")


@pytest.mark.parametrize(
    ("endpoint", "field"),
    [
        ({"method": "", "path": "/a", "handler": "h"}, "method"),
        ({"method": "G T", "path": "/a", "handler": "h"}, "method"),
        ({"method": "GET", "path": "", "handler": "h"}, "path"),
        ({"method": "GET", "path": "/" * 257, "handler": "h"}, "path"),
        ({"method": "GET", "path": "/a", "handler": ""}, "handler"),
    ],
    ids=["no method", "method with a space", "no path", "path of 257", "no handler"],
)
def test_an_endpoint_that_is_not_valid_is_named(endpoint: dict[str, str], field: str) -> None:
    errors = refused(with_endpoints(endpoint))

    assert list(errors) == [f"manifest.api.endpoints.0.{field}"]


def test_endpoints_are_normalized_and_sorted_by_path_then_method() -> None:
    given = parse_registration(
        with_endpoints(
            {"method": "post", "path": "b", "handler": "1"},
            {"method": "GET", "path": "//b", "handler": "2"},
            {"method": "Get", "path": "/a//:id", "handler": "3"},
            {"method": "DELETE", "path": "/a", "handler": "4"},
        )
    )

    assert [(e.method, e.path, e.handler, e.schedulable) for e in given.version.endpoints] == [
        ("DELETE", "/a", "4", False),
        ("GET", "/a/:id", "3", False),
        ("GET", "/b", "2", True),
        ("POST", "/b", "1", True),
    ]


def test_an_endpoint_keeps_its_id_in_another_version() -> None:
    one = parse_registration(body()).version.endpoints[0]
    two = parse_registration(body(versionId="version-2", contentHash="sha256:00")).version.endpoints[0]

    assert one.id == two.id


def reordered() -> dict[str, Any]:
    return dict(reversed(MANIFEST.items()))


@pytest.mark.parametrize(
    ("manifest", "same"),
    [
        pytest.param(deepcopy(MANIFEST), True, id="again"),
        pytest.param(reordered(), True, id="in another order"),
        pytest.param({**MANIFEST, "version": "1.0.1"}, False, id="another version"),
        pytest.param({**MANIFEST, "description": "new"}, False, id="a field that is not read"),
        pytest.param(
            {**MANIFEST, "capabilities": [*reversed(MANIFEST["capabilities"])]},
            False,
            id="another order in an array",
        ),
    ],
)
def test_a_manifest_is_known_again_by_its_hash(manifest: dict[str, Any], same: bool) -> None:
    first, second = parse_registration(body()).version, parse_registration(body(manifest=manifest)).version

    assert (first.manifest_hash == second.manifest_hash) is same


@pytest.mark.parametrize("field", ["config", "secretEnvelope"])
def test_a_config_may_have_100000_bytes_and_no_more(field: str) -> None:
    around = len('{"a":""}')

    parse_registration(body(**{field: {"a": "é" * ((100_000 - around) // 2)}}))
    assert refused(body(**{field: {"a": "é" * ((100_000 - around) // 2) + "x"}})) == {
        field: "Larger than 100000 bytes"
    }


def test_a_manifest_may_have_100000_bytes_and_no_more() -> None:
    around = len(dumps({**MANIFEST, "description": ""}))

    parse_registration(with_manifest(description="x" * (100_000 - around)))
    assert refused(with_manifest(description="x" * (100_001 - around))) == {
        "manifest": "Larger than 100000 bytes"
    }
