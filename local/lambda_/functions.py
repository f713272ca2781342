"""The template's functions, imported into this process and invoked as by Lambda."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import sys
import time
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from local.cloudformation.template import Template

logger = logging.getLogger("local")


class FunctionError(Exception):
    """A function raised an exception or returned a result that is not JSON."""

    def __init__(self, message: str, error_type: str, stack_trace: list[str]) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.stack_trace = stack_trace

    @classmethod
    def from_exception(cls, error: Exception) -> Self:
        """Create the error from an exception."""
        return cls(str(error), type(error).__name__, traceback.format_exception(error))


@dataclass(frozen=True)
class Function:
    """A function of the template."""

    name: str
    arn: str
    timeout: int
    memory: int
    handler: Callable[[Any, LambdaContext], Any]


@dataclass
class LambdaContext:
    """The context object that Lambda passes to a Python handler."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    aws_request_id: str
    log_group_name: str
    deadline: float = field(repr=False)
    function_version: str = "$LATEST"
    log_stream_name: str = "local"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before the time-out."""
        return max(0, round((self.deadline - time.monotonic()) * 1000))


class LocalFunctions:
    """All functions of the template, by their ARNs and those of their aliases."""

    def __init__(self, functions: list[Function], aliases: Mapping[str, str] | None = None) -> None:
        self._by_arn = {function.arn: function for function in functions}
        self._by_arn |= {alias: self._by_arn[arn] for alias, arn in (aliases or {}).items()}

    def invoke_function(self, arn: str, event: Any, request_id: str | None = None) -> Any:
        """Invoke a function with a copy of the event and return its JSON result.

        Raises:
            FunctionError: The function failed.
        """
        function = self._by_arn[arn]
        context = LambdaContext(
            function_name=function.name,
            invoked_function_arn=arn,
            memory_limit_in_mb=str(function.memory),
            aws_request_id=request_id or str(uuid4()),
            log_group_name=f"/aws/lambda/{function.name}",
            deadline=time.monotonic() + function.timeout,
        )
        try:
            response = function.handler(json.loads(json.dumps(event)), context)
            return json.loads(json.dumps(response))
        except Exception as error:
            logger.exception("%s failed", function.name)
            raise FunctionError.from_exception(error) from error


def add_layers_to_path(template: Template) -> None:
    """Add the template's layers to the import path."""
    functions = template.properties_by_type("AWS::Lambda::Function")
    for name, folder in template.code_folders.items():
        if name not in functions:
            sys.path.insert(0, str(folder))


def load_functions(template: Template) -> LocalFunctions:
    """Import every function as Lambda does, with the template's environment.

    Raises:
        StackError: Two functions set a variable to different values.
    """
    declared = template.properties_by_type("AWS::Lambda::Function")
    os.environ.update(_merge_environments(declared))
    return LocalFunctions(
        [_load_function(template, name, spec) for name, spec in declared.items()], _read_aliases(template)
    )


def read_function_arns(template: Template) -> dict[str, str]:
    """Return the ARN of each function, by its name, and by its logical id as `sam local start-lambda` has it."""
    functions = template.properties_by_type("AWS::Lambda::Function")
    names = {template.attributes[each]["Ref"]: template.attributes[each]["Arn"] for each in functions}
    return {**names, **{each: template.attributes[each]["Arn"] for each in functions}}


def _read_aliases(template: Template) -> dict[str, str]:
    """Return the function's ARN of each alias, by the alias's ARN, which appends the alias's name to it."""
    aliases = (template.attributes[name]["Ref"] for name in template.properties_by_type("AWS::Lambda::Alias"))
    return {alias: alias.rpartition(":")[0] for alias in aliases}


def _merge_environments(declared: dict[str, dict[str, Any]]) -> dict[str, str]:
    common: dict[str, str] = {}
    for name, spec in declared.items():
        for variable, value in spec.get("Environment", {}).get("Variables", {}).items():
            if common.setdefault(variable, str(value)) != str(value):
                raise StackError(f"{name} sets {variable} to another value than the functions before it")
    return common


def _load_function(template: Template, name: str, spec: dict[str, Any]) -> Function:
    module, _, handler = spec["Handler"].rpartition(".")
    path = template.code_folders[name] / f"{module}.py"
    return Function(
        name=template.attributes[name]["Ref"],
        arn=template.attributes[name]["Arn"],
        timeout=spec["Timeout"],
        memory=spec["MemorySize"],
        handler=getattr(_import_module(f"local_function_{name}", path), handler),
    )


def _import_module(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise StackError(f"no function at {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
