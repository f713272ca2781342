"""The patches of wasmtime. A test fails when wasmtime no longer needs the patch, which can then be removed."""

import subprocess
import sys

import pytest

SHARED_CASE_CLASSES = """
from wasmtime.component import _types

assert type(_types.case_test_cache) is set
assert "case_test_cache" in _types.VariantLikeType._lower.__code__.co_names
"""
ABSENT_OPTION_TAKES_ANY_VALUE = """
import ctypes
from wasmtime import Engine, wat2wasm, _ffi as ffi
from wasmtime.component import Component

engine = Engine()
component = Component(engine, wat2wasm('''(component
    (type $case (enum "denied")) (import "case" (type $error (eq $case)))
    (type $fields (record (field "id" string))) (import "fields" (type $record (eq $fields)))
    (import "f" (func (result (result (option $record) (error $error))))))'''))
result = component.type.imports(engine)["f"].ty.result
try:
    result.convert_to_c(None, "denied", ctypes.pointer(ffi.wasmtime_component_val_t()))
except (TypeError, ValueError):
    pass
else:
    raise AssertionError("the error case was converted")
"""
CONVERSION_PER_BYTE = """
import ctypes, sys
from wasmtime import Engine, wat2wasm, _ffi as ffi
from wasmtime.component import Component

def count_calls(function):
    calls = []
    sys.setprofile(lambda _frame, event, _argument: calls.append(event))
    function()
    sys.setprofile(None)
    return len(calls)

engine = Engine()
component = Component(engine, wat2wasm('(component (import "f" (func (result (list u8)))))'))
byte_list = component.type.imports(engine)["f"].ty.result
value = ffi.wasmtime_component_val_t()
assert count_calls(lambda: byte_list.convert_to_c(None, bytes(1000), ctypes.pointer(value))) > 1000
assert count_calls(lambda: byte_list.convert_from_c(value)) > 1000
"""


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(SHARED_CASE_CLASSES, id="case classes shared by all threads"),
        pytest.param(ABSENT_OPTION_TAKES_ANY_VALUE, id="absent option takes any value"),
        pytest.param(CONVERSION_PER_BYTE, id="byte lists converted per byte"),
    ],
)
def test_wasmtime_still_needs_the_patch(code: str) -> None:
    # In a process of its own, because a runner in this one has applied the patches.
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
