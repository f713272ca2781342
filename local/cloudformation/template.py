"""A SAM template, expanded offline to CloudFormation and resolved as CloudFormation resolves it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]
from samtranslator.model.exceptions import InvalidDocumentException  # type: ignore[import-untyped]
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]
from samtranslator.yaml_helper import intrinsics_multi_constructor  # type: ignore[import-untyped]

from local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NO_VALUE = "AWS::NoValue"
_REFERENCE = re.compile(r"\$\{(!?)([^}]+)\}")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A loader that knows the short forms of the intrinsic functions; in C, it takes a tenth of the time."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


class _NoManagedPolicies:
    """A policy loader without policies: SAM resolves managed policy names in IAM, but the template has none."""

    @staticmethod
    def load() -> dict[str, str]:
        return {}


@dataclass(frozen=True)
class Resource:
    """A resource of the expanded template, with unresolved properties."""

    type: str
    properties: dict[str, Any]


@dataclass
class Template:
    """An expanded template: resources, and the values to which references resolve."""

    resources: dict[str, Resource]
    conditions: dict[str, Any]
    values: dict[str, Any]
    code_folders: dict[str, Path]
    """The folder of each function and layer, by logical id."""
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    """The values of ``Ref`` and ``Fn::GetAtt`` for each resource, set when the resource is created."""
    outputs: dict[str, Any] = field(default_factory=dict)
    """The outputs, unresolved."""

    @property
    def parameters(self) -> dict[str, str]:
        """The values of the template's parameters, as text, as CloudFormation returns them."""
        return {name: str(value) for name, value in self.values.items() if not name.startswith("AWS::")}

    def properties_by_type(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """Return the resolved properties of every resource of a type, by logical id."""
        return {
            name: self.resolve(resource.properties)
            for name, resource in self.resources.items()
            if resource.type == resource_type
        }

    def sort_by_dependency(self) -> list[str]:
        """Return the logical ids of the resources, each after those that its properties refer to."""
        graph = {
            name: set(_find_references(resource.properties)) & self.resources.keys() - {name}
            for name, resource in self.resources.items()
        }
        return list(TopologicalSorter(graph).static_order())

    def resolve(self, value: Any) -> Any:
        """Return a value with every intrinsic function in it replaced by its result."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item != NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return self._resolve_intrinsic(name, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item != NO_VALUE}

    def _resolve_intrinsic(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._resolve_reference(argument)
            case "Fn::GetAtt":
                return self._resolve_attribute(*argument)
            case "Fn::Sub":
                return self._substitute(argument)
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolve(then if self.is_condition_met(condition) else otherwise)
            case "Fn::Split":
                separator, text = argument
                return str(self.resolve(text)).split(separator)
            case "Fn::Select":
                index, items = argument
                return self.resolve(items)[int(index)]
        raise StackError(f"the local stack has no rule for {name}")

    def _resolve_reference(self, name: str) -> Any:
        if name == NO_VALUE:
            return NO_VALUE
        if name in self.values:
            return self.values[name]
        return self._resolve_attribute(name, "Ref")

    def _resolve_attribute(self, name: str, attribute: str) -> str:
        try:
            return self.attributes[name][attribute]
        except KeyError:
            raise StackError(f"the local stack has no rule for {attribute} of {name}") from None

    def _substitute(self, argument: str | list[Any]) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})

        def resolve_match(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in variables:
                return str(self.resolve(variables[name]))
            resource, _, attribute = name.partition(".")
            return str(
                self._resolve_attribute(resource, attribute) if attribute else self._resolve_reference(name)
            )

        return _REFERENCE.sub(resolve_match, text)

    def is_condition_met(self, name: str) -> bool:
        """Return whether the named condition of the template is true."""
        return self._evaluate_condition(self.conditions[name])

    def _evaluate_condition(self, condition: Any) -> bool:
        ((name, arguments),) = condition.items()
        match name:
            case "Condition":
                return self.is_condition_met(arguments)
            case "Fn::And":
                return all(map(self._evaluate_condition, arguments))
            case "Fn::Or":
                return any(map(self._evaluate_condition, arguments))
            case "Fn::Equals":
                left, right = self.resolve(arguments)
                return bool(left == right)
            case "Fn::Not":
                return not self._evaluate_condition(arguments[0])
        raise StackError(f"the local stack has no rule for the condition {name}")


def _find_references(value: Any) -> Iterator[str]:
    """Yield the names that a property's value refers to."""
    if isinstance(value, list):
        for item in value:
            yield from _find_references(item)
    if not isinstance(value, dict):
        return
    for key, argument in value.items():
        if key == "Ref":
            yield argument
        elif key == "Fn::GetAtt":
            yield argument[0]
        elif key == "Fn::Sub":
            text = argument[0] if isinstance(argument, list) else argument
            yield from (name.partition(".")[0] for _, name in _REFERENCE.findall(text))
        yield from _find_references(argument)


def parse_template(text: str) -> dict[str, Any]:
    """Return what a template's YAML says, with every intrinsic function in its long form."""
    return dict(yaml.load(text, _Loader))  # noqa: S506 (a safe loader)


def expand_template(
    path: Path, parameters: Mapping[str, str], pseudo_parameters: Mapping[str, str]
) -> Template:
    """Read a SAM template and expand it; SAM reads the region from the environment.

    Raises:
        StackError: SAM refuses the template, a parameter has no value, or the template does not have the parameter.
    """
    source = parse_template(path.read_text(encoding="utf-8"))
    values = _resolve_parameters(source.get("Parameters", {}), parameters)
    code_folders = _extract_code_folders(source["Resources"], path.parent)
    try:
        # As text, like CloudFormation's: SAM puts the values into descriptions.
        expanded = transform(
            source, {name: str(value) for name, value in values.items()}, _NoManagedPolicies()
        )
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise StackError(f"{path.name}: {causes}") from None
    template = Template(
        resources={},
        conditions=expanded.get("Conditions", {}),
        values={**pseudo_parameters, **values},
        code_folders=code_folders,
        outputs=expanded.get("Outputs", {}),
    )
    template.resources = {
        name: Resource(resource["Type"], resource.get("Properties", {}))
        for name, resource in expanded["Resources"].items()
        if "Condition" not in resource or template.is_condition_met(resource["Condition"])
    }
    return template


def _resolve_parameters(declared: Mapping[str, Any], overrides: Mapping[str, str]) -> dict[str, Any]:
    if unknown := sorted(set(overrides) - set(declared)):
        raise StackError(f"the template has no parameter {', '.join(unknown)}")
    values = {name: overrides.get(name, spec.get("Default")) for name, spec in declared.items()}
    if missing := sorted(name for name, value in values.items() if value is None):
        raise StackError(f"the template's parameter {', '.join(missing)} needs a value")
    return values


def _extract_code_folders(resources: Mapping[str, Any], root: Path) -> dict[str, Path]:
    """Return the code folders and replace them by bucket URLs, since SAM expands packaged templates only."""
    code_folders = {}
    for name, resource in resources.items():
        for key in ("CodeUri", "ContentUri"):
            if key in resource.get("Properties", {}):
                code_folders[name] = root / resource["Properties"][key]
                resource["Properties"][key] = f"s3://local/{name}"
    return code_folders
