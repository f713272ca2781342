"""`extension-sdk check`: each mistake, and what its author reads."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from extension_sdk_cli.checks import find_problems
from extension_sdk_cli.project import Project

Manifest = dict[str, Any]


def describe_problems(project: Project) -> list[str]:
    return [f"{problem.place}: {problem.text}" for problem in find_problems(Project.open(project.folder))]


def change_manifest(project: Project, change: Callable[[Manifest], object]) -> None:
    path = project.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def append_source(project: Project, text: str) -> int:
    """Append to `app.py`, and return the number of the first new line."""
    path = project.folder / "app.py"
    lines = path.read_text().count("\n")
    path.write_text(path.read_text() + text)
    return lines + 1


def test_new_extension_has_no_problems(project: Project) -> None:
    assert describe_problems(project) == []


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        pytest.param(lambda m: m.pop("version"), ["version is required, a text"], id="no version"),
        pytest.param(lambda m: m.update(name=5), ["name is required, a text"], id="name of a wrong type"),
        pytest.param(
            lambda m: m.update(capabilities="cap:log.emit"),
            ["capabilities must be a list of texts"],
            id="capabilities of a wrong type",
        ),
        pytest.param(
            lambda m: m["capabilities"].append("cap:scheduler"),
            ["unknown capability 'cap:scheduler'"],
            id="unknown capability",
        ),
        pytest.param(
            lambda m: m.pop("api"), ["api.endpoints is required, a list of objects"], id="no endpoints"
        ),
        pytest.param(
            lambda m: m["api"]["endpoints"].append({"method": "GO", "path": "/a", "handler": "a"}),
            ["api.endpoints[2].method: 'GO' is no method of HTTP"],
            id="unknown method",
        ),
        pytest.param(
            lambda m: m["api"]["endpoints"].append({"method": "GET"}),
            ["api.endpoints[2].path is required, a text", "api.endpoints[2].handler is required, a text"],
            id="incomplete endpoint",
        ),
        pytest.param(
            lambda m: m["api"]["endpoints"].append({"method": "post", "path": "//api/count", "handler": "a"}),
            ["api.endpoints[2]: POST /api/count is there twice"],
            id="endpoint twice",
        ),
        pytest.param(
            lambda m: m["api"]["endpoints"].append({"method": "GET", "path": "/api/a", "handler": "a"}),
            ["GET /api/a has no handler: no function of app.py is registered for it"],
            id="missing handler",
        ),
    ],
)
def test_bad_manifest(change: Callable[[Manifest], object], problems: list[str], project: Project) -> None:
    change_manifest(project, change)
    assert describe_problems(project) == [f"manifest.json: {problem}" for problem in problems]


def test_handler_without_endpoint(project: Project) -> None:
    append_source(
        project, '\n\n@app.get("/api/more/:id")\ndef more(_request: Request) -> Json:\n    return {}\n'
    )
    text = "GET /api/more/:id is not in manifest.json: the platform will not route to it"
    assert describe_problems(project) == [f"app.py: {text}"]


@pytest.mark.parametrize(
    ("declaration", "problem"),
    [
        pytest.param(
            'DesiredSchedule("a", "POST /api/count", "* * * * *")',
            "cron: Cron too frequent (minimum interval is 5 minutes)",
            id="wrong cron",
        ),
        pytest.param(
            'DesiredSchedule("a", "POST /api/other", "0 * * * *")',
            "endpoint: Endpoint not found or not schedulable",
            id="unknown endpoint",
        ),
        pytest.param(
            'DesiredSchedule("a", "POST /api/count", "0 * * * *", timezone="Mars/Olympus")',
            "timezone: Invalid timezone",
            id="unknown zone",
        ),
        pytest.param(
            'DesiredSchedule("a", "POST /api/count", "0 * * * *", payload={"at": float("nan")})',
            "payload is not JSON: Out of range float values are not JSON compliant: nan",
            id="payload that is not JSON",
        ),
    ],
)
def test_declared_schedule_breaks_a_rule(declaration: str, problem: str, project: Project) -> None:
    append_source(project, f"\nMORE = {{'more': [{declaration}]}}\n")
    (found,) = describe_problems(project)
    assert found.removesuffix(": nan") == f"app.py: schedule 'a': {problem}".removesuffix(": nan")


def test_created_schedule_breaks_a_rule(project: Project) -> None:
    line = append_source(
        project,
        "\n\ndef create(cron: str) -> None:\n"
        '    host.scheduler.create("POST /api/count", "0 9 * * 8", name="a")\n'
        '    host.scheduler.create("POST /api/count", cron)\n'
        '    host.scheduler.create("/api/count", "0 9 * * *", name=5)\n',
    )
    first, second = describe_problems(project)
    assert first.startswith(f"app.py:{line + 3}: cron: ")
    assert second == f"app.py:{line + 5}: name must be a str, not int"


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("import bz2", "the component's Python has no module bz2"),
        ("import ctypes.util", "the component's Python has no module ctypes.util"),
        ("from ssl import SSLContext", "the component's Python has no module ssl"),
        (
            "import requests",
            "requests is not part of the extension: put it into its folder (pip install --target . requests)",
        ),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_import_that_will_not_exist(statement: str, problem: str, late: bool, project: Project) -> None:
    source = f"\n\ndef work() -> None:\n    {statement}\n" if late else f"\n\n\n{statement}\n"
    line = append_source(project, source)
    assert f"app.py:{line + 3}: {problem}" in describe_problems(project)


def test_imports_that_exist(project: Project) -> None:
    (project.folder / "package").mkdir()
    (project.folder / "package" / "__init__.py").write_text("from . import inner\n")
    (project.folder / "package" / "inner.py").write_text("import zoneinfo\n\nfrom package import other\n")
    (project.folder / "package" / "other.py").write_text("")
    append_source(project, "\n\ndef work() -> None:\n    import decimal\n\n    import package.inner\n")
    assert describe_problems(project) == []


def test_source_that_is_not_python(project: Project) -> None:
    line = append_source(project, "def\n")
    assert describe_problems(project) == [f"app.py:{line}: invalid syntax"]


def test_app_that_raises(project: Project) -> None:
    append_source(project, "\n1 / 0\n")
    (problem,) = describe_problems(project)
    assert problem.startswith("app.py: cannot be imported:\nTraceback")
    assert problem.endswith("ZeroDivisionError: division by zero\n")


def test_app_without_an_extension(project: Project) -> None:
    (project.folder / "app.py").write_text("app = 5\n")
    assert describe_problems(project) == ["app.py: it must define `app = Extension()`"]
