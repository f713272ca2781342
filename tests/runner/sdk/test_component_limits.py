"""What works in an author's tests works in a component, and the guide's table has all that does not."""

import ast
from typing import Any

import pytest
from extension_sdk_cli.limits import LIMITS, UNAVAILABLE_MODULES, render_limits
from extension_sdk_cli.sources import find_imports

from samples.build import ROOT
from tests.support.components.client import ComponentClient

PROBE = ROOT / "tests" / "support" / "components" / "probe"
CASES = tuple(
    node.name
    for node in ast.parse((PROBE / "component_limits.py").read_text()).body
    if isinstance(node, ast.FunctionDef)
)
WORKING: dict[str, Any] = {
    "works_strptime": "2026-11-28T09:30:00",
    "works_time_strptime": 332,
    "works_late_import_of_the_standard_library": [2, "1.1"],
    "works_late_import_of_an_own_module": "imported late",
    "works_late_import_by_name": "imported late",
    "works_codecs": {
        **dict.fromkeys(("latin-1", "cp1252", "shift_jis", "idna", "gb18030", "koi8-r"), "6e6f"),
        "utf-16": "fffe6e006f00",
        "utf-8-sig": "efbbbf6e6f",
        "ebcdic": "A",
    },
    "works_data_of_a_package": [
        "text of the package",
        "text of the inner package",
        "text of the inner package",
        ["text.txt"],
    ],
    "works_zones": ["2026-07-01T02:00:00+02:00", "2026-12-01T00:00:00-03:00", True],
    "works_unknown_zone": "'No time zone found with key Europe/Nowhere'",
    "works_email": (
        'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nContent-Type: text/plain; charset="utf-8"\n'
        "Content-Transfer-Encoding: base64\nMIME-Version: 1.0\n\nw7wK\n"
    ),
    "works_xml": {"c": "d"},
    "works_long_number": 34,
    "works_recursion": "RecursionError",
    "works_traceback": [
        "    return [] + {}  # type: ignore[operator]",
        "           ~~~^~~~",
        'TypeError: can only concatenate list (not "dict") to list',
    ],
}
FAILING = {
    "fails_computed_import": "ModuleNotFoundError: No module named 'data_package.not_imported'",
    "fails_import_ctypes": "ModuleNotFoundError: No module named 'ctypes'",
    "fails_unavailable_modules": f"ModuleNotFoundError: all {len(UNAVAILABLE_MODULES)}",
    "fails_file": "FileNotFoundError: ",
    "fails_temporary_file": "FileNotFoundError: ",
    "fails_network": "PermissionError: ",
    "fails_asyncio": "PermissionError: ",
    "fails_thread": "RuntimeError: can't start new thread",
    "fails_process": "OSError: ",
    "fails_environment": "KeyError: 'PATH'",
    "fails_local_time_zone": "AttributeError: module 'time' has no attribute 'tzset'",
    "fails_package_metadata": "PackageNotFoundError: ",
}


def call_case(probe: ComponentClient, name: str) -> Any:
    return probe.execute_request("GET", f"/limits/{name}").json()


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("works_")])
def test_case_works_in_a_component(name: str, probe: ComponentClient) -> None:
    outcome = call_case(probe, name)
    assert "error" not in outcome, outcome
    if name in WORKING:
        assert outcome == {"value": WORKING[name]}


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("varies_")])
def test_value_varies_between_calls(name: str, probe: ComponentClient) -> None:
    assert len({call_case(probe, name)["value"] for _ in range(3)}) == 3


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("stays_")])
def test_value_is_that_of_the_build(name: str, probe: ComponentClient) -> None:
    assert len({call_case(probe, name)["value"] for _ in range(3)}) == 1


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("fails_")])
def test_case_fails_in_a_component(name: str, probe: ComponentClient) -> None:
    assert call_case(probe, name)["error"].startswith(FAILING[name])


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("ends_")])
def test_case_ends_the_execution(name: str, probe: ComponentClient) -> None:
    status, error = probe.execute_request("GET", f"/limits/{name}").failure
    assert status == 500
    assert error.startswith("execute_failed: ")


def test_table_has_all_that_does_not_work() -> None:
    shown = [case for limit in LIMITS for case in limit.cases]
    assert sorted(shown) == sorted(name for name in CASES if name.startswith(("fails_", "stays_", "ends_")))
    assert render_limits() in (ROOT / "docs" / "guide-extension.md").read_text()


def test_build_attempts_all_unavailable_modules() -> None:
    attempted = {found.module for found in find_imports(PROBE) if found.late}
    assert attempted >= UNAVAILABLE_MODULES
