"""Repairs of the wasmtime package (version 50): how it converts values between Python and a component.

Cases: to convert a WIT `option` or `result` it collects the Python classes of a case in ONE set for the whole
process, so two executions at once mix up their cases. And it counts `object` among the classes of an absent
option, so any value passes for the ok case of `result<option<…>, …>`, whose error can then never be given.

Bytes: it converts a `list<u8>` one Python object per byte, a tenth of a second for 100 KB with all other
executions waiting.
"""

import ctypes
import threading
from collections.abc import Iterator
from types import NoneType
from typing import Any

from wasmtime import _ffi as ffi
from wasmtime.component import ListType, _types

_Value = ffi.wasmtime_component_val_t
_VALUE_BYTES = ctypes.sizeof(_Value)
_BYTE_OFFSET = _Value.of.offset


class _CaseClasses(threading.local):
    """The set of classes, one per thread, in which an absent option is None alone."""

    def __init__(self) -> None:
        self._classes: set[type] = set()

    def clear(self) -> None:
        self._classes.clear()

    def add(self, cls: type) -> None:
        self._classes.add(NoneType if cls is object else cls)

    def __iter__(self) -> Iterator[type]:
        return iter(self._classes)


def apply_fixes() -> None:
    """Put the repairs in place."""
    _types.case_test_cache = _CaseClasses()  # type: ignore[assignment]  # only these three methods are used
    ListType.convert_from_c = _lift_list  # type: ignore[assignment, method-assign]  # a replacement is the point
    ListType.convert_to_c = _lower_list  # type: ignore[assignment, method-assign]  # likewise


_original_lift = ListType.convert_from_c
_original_lower = ListType.convert_to_c


def _lift_list(self: ListType, value: Any) -> Any:
    if not self._is_bytes():
        return _original_lift(self, value)
    values = value.of.list
    raw = ctypes.string_at(values.data, values.size * _VALUE_BYTES) if values.size else b""
    ffi.wasmtime_component_vallist_delete(ctypes.byref(values))
    return raw[_BYTE_OFFSET::_VALUE_BYTES]


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
