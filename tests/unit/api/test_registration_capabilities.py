"""The capabilities of a registration."""

import pytest
from scheduling.api.registration import parse_registration
from scheduling.domain.errors import ValidationFailed
from scheduling.domain.install import KNOWN_CAPABILITIES

from tests.unit.api.registration_bodies import ALWAYS, MANIFEST, body, refusal_errors, with_manifest


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
