"""Executes a job: from the request to the extension's response or the error."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from wasmtime import Store, WasiConfig, WasmtimeError
from wasmtime.component import Linker, Record

from runner.errors import EngineInitFailed, ExecuteFailed, InvalidComponent, ResponseTooLarge
from runner.host.extension_log import ExtensionLog
from runner.host.functions import HostFunction, context_record, host_functions, link_imports
from runner.host.records import build_record
from runner.host.scheduler import HostScheduler
from runner.oversized import Oversized
from runner.protocol import Job
from runner.responses import MAX_RESPONSE_BYTES, ExecuteResponse
from runner.sandbox.connection import RunnerConnection
from runner.sandbox.sandbox import LoadedExtension, Sandbox
from runner.sandbox.traps import error_from_trap


def execute_job(
    sandbox: Sandbox, extension: LoadedExtension, job: Job, runner: RunnerConnection
) -> ExecuteResponse:
    """Execute a job and return the extension's response.

    Raises:
        RunnerError: There is no response; the subclass and text say why.
    """
    extension_log = ExtensionLog(job.limits.log_bytes, runner.send_extension_log)
    scheduler = HostScheduler(runner.post_callback if job.may_schedule else None, job.limits.scheduler_calls)
    functions = host_functions(job.context, extension_log, scheduler)
    request_record = _build_request_record(job)
    linker, store = _prepare_engine(sandbox, extension, functions, job, extension_log)
    with store, sandbox.timer.interrupt_at(job.deadline):
        try:
            instance = linker.instantiate(store, extension.component)
            handler = instance.get_func(store, "handler")
            if handler is None:
                raise InvalidComponent("the component does not export handler")
            return _parse_response(handler(store, request_record))
        except WasmtimeError as error:
            raise error_from_trap(error, extension_log.output_lines, job.timeout_ms) from error
        finally:
            extension_log.flush()


def _prepare_engine(
    sandbox: Sandbox,
    extension: LoadedExtension,
    functions: Mapping[str, HostFunction],
    job: Job,
    extension_log: ExtensionLog,
) -> tuple[Linker, Store]:
    try:
        linker = sandbox.create_linker()
        link_imports(linker, extension.imports, functions)
        return linker, sandbox.create_store(job.limits.memory_bytes, _build_wasi_config(extension_log))
    except WasmtimeError as error:
        raise EngineInitFailed(str(error).splitlines()[0]) from error


def _build_wasi_config(extension_log: ExtensionLog) -> WasiConfig:
    wasi = WasiConfig()
    wasi.stdout_custom = extension_log.capture
    wasi.stderr_custom = extension_log.capture
    return wasi


def _build_request_record(job: Job) -> Record:
    headers = [build_record(name=name, value=value) for name, value in job.headers.items()]
    return build_record(
        context=context_record(job.context),
        http=build_record(method=job.method, url=job.url, headers=headers, body=_decode_body(job.body_b64)),
    )


def _decode_body(body_b64: str | None) -> bytes | None:
    if body_b64 is None:
        return None
    try:
        return b64decode(body_b64, validate=True)
    except ValueError:
        raise ExecuteFailed("http.body_b64 is not base64") from None


def _parse_response(response_record: Any) -> ExecuteResponse:
    body = response_record.body or b""
    pairs = [(header.name, header.value) for header in response_record.headers]
    texts = [text for pair in pairs for text in pair]
    sizes = (value.size if isinstance(value, Oversized) else len(value) for value in (body, *texts))
    if sum(sizes) > 4 * MAX_RESPONSE_BYTES:  # then it is not even converted
        raise ResponseTooLarge(f"the response would have more than {MAX_RESPONSE_BYTES} bytes as JSON")
    headers: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return ExecuteResponse(response_record.status, headers, body)
