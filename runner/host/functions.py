"""The host interfaces of the package `alga:extension` for one execution."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from wasmtime import WasmtimeError
from wasmtime.component import Linker, Record

from runner.host.extension_log import ExtensionLog
from runner.host.interface import PACKAGE_PREFIX
from runner.host.records import build_record
from runner.host.scheduler import HostScheduler
from runner.protocol import ContextData

HostFunction = Callable[..., Any]


def context_record(context: ContextData) -> Record:
    """Return the WIT record `context-data`."""
    return build_record(
        request_id=context.request_id,
        tenant_id=context.tenant_id,
        extension_id=context.extension_id,
        install_id=context.install_id,
        version_id=context.version_id,
    )


def host_functions(
    context: ContextData, extension_log: ExtensionLog, scheduler: HostScheduler
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
    linker: Linker, imports: Mapping[str, Iterable[str]], functions: Mapping[str, HostFunction]
) -> None:
    """Link everything that a component imports from the package.

    A function that this runner does not implement is linked too, and refuses each call.
    """
    with linker.root() as root:
        for interface, names in imports.items():
            with root.add_instance(interface) as instance:
                for name in names:
                    path = f"{interface}.{name}"
                    function = functions.get(path.removeprefix(PACKAGE_PREFIX))
                    instance.add_func(name, _adapt_function(function) if function else _build_refusal(path))


def _adapt_function(function: HostFunction) -> HostFunction:
    return lambda _store, *arguments: function(*arguments)


def _build_refusal(path: str) -> HostFunction:
    def refuse(*_arguments: object) -> NoReturn:
        raise WasmtimeError(f"{path} is not available in this runner")

    return refuse
