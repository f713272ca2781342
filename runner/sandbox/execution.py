"""Executes a request: from the request to the extension's response or the error."""

import time
from base64 import b64decode
from collections.abc import Mapping
from functools import partial
from typing import Any

from wasmtime import Store, WasiConfig, WasmtimeError
from wasmtime.component import Linker, Record

from runner.errors import EngineInitFailed, InvalidComponent, SecretDecryptFailed, UnknownCapabilities
from runner.host.callback import SchedulerCallback
from runner.host.capabilities import KNOWN_CAPABILITIES, SCHEDULER_MANAGE, normalize_capabilities
from runner.host.extension_log import ExtensionLog
from runner.host.functions import HostFunction, context_record, host_functions, link_imports
from runner.host.records import build_record
from runner.host.scheduler import HostScheduler
from runner.messages import ExecuteRequest, ExecuteResponse
from runner.sandbox.components import ComponentStore
from runner.sandbox.sandbox import CompiledExtension, Sandbox
from runner.sandbox.time_limit import run_with_time_limit
from runner.sandbox.traps import error_from_trap


class ExtensionExecutor:
    """Executes extensions in the sandbox."""

    def __init__(
        self, sandbox: Sandbox, components: ComponentStore[CompiledExtension], callback: SchedulerCallback
    ) -> None:
        self._sandbox = sandbox
        self._components = components
        self._callback = callback

    def execute(self, request: ExecuteRequest) -> ExecuteResponse:
        """Execute a request and return the extension's response.

        Raises:
            RunnerError: There is no response; the subclass and text say why.
        """
        extension = self._components.get_component(request.context.content_hash)
        _check_capabilities(request)
        _check_secret_envelope(request)
        # The time limit starts here, because compilation must not count against the extension.
        seconds = request.limits.effective_timeout_ms / 1000
        return run_with_time_limit(
            seconds, partial(self._run_extension, extension, request, time.monotonic() + seconds)
        )

    def _run_extension(
        self, extension: CompiledExtension, request: ExecuteRequest, deadline: float
    ) -> ExecuteResponse:
        extension_log = ExtensionLog(request.context)
        scheduler = self._build_scheduler(request, deadline)
        timeout_ms = request.limits.effective_timeout_ms
        request_record = _build_request_record(request)
        functions = host_functions(request.context, extension_log, scheduler)
        linker, store = self._prepare_engine(extension, functions, timeout_ms, extension_log)
        with store:
            try:
                instance = linker.instantiate(store, extension.component)
                handler = instance.get_func(store, "handler")
                if handler is None:
                    raise InvalidComponent("the component does not export handler")
                return _parse_response(handler(store, request_record))
            except WasmtimeError as error:
                raise error_from_trap(error, extension_log.output_lines, timeout_ms) from error
            finally:
                extension_log.flush()

    def _prepare_engine(
        self,
        extension: CompiledExtension,
        functions: Mapping[str, HostFunction],
        timeout_ms: int,
        extension_log: ExtensionLog,
    ) -> tuple[Linker, Store]:
        try:
            linker = self._sandbox.create_linker()
            link_imports(linker, extension.imports, functions)
            return linker, self._sandbox.create_store(timeout_ms / 1000, _build_wasi_config(extension_log))
        except WasmtimeError as error:
            raise EngineInitFailed(str(error).splitlines()[0]) from error

    def _build_scheduler(self, request: ExecuteRequest, deadline: float) -> HostScheduler:
        install_id, token = request.context.install_id, request.context.callback_token
        if not (SCHEDULER_MANAGE in normalize_capabilities(request.providers) and install_id):
            return HostScheduler(None)
        return HostScheduler(
            partial(self._callback.post_operation, install_id, deadline=deadline, callback_token=token)
        )


def _check_capabilities(request: ExecuteRequest) -> None:
    unknown = normalize_capabilities(request.providers) - KNOWN_CAPABILITIES
    if unknown:
        raise UnknownCapabilities(", ".join(sorted(unknown)))


def _check_secret_envelope(request: ExecuteRequest) -> None:
    """Check what this runner can check: it has no key and implements no `secrets`."""
    if request.secret_envelope:
        try:
            b64decode(request.secret_envelope.ciphertext_b64, validate=True)
        except ValueError:
            raise SecretDecryptFailed from None


def _build_wasi_config(extension_log: ExtensionLog) -> WasiConfig:
    wasi = WasiConfig()
    wasi.stdout_custom = extension_log.capture
    wasi.stderr_custom = extension_log.capture
    return wasi


def _build_request_record(request: ExecuteRequest) -> Record:
    http = request.http
    headers = [build_record(name=name, value=value) for name, value in http.headers.items()]
    return build_record(
        context=context_record(request.context),
        http=build_record(method=http.method, url=http.url, headers=headers, body=http.decode_body()),
    )


def _parse_response(response_record: Any) -> ExecuteResponse:
    headers: dict[str, str] = {}
    for header in response_record.headers:
        name = header.name.lower()
        headers[name] = f"{headers[name]}, {header.value}" if name in headers else header.value
    return ExecuteResponse(response_record.status, headers, response_record.body or b"")
