"""What `extension-sdk check` finds: mistakes that would show only in the component or on the platform."""

import ast
import importlib
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from extension_sdk import DesiredSchedule, Extension, host
from extension_sdk.testing import FakeHost
from extension_sdk_rules.endpoints import normalize_path
from extension_sdk_rules.install import KNOWN_CAPABILITIES, normalize_capabilities

from extension_sdk_cli.limits import UNAVAILABLE_MODULES
from extension_sdk_cli.project import Project
from extension_sdk_cli.sources import find_imports, list_files

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_OWN_MODULES = {"extension_sdk", "tzdata"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake, and where it is: `app.py:12`, or `manifest.json`."""

    place: str
    text: str


def find_problems(project: Project) -> list[Problem]:
    """Return the mistakes of an extension."""
    try:
        problems = [*_check_manifest(project.manifest), *_check_imports(project)]
    except SyntaxError as error:
        return [Problem(f"{Path(error.filename or '').name}:{error.lineno}", error.msg)]
    if problems:
        return problems  # the rest relies on them
    with _importing_from(project.folder):
        try:
            app = importlib.import_module("app")
        except Exception:  # noqa: BLE001 - whatever the extension raises is what its author has to read
            return [Problem("app.py", f"cannot be imported:\n{traceback.format_exc(limit=-3)}")]
        extension = getattr(app, "app", None)
        if not isinstance(extension, Extension):
            return [Problem("app.py", "it must define `app = Extension()`")]
        return [
            *_check_endpoints(project.manifest, extension),
            *_check_declared_schedules(project, app),
            *_check_literal_schedules(project),
        ]


def _check_manifest(manifest: dict[str, Any]) -> Iterator[Problem]:
    for name in ("name", "publisher", "version"):
        if not (isinstance(manifest.get(name), str) and manifest[name]):
            yield Problem("manifest.json", f"{name} is required, a text")
    capabilities = manifest.get("capabilities", [])
    if not _is_list_of(capabilities, str):
        yield Problem("manifest.json", "capabilities must be a list of texts")
    else:
        unknown = sorted(normalize_capabilities(capabilities) - KNOWN_CAPABILITIES)
        for capability in unknown:
            yield Problem("manifest.json", f"unknown capability {capability!r}")
    api = manifest.get("api")
    endpoints = api.get("endpoints") if isinstance(api, dict) else None
    if not isinstance(endpoints, list) or not _is_list_of(endpoints, dict):
        yield Problem("manifest.json", "api.endpoints is required, a list of objects")
        return
    seen = set()
    for number, endpoint in enumerate(endpoints):
        yield from _check_endpoint(f"api.endpoints[{number}]", endpoint)
        key = (str(endpoint.get("method")).upper(), normalize_path(str(endpoint.get("path"))))
        if key in seen:
            yield Problem("manifest.json", f"api.endpoints[{number}]: {' '.join(key)} is there twice")
        seen.add(key)


def _check_endpoint(place: str, endpoint: dict[str, Any]) -> Iterator[Problem]:
    for name in ("method", "path", "handler"):
        if not (isinstance(endpoint.get(name), str) and endpoint[name]):
            yield Problem("manifest.json", f"{place}.{name} is required, a text")
    method = endpoint.get("method")
    if isinstance(method, str) and method.upper() not in _METHODS:
        yield Problem("manifest.json", f"{place}.method: {method!r} is no method of HTTP")


def _is_list_of(value: object, item_type: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, item_type) for item in value)


def _check_imports(project: Project) -> Iterator[Problem]:
    own = {
        path.relative_to(project.folder).parts[0].removesuffix(".py") for path in list_files(project.folder)
    }
    for found in find_imports(project.folder):
        top = found.module.partition(".")[0]
        place = f"{found.path.relative_to(project.folder)}:{found.line}"
        if _is_unavailable(found.module) and top not in own:
            yield Problem(place, f"the component's Python has no module {found.module}")
        elif found.required and top not in own | _OWN_MODULES | sys.stdlib_module_names:
            yield Problem(
                place,
                f"{top} is not part of the extension: put it into its folder (pip install --target . {top})",
            )


def _is_unavailable(module: str) -> bool:
    parts = module.split(".")
    return any(".".join(parts[:length]) in UNAVAILABLE_MODULES for length in range(1, len(parts) + 1))


def _check_endpoints(manifest: dict[str, Any], extension: Extension) -> Iterator[Problem]:
    declared = {
        (endpoint["method"].upper(), normalize_path(endpoint["path"]))
        for endpoint in manifest["api"]["endpoints"]
    }
    handled = {(method, normalize_path(path)) for method, path in extension.routes}
    for method, path in sorted(declared - handled):
        yield Problem(
            "manifest.json", f"{method} {path} has no handler: no function of app.py is registered for it"
        )
    for method, path in sorted(handled - declared):
        yield Problem("app.py", f"{method} {path} is not in manifest.json: the platform will not route to it")


def _check_declared_schedules(project: Project, app: ModuleType) -> Iterator[Problem]:
    """Try every schedule that a module declares, by the service's own rules."""
    for each in {id(each): each for each in _find_desired(vars(app).values())}.values():
        scheduler = FakeHost(project.manifest).scheduler
        try:
            refused = scheduler.sync([each]).refused
        except (TypeError, ValueError) as error:
            yield Problem("app.py", f"schedule {each.name!r}: {error}")
            continue
        for result in refused.values():
            yield from (
                Problem("app.py", f"schedule {each.name!r}: {_describe(name, text)}")
                for name, text in (result.field_errors or {"": result.error or ""}).items()
            )


def _find_desired(values: Iterable[object]) -> Iterator[DesiredSchedule]:
    for value in values:
        if isinstance(value, DesiredSchedule):
            yield value
        elif isinstance(value, dict):
            yield from _find_desired(value.values())
        elif isinstance(value, list | tuple | set):
            yield from _find_desired(value)


def _check_literal_schedules(project: Project) -> Iterator[Problem]:
    """Try every `host.scheduler.create(…)` whose arguments are written out."""
    for path in list_files(project.folder):
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "host.scheduler.create":
                place = f"{path.relative_to(project.folder)}:{node.lineno}"
                yield from _try_create(project, place, node)


def _try_create(project: Project, place: str, node: ast.Call) -> Iterator[Problem]:
    try:
        arguments = [ast.literal_eval(argument) for argument in node.args]
        keywords = {each.arg: ast.literal_eval(each.value) for each in node.keywords if each.arg}
    except ValueError:
        return  # computed: only a test can try it
    try:
        result = FakeHost(project.manifest).scheduler.create(*arguments, **keywords)
    except (TypeError, ValueError) as error:
        yield Problem(place, str(error))
        return
    for name, text in (result.field_errors or ({"": result.error} if result.error else {})).items():
        yield Problem(place, _describe(name, text))


def _describe(name: str, text: str) -> str:
    return f"{name}: {text}" if name else text


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Import the extension's modules from its folder, and forget them afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    host.connect(FakeHost({"api": {"endpoints": []}}))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            del sys.modules[name]
