"""The parts of a component that decide what a run costs."""

from collections.abc import Iterator
from pathlib import Path

# Measured on deployed runners, which compile a component at each run.
CPU_SECONDS_PER_MEGABYTE = 2.5
_HEADER_BYTES = 8
_CORE_MODULE, _COMPONENT = 1, 4
_CODE = 10


def measure_code(component: Path) -> int:
    """Return the bytes of code in a component: the code sections of all its core modules."""
    return _measure_component(memoryview(component.read_bytes()))


def estimate_cpu_seconds(code_bytes: int) -> float:
    """Return the CPU time that a deployed runner needs to compile that much code."""
    return code_bytes / 1_000_000 * CPU_SECONDS_PER_MEGABYTE


def _measure_component(binary: memoryview) -> int:
    size = 0
    for section, content in _sections(binary):
        if section == _CORE_MODULE:
            size += sum(len(part) for kind, part in _sections(content) if kind == _CODE)
        elif section == _COMPONENT:
            size += _measure_component(content)
    return size


def _sections(binary: memoryview) -> Iterator[tuple[int, memoryview]]:
    offset = _HEADER_BYTES
    while offset < len(binary):
        section = binary[offset]
        size, start = _read_leb128(binary, offset + 1)
        yield section, binary[start : start + size]
        offset = start + size


def _read_leb128(binary: memoryview, offset: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = binary[offset]
        value |= (byte & 0x7F) << shift
        offset, shift = offset + 1, shift + 7
        if byte < 0x80:
            return value, offset
