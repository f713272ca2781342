"""The host interfaces of the package `alga:extension` for one execution."""

import zlib
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from wasmtime import WasmtimeError
from wasmtime.component import FuncType, Linker, LinkerInstance, Record, ResourceType

from runner.host.extension_log import ExtensionLog
from runner.host.records import build_record
from runner.host.scheduler import HostScheduler
from runner.messages import ExecutionContext

HostFunction = Callable[..., Any]
Interface = Mapping[str, FuncType | ResourceType]

PACKAGE_PREFIX = "alga:extension/"


def context_record(context: ExecutionContext) -> Record:
    """Return the WIT record `context-data`."""
    return build_record(
        request_id=context.request_id,
        tenant_id=context.tenant_id,
        extension_id=context.extension_id,
        install_id=context.install_id,
        version_id=context.version_id,
    )


def host_functions(
    context: ExecutionContext, extension_log: ExtensionLog, scheduler: HostScheduler
) -> dict[str, HostFunction]:
    """Return the functions that this runner implements, by `interface.function`."""
    return {
        "context.get-context": lambda: context_record(context),
        "logging.log-info": extension_log.info,
        "logging.log-warn": extension_log.warn,
        "logging.log-error": extension_log.error,
        "scheduler.list-schedules": scheduler.list_schedules,
        "scheduler.get-schedule": scheduler.get_schedule,
        "scheduler.create-schedule": scheduler.create_schedule,
        "scheduler.update-schedule": scheduler.update_schedule,
        "scheduler.delete-schedule": scheduler.delete_schedule,
        "scheduler.get-endpoints": scheduler.get_endpoints,
    }


def link_imports(
    linker: Linker, imports: Mapping[str, Interface], functions: Mapping[str, HostFunction]
) -> None:
    """Link everything that a component imports from the package.

    A function that this runner does not implement is linked too, and refuses each call.
    """
    with linker.root() as root:
        for interface, items in imports.items():
            with root.add_instance(PACKAGE_PREFIX + interface) as instance:
                for name, item in items.items():
                    _define_import(instance, f"{interface}.{name}", name, item, functions)


def _define_import(
    instance: LinkerInstance,
    path: str,
    name: str,
    item: FuncType | ResourceType,
    functions: Mapping[str, HostFunction],
) -> None:
    if isinstance(item, ResourceType):
        instance.add_resource(name, ResourceType.host(zlib.crc32(name.encode())), lambda _store, _rep: None)
    else:
        instance.add_func(
            name, _adapt_function(functions[path]) if path in functions else _build_refusal(path)
        )


def _adapt_function(function: HostFunction) -> HostFunction:
    return lambda _store, *arguments: function(*arguments)


def _build_refusal(path: str) -> HostFunction:
    def refuse(*_arguments: object) -> NoReturn:
        raise WasmtimeError(f"{PACKAGE_PREFIX}{path} is not available in this runner")

    return refuse
