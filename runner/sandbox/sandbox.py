"""The WASM sandbox: compiles and loads components, and limits the time and memory of each call."""

from collections import OrderedDict
from dataclasses import dataclass

from wasmtime import Config, Engine, Store, WasiConfig, WasmtimeError
from wasmtime.component import Component, Linker

from runner.errors import ComponentNotLoadable, InvalidComponent
from runner.sandbox import wasmtime_internals
from runner.sandbox.component_types import check_export, read_imports
from runner.sandbox.epoch_timer import EpochTimer

# A component from componentize-py has 28 instances, one memory and one table.
MAX_INSTANCES = 200
MAX_MEMORIES = 8
MAX_TABLES = 32
MAX_TABLE_ELEMENTS = 1_000_000
MAX_LOADED_COMPONENTS = 16


@dataclass(frozen=True, slots=True)
class LoadedExtension:
    """A compiled component and the functions that it imports of the platform's package, by interface."""

    component: Component
    imports: dict[str, list[str]]


class Sandbox:
    """A wasmtime engine."""

    def __init__(self) -> None:
        wasmtime_internals.apply_patches()
        config = Config()
        config.epoch_interruption = True
        self._engine = Engine(config)
        self._loaded: OrderedDict[str, LoadedExtension] = OrderedDict()
        self.timer = EpochTimer(self._engine)

    def compile_component(self, wasm: bytes) -> bytearray:
        """Compile a component and return it in the form that `load_extension` takes.

        Raises:
            InvalidComponent: The bytes are not a component, or its types are not those of the interface.
        """
        try:
            component = Component(self._engine, wasm)
        except WasmtimeError as error:
            raise InvalidComponent(f"not a WASM component: {str(error).splitlines()[0]}") from error
        read_imports(component, self._engine)
        check_export(component, self._engine)
        return component.serialize()

    def load_extension(self, path: str) -> LoadedExtension:
        """Load a compiled component. Its code is mapped from the file, so that all processes share it.

        Raises:
            ComponentNotLoadable: The file cannot be used with this engine.
        """
        extension = self._loaded.pop(path, None)
        if extension is None:
            try:
                component = Component.deserialize_file(self._engine, path)
            except WasmtimeError as error:
                raise ComponentNotLoadable(str(error).splitlines()[0]) from error
            extension = LoadedExtension(component, read_imports(component, self._engine))
        self._loaded[path] = extension
        if len(self._loaded) > MAX_LOADED_COMPONENTS:
            self._loaded.popitem(last=False)
        return extension

    def create_linker(self) -> Linker:
        """Return a linker with WASI: clocks, random numbers and output, but no files, network or environment."""
        linker = Linker(self._engine)
        linker.add_wasip2()
        return linker

    def create_store(self, memory_bytes: int, wasi: WasiConfig) -> Store:
        """Return a store for one call. `memory_bytes` limits each memory; the process limits all of them."""
        store = Store(self._engine)
        store.set_limits(
            memory_size=memory_bytes,
            memories=MAX_MEMORIES,
            tables=MAX_TABLES,
            table_elements=MAX_TABLE_ELEMENTS,
            instances=MAX_INSTANCES,
        )
        store.set_epoch_deadline(1)
        store.set_wasi(wasi)
        return store
