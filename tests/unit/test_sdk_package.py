"""The SDK's package: its rules are the service's, and its interface has one version."""

import re
import tomllib
from typing import Any

import extension_sdk
import pytest

from local.settings import PROJECT_ROOT
from scripts.vendor_rules import TARGET, render_rules

SDK = PROJECT_ROOT / "sdk"


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((SDK / "pyproject.toml").read_text())["project"]  # type: ignore[no-any-return]


def test_rules_are_a_copy_of_the_services() -> None:
    copy = {
        path.relative_to(TARGET).as_posix(): path.read_text()
        for path in TARGET.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert copy == render_rules(), "run `make sdk`"


def test_interface_has_one_version(project: dict[str, Any]) -> None:
    wit = (SDK / "wit" / "extension.wit").read_text()
    assert re.findall(r"^/// .* Version (\S+)\.$", wit, re.MULTILINE) == [extension_sdk.WIT_VERSION]
    assert f"alga:extension={extension_sdk.WIT_VERSION}" in project["keywords"]
    assert f"version {extension_sdk.WIT_VERSION}." in project["description"]
    assert re.findall(r"^package (.*);$", wit, re.MULTILINE) == ["alga:extension"]


def test_versions_of_dependencies_are_the_projects(project: dict[str, Any]) -> None:
    root = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
    known = {
        *root["project"]["dependencies"],
        *root["project"]["optional-dependencies"]["admin"],
        *root["dependency-groups"]["local"],
    }
    assert {*project["dependencies"], *project["optional-dependencies"]["build"]} <= known


def test_licence_is_the_projects() -> None:
    assert (SDK / "LICENSE").read_text() == (PROJECT_ROOT / "LICENSE").read_text()
