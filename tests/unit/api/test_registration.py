from copy import deepcopy
from typing import Any

import pytest
from scheduling.api.registration import parse_registration
from scheduling.domain.errors import ValidationFailed
from scheduling.domain.exact_json import Number, dumps, loads
from scheduling.domain.ids import endpoint_id
from scheduling.domain.install import KNOWN_CAPABILITIES, InstallConfig

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


def create_body_without(name: str) -> dict[str, Any]:
    return {field: value for field, value in BODY.items() if field != name}


def with_endpoints(*endpoints: object) -> dict[str, Any]:
    return with_manifest(api={"endpoints": list(endpoints)})


def refusal_errors(sent: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationFailed) as refusal:
        parse_registration(sent)
    assert str(refusal.value) == next(iter(refusal.value.field_errors.values()))
    return refusal.value.field_errors


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


ENVELOPE = {"ciphertext_b64": "c2VjcmV0"}
FULL_ENVELOPE = {
    **ENVELOPE,
    "version": "1",
    "algorithm": "vault-transit",
    "expires_at": "2027-01-01T00:00:00Z",
    "key_path": "transit/keys/k",
    "mount": "transit",
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param('"text"', "text", id="text"),
        pytest.param('""', "", id="empty text"),
        pytest.param('"1"', "1", id="text of a number"),
        pytest.param("null", "", id="null"),
        pytest.param("1.0", "1.0", id="number"),
        pytest.param("1e400", "1e400", id="number beyond a float"),
        pytest.param("true", "true", id="true"),
        pytest.param('{ "a" : [ 1.0 , "é" ] }', '{"a":[1.0,"é"]}', id="object"),
        pytest.param("[ ]", "[]", id="array"),
    ],
)
def test_config_value_becomes_a_string(value: str, text: str) -> None:
    config = loads(f'{{"é":{value}}}')

    assert loads(parse_registration(body(config=config)).config.config) == {"é": text}


@pytest.mark.parametrize(
    "envelope", [ENVELOPE, FULL_ENVELOPE, {"ciphertext_b64": ""}], ids=["minimal", "full", "empty text"]
)
def test_secret_envelope_is_kept(envelope: dict[str, str]) -> None:
    assert loads(parse_registration(body(secretEnvelope=envelope)).config.secret_envelope) == envelope


@pytest.mark.parametrize("envelope", [None, {}], ids=["null", "empty object"])
def test_no_secret_envelope_is_none(envelope: object) -> None:
    assert parse_registration(body(secretEnvelope=envelope, config=None)).config == InstallConfig()
    assert parse_registration(body()).config == InstallConfig()


@pytest.mark.parametrize(
    ("envelope", "errors"),
    [
        pytest.param(
            {"version": "1"},
            {"secretEnvelope.ciphertext_b64": "secretEnvelope.ciphertext_b64 is required"},
            id="no ciphertext",
        ),
        pytest.param(
            {"ciphertext_b64": None},
            {"secretEnvelope.ciphertext_b64": "secretEnvelope.ciphertext_b64 must be a string"},
            id="null ciphertext",
        ),
        *(
            pytest.param(
                {**ENVELOPE, name: value},
                {f"secretEnvelope.{name}": f"secretEnvelope.{name} must be a string"},
                id=f"{name} {kind}",
            )
            for name in FULL_ENVELOPE
            if name != "ciphertext_b64"
            for kind, value in (("null", None), ("number", Number("1")), ("object", {}))
        ),
        pytest.param(
            {**ENVELOPE, "extra": "x"},
            {"secretEnvelope.extra": "secretEnvelope.extra is not a known field"},
            id="unknown field",
        ),
        pytest.param([], {"secretEnvelope": "secretEnvelope must be an object"}, id="empty array"),
        pytest.param("", {"secretEnvelope": "secretEnvelope must be an object"}, id="empty text"),
        pytest.param(False, {"secretEnvelope": "secretEnvelope must be an object"}, id="false"),
    ],
)
def test_invalid_secret_envelope_is_refused(envelope: object, errors: dict[str, str]) -> None:
    assert refusal_errors(body(secretEnvelope=envelope)) == errors


def test_envelope_is_reported_with_the_other_fields() -> None:
    errors = refusal_errors(body(tenantId=None, secretEnvelope={"mount": "m"}))

    assert list(errors) == ["tenantId", "secretEnvelope.ciphertext_b64"]


@pytest.mark.parametrize(
    ("requested", "granted", "expected"),
    [
        pytest.param([], [], set(), id="none"),
        pytest.param(["cap:scheduler.manage"], [], set(), id="requested and not granted"),
        pytest.param(
            [" CAP:Scheduler.Manage "],
            ["cap:SCHEDULER.manage\n"],
            {"cap:scheduler.manage"},
            id="trimmed and case-folded",
        ),
        pytest.param([], ["cap:log.emit", "cap:user.read"], set(), id="always granted ones, not requested"),
        pytest.param([], ["cap:root", "x"], set(), id="unknown ones ignored"),
        pytest.param(["cap:root"], ["cap:root"], set(), id="unknown ones ignored though requested"),
    ],
)
def test_granted_is_the_intersection_of_known_and_requested(
    requested: list[str], granted: list[str], expected: set[str]
) -> None:
    sent = {**with_manifest(capabilities=requested), "grantedCapabilities": granted}

    assert parse_registration(sent).granted_capabilities == ALWAYS | expected


def test_manifest_without_capabilities_requests_none() -> None:
    manifest = {name: value for name, value in MANIFEST.items() if name != "capabilities"}

    assert parse_registration(body(manifest=manifest, grantedCapabilities=[])).granted_capabilities == ALWAYS


@pytest.mark.parametrize(
    ("granted", "ignored"),
    [
        pytest.param([], set(), id="none"),
        pytest.param(["cap:http.fetch", "cap:log.emit"], set(), id="known ones"),
        pytest.param([" CAP:Root\n", "x", "cap:root"], {"cap:root", "x"}, id="trimmed and case-folded"),
        pytest.param(["cap:http.fetch", "cap:root"], {"cap:root"}, id="one of each"),
        pytest.param(["cap:extra.one"], {"cap:extra.one"}, id="known with the parameter only"),
    ],
)
def test_unknown_capabilities_are_ignored(granted: list[str], ignored: set[str]) -> None:
    assert parse_registration(body(grantedCapabilities=granted)).ignored_capabilities == ignored


@pytest.mark.parametrize("name", ["cap:invoice.manual.create", "cap:client.read", "cap:service.read"])
def test_capability_of_a_runner_is_known(name: str) -> None:
    sent = {**with_manifest(capabilities=[name]), "grantedCapabilities": [name]}

    assert parse_registration(sent).granted_capabilities == ALWAYS | {name}


def test_additional_capability_can_be_granted_if_the_manifest_requests_it() -> None:
    known = KNOWN_CAPABILITIES | {"cap:extra.one"}
    requested = {**with_manifest(capabilities=["CAP:extra.ONE"]), "grantedCapabilities": ["cap:extra.one"]}

    parsed = parse_registration(requested, known)

    assert parsed.granted_capabilities == ALWAYS | {"cap:extra.one"}
    assert parsed.ignored_capabilities == set()
    with pytest.raises(ValidationFailed, match=r"^Not in the manifest: cap:extra\.one$"):
        parse_registration(body(grantedCapabilities=["cap:extra.one"]), known)


def test_undeclared_capability_cannot_be_granted() -> None:
    sent = {
        **with_manifest(capabilities=["cap:http.fetch"]),
        "grantedCapabilities": ["cap:ui.proxy", "cap:scheduler.manage", "cap:http.fetch"],
    }

    assert refusal_errors(sent) == {
        "grantedCapabilities": "Not in the manifest: cap:scheduler.manage, cap:ui.proxy"
    }


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


@pytest.mark.parametrize(("field", "name"), [("config", "a"), ("secretEnvelope", "ciphertext_b64")])
def test_config_and_envelope_of_at_most_100000_bytes_are_accepted(field: str, name: str) -> None:
    length = 100_000 - len(f'{{"{name}":""}}')
    text = "é" * (length // 2) + "x" * (length % 2)

    parse_registration(body(**{field: {name: text}}))
    assert refusal_errors(body(**{field: {name: f"{text}x"}})) == {field: "Larger than 100000 bytes"}


@pytest.mark.parametrize("method", ["get", "HEAD", "Post", "PUT", "patch", "DELETE", "OPTIONS"])
def test_every_http_method_is_accepted_in_any_case(method: str) -> None:
    parsed = parse_registration(with_endpoints({"method": method, "path": "/a", "handler": "h"}))

    assert [endpoint.method for endpoint in parsed.version.endpoints] == [method.upper()]


def test_a_manifest_may_have_100000_bytes_and_no_more() -> None:
    around = len(dumps({**MANIFEST, "description": ""}))

    parse_registration(with_manifest(description="x" * (100_000 - around)))
    assert refusal_errors(with_manifest(description="x" * (100_001 - around))) == {
        "manifest": "Larger than 100000 bytes"
    }
