"""Patches of wasmtime's private parts. No other module uses them.

Written for wasmtime 50.0.1. Each patch names its reason; `tests/runner/sandbox/test_wasmtime_internals.py` fails when a
patch is no longer needed.
"""

import ctypes
import threading
from collections.abc import Iterator
from types import NoneType
from typing import Any

from wasmtime import _ffi as ffi
from wasmtime.component import ListType, _types

from runner.oversized import MAX_VALUE_BYTES, Oversized

_Value = ffi.wasmtime_component_val_t
_VALUE_BYTES = ctypes.sizeof(_Value)
_BYTE_OFFSET = _Value.of.offset


def apply_patches() -> None:
    """Apply the patches to the wasmtime package."""
    _patch_case_classes()
    _patch_byte_lists()
    _patch_strings()


def _patch_case_classes() -> None:
    """Collect the Python classes of a WIT case per thread.

    To convert an `option` or `result`, wasmtime collects these classes in one set for the whole process, so that
    concurrent executions confuse their cases. It also counts `object` among the classes of an absent option, so
    that any value passes for the ok case of `result<option<…>, …>` and the error case can never be returned.
    """
    _types.case_test_cache = _CaseClasses()  # type: ignore[assignment]  # only these three methods are used


def _patch_byte_lists() -> None:
    """Convert a `list<u8>` in one copy.

    wasmtime converts one Python object per byte: 100 KB take a tenth of a second. One of any size is converted.
    """
    ListType.convert_from_c = _lift_list  # type: ignore[assignment, method-assign]  # replaced on purpose
    ListType.convert_to_c = _lower_list  # type: ignore[assignment, method-assign]  # replaced on purpose


def _patch_strings() -> None:
    """Refuse long strings before they are decoded.

    wasmtime decodes a string of any size: a line of 120 MB for the log costs three times that in memory.
    """
    _types.String.convert_from_c = _lift_string  # type: ignore[assignment, method-assign]  # replaced on purpose


class _CaseClasses(threading.local):
    """A set of classes per thread, in which an absent option is None only."""

    def __init__(self) -> None:
        self._classes: set[type] = set()

    def clear(self) -> None:
        self._classes.clear()

    def add(self, cls: type) -> None:
        self._classes.add(NoneType if cls is object else cls)

    def __iter__(self) -> Iterator[type]:
        return iter(self._classes)


_original_lift = ListType.convert_from_c
_original_lower = ListType.convert_to_c
_original_lift_string = _types.String.convert_from_c


def _lift_list(self: ListType, value: Any) -> Any:
    if not self._is_bytes():
        return _original_lift(self, value)
    values = value.of.list
    size = values.size
    raw = ctypes.string_at(values.data, size * _VALUE_BYTES) if 0 < size <= MAX_VALUE_BYTES else b""
    ffi.wasmtime_component_vallist_delete(ctypes.byref(values))
    return Oversized(size) if size > MAX_VALUE_BYTES else raw[_BYTE_OFFSET::_VALUE_BYTES]


def _lift_string(self: _types.String, value: Any) -> Any:
    size = value.of.string.size
    if size <= MAX_VALUE_BYTES:
        return _original_lift_string(self, value)
    ffi.wasm_byte_vec_delete(ctypes.byref(value.of.string))
    return Oversized(size)


def _lower_list(self: ListType, store: Any, value: Any, target: Any) -> None:
    if not (value and isinstance(value, bytes) and self._is_bytes()):
        return _original_lower(self, store, value, target)
    byte_value = _Value()
    byte_value.kind = ffi.WASMTIME_COMPONENT_U8
    raw = bytearray(bytes(byte_value) * len(value))
    raw[_BYTE_OFFSET::_VALUE_BYTES] = value
    values = ffi.wasmtime_component_vallist_t()
    ffi.wasmtime_component_vallist_new_uninit(values, len(value))
    ctypes.memmove(values.data, bytes(raw), len(raw))
    target.contents.kind = ffi.WASMTIME_COMPONENT_LIST
    target.contents.of.list = values
    return None
