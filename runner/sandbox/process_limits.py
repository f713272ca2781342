"""Limits on a process that the operating system enforces.

Linux enforces the memory limit (RLIMIT_DATA): it counts every private page that can be written, whoever asks for it
(linear memories, tables, wasmtime's copies, Python's objects), and not the address space that wasmtime only reserves.
Other systems have the limits of the store only.
"""

import resource
import signal
import sys
from pathlib import Path

STATM = Path("/proc/self/statm")
_DATA_FIELD = 5


def limit_core_dumps() -> None:
    """Write no core file when the process crashes: it would contain the extension's memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read_data_bytes(statm: Path = STATM) -> int:
    """Return how much of its memory limit a process uses."""
    return int(statm.read_text().split()[_DATA_FIELD]) * resource.getpagesize()


def limit_memory(growth_bytes: int) -> None:
    """Refuse any memory beyond what the process uses now and `growth_bytes`."""
    if sys.platform == "linux":
        _, hard_limit = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (read_data_bytes() + growth_bytes, hard_limit))


def end_process_after(seconds: float) -> None:
    """Have the operating system end this process after `seconds`, whatever it does then; 0 cancels that.

    It ends a worker whose runner is gone.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
