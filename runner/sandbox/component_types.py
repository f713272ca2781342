"""Checks that a component's imports and export have exactly the types of the platform's interface."""

from wasmtime import Engine
from wasmtime.component import (
    Component,
    ComponentInstanceType,
    EnumType,
    FuncType,
    ListType,
    OptionType,
    RecordType,
    ResourceType,
    ResultType,
    TupleType,
    ValType,
)

from runner.errors import InvalidComponent
from runner.host.interface import EXPORT, PACKAGE_PREFIX, build_signature, read_signatures


def read_imports(component: Component, engine: Engine) -> dict[str, list[str]]:
    """Return the functions that a component imports of the platform's package, by interface.

    Raises:
        InvalidComponent: The platform has no such import, or one of another type; the text names it.
    """
    imports: dict[str, list[str]] = {}
    for name, extern in component.type.imports(engine).items():
        interface = extern.ty
        if name.startswith(PACKAGE_PREFIX) and isinstance(interface, ComponentInstanceType):
            items = {item_name: item.ty for item_name, item in interface.exports(engine).items()}
            imports[name] = [
                item_name for item_name, item in items.items() if _check_import(name, item_name, item)
            ]
    return imports


def check_export(component: Component, engine: Engine) -> None:
    """Check that a component exports the handler.

    Raises:
        InvalidComponent: There is no handler, or one of another type.
    """
    extern = component.type.exports(engine).get(EXPORT)
    function = extern.ty if extern else None
    if not isinstance(function, FuncType):
        raise InvalidComponent(f"the component does not export {EXPORT}")
    _check_signature(
        f"the component exports {EXPORT}", describe_function(function), read_signatures()[EXPORT]
    )


def describe_function(function: FuncType) -> str:
    """Return the signature of a function, as `read_signatures` does."""
    parameters = [describe_type(parameter) for _, parameter in function.params]
    return build_signature(parameters, describe_type(function.result) if function.result else "")


def describe_type(value: ValType) -> str:
    """Return a type in WIT notation, with fields and cases in place of the names of types."""
    match value:
        case RecordType():
            fields = (f"{name}: {describe_type(field)}" for name, field in value.fields)
            return f"record{{{', '.join(fields)}}}"
        case EnumType():
            return f"enum{{{', '.join(value.names)}}}"
        case TupleType():
            return f"tuple<{', '.join(map(describe_type, value.elements))}>"
        case ListType():
            return f"list<{describe_type(value.element)}>"
        case OptionType():
            return f"option<{describe_type(value.payload)}>"
        case ResultType():
            return _describe_result(value)
        case _:
            return type(value).__name__.removesuffix("Type").lower()


def _describe_result(value: ResultType) -> str:
    ok = describe_type(value.ok) if value.ok else "_"
    return f"result<{ok}, {describe_type(value.err)}>" if value.err else f"result<{ok}>"


def _check_import(interface: str, name: str, item: object) -> bool:
    """Return whether an item of an interface is a function, which the interface has with this type."""
    path = f"{interface}.{name}"
    if isinstance(item, ResourceType):
        raise InvalidComponent(f"the component imports {path}, which the platform does not have")
    if not isinstance(item, FuncType):
        return False
    expected = read_signatures().get(path.removeprefix(PACKAGE_PREFIX))
    if expected is None:
        raise InvalidComponent(f"the component imports {path}, which the platform does not have")
    _check_signature(f"the component imports {path}", describe_function(item), expected)
    return True


def _check_signature(subject: str, actual: str, expected: str) -> None:
    if actual != expected:
        pairs = enumerate(zip(actual, expected, strict=False))
        difference = next((index for index, (left, right) in pairs if left != right), 0)
        start = max(difference - 30, 0)
        raise InvalidComponent(
            f"{subject} with a type that differs: "
            f"`{actual[start : start + 80]}` is not `{expected[start : start + 80]}`"
        )
