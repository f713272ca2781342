"""The API's routes, its stack's limits and its texts, read from template.yaml and the handlers."""

import ast
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from local.cloudformation.template import parse_template
from scripts.iam_table import ROOT, expand_with_logical_ids
from scripts.openapi.schemas import Schema, Undescribed

_FUNCTION_PATTERN = re.compile(r"/functions/(\w+?)(?:Alias\w+)?/invocations$")
_LIMITS = "Limits, and what extensions may do"
SECURITY: Mapping[str, list[Schema]] = {
    "RunnerAuthorizer": [{"runnerToken": []}, {"callbackToken": []}],
    "AWS_IAM": [{"awsSigV4": []}],
}
"""What the authorizers of template.yaml require, as security requirements of the description."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route of the API.

    Attributes:
        operation: The name of the function's folder.
        authorizer: The authorizer, by its name in template.yaml.
        text: What the handler does, from its docstring.
    """

    method: str
    path: str
    operation: str
    authorizer: str
    text: str

    @property
    def key(self) -> str:
        """Method and path, as they are written in documentation."""
        return f"{self.method.upper()} {self.path}"


@cache
def read_routes() -> tuple[Route, ...]:
    """Return the routes, in the order in which template.yaml has their functions."""
    template = expand_with_logical_ids()
    (api,) = template.properties_by_type("AWS::ApiGatewayV2::Api").values()
    functions = list(template.code_folders)
    routes = [
        (functions.index(_function_of(operation)), path, method, operation)
        for path, operations in api["Body"]["paths"].items()
        for method, operation in operations.items()
    ]
    return tuple(
        Route(
            method=method,
            path=path,
            operation=(folder := template.code_folders[_function_of(operation)].name),
            authorizer=_read_authorizer(f"{method.upper()} {path}", operation),
            text=_read_text(folder),
        )
        for _, path, method, operation in sorted(routes, key=lambda route: route[0])
    )


def _function_of(operation: dict[str, Any]) -> str:
    match = _FUNCTION_PATTERN.search(operation["x-amazon-apigateway-integration"]["uri"])
    if not match:
        raise Undescribed(f"an integration that is no function of template.yaml: {operation}")
    return match[1]


def _read_authorizer(key: str, operation: dict[str, Any]) -> str:
    names = [name for requirement in operation.get("security", []) for name in requirement]
    if len(names) != 1 or names[0] not in SECURITY:
        raise Undescribed(
            f"{key} has the authorizers {names}: add them to SECURITY in scripts/openapi/routes.py"
        )
    return str(names[0])


def _read_text(folder: str) -> str:
    """Return the docstring of the function's handler."""
    tree = ast.parse((ROOT / "functions" / folder / "app.py").read_text(encoding="utf-8"))
    (handler,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "handler")
    return ast.get_docstring(handler) or ""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A parameter of the stack that limits what callers may do."""

    name: str
    text: str
    default: int | str
    rules: dict[str, int]


def read_limits() -> Iterator[Limit]:
    """Yield the limits that the parameters of template.yaml set."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    template = parse_template((ROOT / "template.yaml").read_text(encoding="utf-8"))
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    (names,) = (group["Parameters"] for group in groups if group["Label"]["default"] == _LIMITS)
    for name in names:
        parameter = template["Parameters"][name]
        bounds = {"minimum": parameter.get("MinValue"), "maximum": parameter.get("MaxValue")}
        default = parameter["Default"]
        yield Limit(
            name=name,
            text=" ".join(parameter["Description"].split()),
            default=int(default) if parameter["Type"] == "Number" else default,
            rules={key: value for key, value in bounds.items() if value is not None},
        )
