"""Why an extension came to a sudden end, in one line."""

from collections.abc import Sequence

from wasmtime import WasmtimeError

from runner.errors import (
    ExtensionTrap,
    HostCallRefused,
    InvalidComponent,
    MemoryLimit,
    ResponseTooLarge,
    RunnerError,
    TimeLimit,
)

MAX_CHARS = 500
# What Python and Rust print, and what wasmtime says, where memory runs out.
_OUT_OF_MEMORY = ("MemoryError", "memory allocation of", "exceeds memory limits")
_BY_CAUSE: dict[str, type[RunnerError]] = {
    "is not available in this runner": HostCallRefused,
    "fuel allocated for hostcalls": ResponseTooLarge,
    "was not found in the linker": InvalidComponent,
    "type-checking export": InvalidComponent,
}


def explain(error: WasmtimeError, output: Sequence[str], timeout_ms: int) -> RunnerError:
    """The reason, from wasmtime's `error` and what the extension printed."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = lines[-1][:MAX_CHARS]
    if cause == "wasm trap: interrupt":
        return TimeLimit(f"the extension took longer than {timeout_ms} ms")
    if any(words in line for words in _OUT_OF_MEMORY for line in (cause, *output)):
        return MemoryLimit("the extension needs more memory than it may have")
    for words, kind in _BY_CAUSE.items():
        for line in lines:
            if words in line:
                return kind(line[:MAX_CHARS])
    said = _last_words(output)
    return ExtensionTrap(f"{cause} ({said})" if said else cause)


def _last_words(output: Sequence[str]) -> str:
    """The line that says most: before the panic where there was a traceback, else the last."""
    lines = [line.strip() for line in output if line.strip() and not line.startswith("note:")]
    panic = next((at for at, line in enumerate(lines) if line.startswith("thread '")), 0)
    return lines[panic - 1][:MAX_CHARS] if lines else ""
