"""Converts a trap to an error with a reason in one line."""

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
# The messages of Python, Rust and wasmtime when memory runs out.
_OUT_OF_MEMORY = (
    "MemoryError",
    "memory allocation of",
    "exceeds memory limits",
    "out of memory",
    "os error 12",
)
_ERRORS_BY_CAUSE: dict[str, type[RunnerError]] = {
    "is not available in this runner": HostCallRefused,
    "fuel allocated for hostcalls": ResponseTooLarge,
    "was not found in the linker": InvalidComponent,
    "type-checking export": InvalidComponent,
}


def error_from_trap(error: WasmtimeError, output: Sequence[str], timeout_ms: int) -> RunnerError:
    """Return the error for a trap, from wasmtime's `error` and the lines that the extension printed."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = lines[-1][:MAX_CHARS]
    if cause == "wasm trap: interrupt":
        return TimeLimit(f"the extension took longer than {timeout_ms} ms")
    if any(words in line for words in _OUT_OF_MEMORY for line in (cause, *output)):
        return MemoryLimit("the extension needs more memory than it may have")
    for words, error_type in _ERRORS_BY_CAUSE.items():
        for line in lines:
            if words in line:
                return error_type(line[:MAX_CHARS])
    message = _find_last_message(output)
    return ExtensionTrap(f"{cause} ({message})" if message else cause)


def _find_last_message(output: Sequence[str]) -> str:
    """Return the most useful line: the one before a panic if there is one, else the last."""
    lines = [line.strip() for line in output if line.strip() and not line.startswith("note:")]
    panic_index = next((index for index, line in enumerate(lines) if line.startswith("thread '")), 0)
    return lines[panic_index - 1][:MAX_CHARS] if lines else ""
