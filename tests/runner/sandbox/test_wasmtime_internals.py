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
STRING_OF_ANY_SIZE = """
import ctypes
from wasmtime import Engine, wat2wasm, _ffi as ffi
from wasmtime.component import Component

engine = Engine()
component = Component(engine, wat2wasm('(component (import "f" (func (param "text" string))))'))
((_, string),) = component.type.imports(engine)["f"].ty.params
value = ffi.wasmtime_component_val_t()
string.convert_to_c(None, "x" * 3_000_000, ctypes.pointer(value))
assert string.convert_from_c(value) == "x" * 3_000_000
"""


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(SHARED_CASE_CLASSES, id="case classes shared by all threads"),
        pytest.param(ABSENT_OPTION_TAKES_ANY_VALUE, id="absent option takes any value"),
        pytest.param(CONVERSION_PER_BYTE, id="byte lists converted per byte"),
        pytest.param(STRING_OF_ANY_SIZE, id="string decoded whatever its size"),
    ],
)
def test_wasmtime_still_needs_the_patch(code: str) -> None:
    # In a process of its own, because a runner in this one has applied the patches.
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr


PATCHED = """
import ctypes, tracemalloc
from runner.sandbox.wasmtime_internals import apply_patches
from runner.oversized import MAX_VALUE_BYTES, Oversized
from wasmtime import Engine, wat2wasm, _ffi as ffi
from wasmtime.component import Component

apply_patches()
engine = Engine()
component = Component(engine, wat2wasm('(component (import "f" (func (param "v" {type}))))'))
((_, value_type),) = component.type.imports(engine)["f"].ty.params
for size in (0, MAX_VALUE_BYTES):
    value = ffi.wasmtime_component_val_t()
    value_type.convert_to_c(None, {unit} * size, ctypes.pointer(value))
    assert value_type.convert_from_c(value) == {unit} * size
value = ffi.wasmtime_component_val_t()
value_type.convert_to_c(None, {unit} * (MAX_VALUE_BYTES + 1), ctypes.pointer(value))
tracemalloc.start()
assert value_type.convert_from_c(value) == Oversized(MAX_VALUE_BYTES + 1)
assert tracemalloc.get_traced_memory()[1] < 100_000
"""


@pytest.mark.parametrize(("wit_type", "unit"), [("string", "'x'"), ("(list u8)", "b'x'")])
def test_oversized_value_is_neither_copied_nor_decoded(wit_type: str, unit: str) -> None:
    code = PATCHED.replace("{type}", wit_type).replace("{unit}", unit)
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
