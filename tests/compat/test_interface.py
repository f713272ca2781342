"""The component interface against `interface.json`, a copy of the deployed runners' interface."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from wasmtime import Config, Engine
from wasmtime.component import Component, ComponentInstanceType, FuncType, ValType

from runner.host.interface import PACKAGE_PREFIX, WIT_FILE, read_signatures
from runner.sandbox.component_types import describe_type
from tests.support.components.runner import build_sample, compile_component

INTERFACE = json.loads((Path(__file__).parent / "interface.json").read_text())
FUNCTIONS = {
    f"{interface}.{name}": function
    for interface, functions in INTERFACE["interfaces"].items()
    for name, function in functions.items()
}


def expand_type(text: str) -> str:
    """Return a type of `interface.json` with fields and cases in place of the names of types."""
    return re.sub(r"[a-z][\w-]*", lambda match: expand_name(match[0]), text)


def expand_name(name: str) -> str:
    definition = INTERFACE["types"].get(name)
    if definition is None:
        return name
    if cases := definition.get("enum"):
        return f"enum{{{', '.join(cases)}}}"
    fields = (f"{field}: {expand_type(type_text)}" for field, type_text in definition["record"])
    return f"record{{{', '.join(fields)}}}"


def expected_function(function: dict[str, Any]) -> tuple[list[tuple[str, str]], str | None]:
    parameters = [(name, expand_type(type_text)) for name, type_text in function["params"]]
    return parameters, function["result"] and expand_type(function["result"])


def actual_function(function: FuncType) -> tuple[list[tuple[str, str]], str | None]:
    parameters = [(name, describe_type(parameter)) for name, parameter in function.params]
    return parameters, describe_type(function.result) if function.result else None


@pytest.fixture(scope="module")
def engine() -> Engine:
    config = Config()
    config.epoch_interruption = True  # as the runner, which has compiled the component
    return Engine(config)


@pytest.fixture(scope="module")
def component(engine: Engine) -> Component:
    return Component.deserialize_file(engine, str(compile_component(build_sample())))


@pytest.fixture(scope="module")
def imports(engine: Engine, component: Component) -> dict[str, dict[str, Any]]:
    """The sample's imports of the package, by interface and name."""
    interfaces = {}
    for name, extern in component.type.imports(engine).items():
        interface = extern.ty
        if name.startswith(PACKAGE_PREFIX):
            assert isinstance(interface, ComponentInstanceType)
            items = {key: item.ty for key, item in interface.exports(engine).items()}
            interfaces[name.removeprefix(PACKAGE_PREFIX)] = items
    return interfaces


def test_sample_imports_the_interfaces(imports: dict[str, dict[str, Any]]) -> None:
    assert set(imports) == {"types", *INTERFACE["interfaces"]}


@pytest.mark.parametrize("path", FUNCTIONS)
def test_function_of_the_sample_has_the_exact_type(imports: dict[str, dict[str, Any]], path: str) -> None:
    interface, _, name = path.partition(".")
    function = imports[interface][name]
    assert isinstance(function, FuncType)
    assert actual_function(function) == expected_function(FUNCTIONS[path])


def test_sample_imports_nothing_else_of_the_package(imports: dict[str, dict[str, Any]]) -> None:
    functions = {
        f"{interface}.{name}"
        for interface, items in imports.items()
        for name, item in items.items()
        if not isinstance(item, ValType)
    }
    assert functions == set(FUNCTIONS)


def test_types_of_the_sample_are_exact(imports: dict[str, dict[str, Any]]) -> None:
    types = {name: describe_type(item) for name, item in imports["types"].items()}
    assert types == {name: expand_name(name) for name in INTERFACE["types"]}
    for interface in INTERFACE["interfaces"]:
        for name, item in imports[interface].items():
            if isinstance(item, ValType):
                assert describe_type(item) == expand_name(name)


def test_sample_exports_the_handler(engine: Engine, component: Component) -> None:
    handler = component.type.exports(engine)["handler"].ty
    assert isinstance(handler, FuncType)
    assert actual_function(handler) == expected_function(INTERFACE["exports"]["handler"])


def test_runner_expects_the_same_signatures() -> None:
    expected = {}
    for path, function in {**FUNCTIONS, **INTERFACE["exports"]}.items():
        parameters, result = expected_function(function)
        types = ", ".join(type_text for _, type_text in parameters)
        expected[path] = f"func({types})" + (f" -> {result}" if result else "")
    assert read_signatures() == expected


def test_package_and_world_are_named_exactly() -> None:
    lines = WIT_FILE.read_text().splitlines()
    assert f"package {INTERFACE['package']};" in lines
    assert f"world {INTERFACE['world']} {{" in lines
