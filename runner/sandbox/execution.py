"""One execution: from the request to the extension's response, or the reason why there is none."""

import time
from functools import partial
from typing import Any

from wasmtime import WasiConfig, WasmtimeError
from wasmtime.component import Record

from runner.errors import InvalidComponent
from runner.host.callback import SchedulerCallback
from runner.host.extension_log import ExtensionLog
from runner.host.functions import context_record, host_functions, link
from runner.host.records import record
from runner.host.scheduler import CAPABILITY, Scheduler
from runner.messages import ExecuteRequest, ExecuteResponse
from runner.sandbox.components import Components
from runner.sandbox.sandbox import Extension, Sandbox
from runner.sandbox.time_limit import run_within
from runner.sandbox.traps import explain


class Executor:
    """Runs extensions."""

    def __init__(
        self, sandbox: Sandbox, components: Components[Extension], callback: SchedulerCallback
    ) -> None:
        self._sandbox = sandbox
        self._components = components
        self._callback = callback

    def execute(self, request: ExecuteRequest) -> ExecuteResponse:
        """The extension's response. Raises RunnerError where there is none."""
        extension = self._components.get(request.context.content_hash)
        # The clock starts here: that a component must first be compiled is not the extension's fault.
        seconds = request.limits.timeout_ms / 1000
        return run_within(seconds, partial(self._run, extension, request, time.monotonic() + seconds))

    def _run(self, extension: Extension, request: ExecuteRequest, deadline: float) -> ExecuteResponse:
        extension_log = ExtensionLog(request.context)
        scheduler = self._scheduler(request, deadline)
        linker = self._sandbox.linker()
        link(linker, extension.imports, host_functions(request.context, extension_log, scheduler))
        with self._sandbox.store(request.limits.timeout_ms / 1000, _wasi(extension_log)) as store:
            try:
                instance = linker.instantiate(store, extension.component)
                handler = instance.get_func(store, "handler")
                if handler is None:
                    raise InvalidComponent("the component does not export handler")
                return _response(handler(store, _request(request)))
            except WasmtimeError as error:
                raise explain(error, extension_log.printed, request.limits.timeout_ms) from error
            finally:
                extension_log.flush()

    def _scheduler(self, request: ExecuteRequest, deadline: float) -> Scheduler:
        install_id, token = request.context.install_id, request.context.callback_token
        granted = CAPABILITY in {name.strip().casefold() for name in request.providers}
        if not (granted and install_id):
            return Scheduler(None)
        return Scheduler(partial(self._callback.post, install_id, deadline=deadline, callback_token=token))


def _wasi(extension_log: ExtensionLog) -> WasiConfig:
    wasi = WasiConfig()
    wasi.stdout_custom = extension_log.capture
    wasi.stderr_custom = extension_log.capture
    return wasi


def _request(request: ExecuteRequest) -> Record:
    http = request.http
    headers = [record(name=name, value=value) for name, value in http.headers.items()]
    return record(
        context=context_record(request.context),
        http=record(method=http.method, url=http.url, headers=headers, body=http.body_b64),
    )


def _response(given: Any) -> ExecuteResponse:
    headers: dict[str, str] = {}
    for header in given.headers:
        name = header.name.lower()
        headers[name] = f"{headers[name]}, {header.value}" if name in headers else header.value
    return ExecuteResponse(given.status, headers, given.body or b"")
