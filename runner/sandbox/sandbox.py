"""The WASM sandbox: compiles components and limits the time and memory of each call."""

import json
import math
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from wasmtime import Config, Engine, Store, WasiConfig, WasmtimeError
from wasmtime.component import Component, Linker

from runner.errors import InvalidComponent
from runner.sandbox import wasmtime_internals
from runner.sandbox.component_types import check_export, read_imports

MAX_MEMORY_BYTES = 256 * 1024 * 1024
MAX_MEMORIES = 4
TICK_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class CompiledExtension:
    """A compiled component and the functions that it imports of the platform's package, by interface."""

    component: Component
    imports: dict[str, list[str]]


class Sandbox:
    """A wasmtime engine with an epoch clock that interrupts calls at their time limit."""

    def __init__(self, cache_dir: Path) -> None:
        wasmtime_internals.apply_patches()
        config = Config()
        config.cache = str(write_cache_config(cache_dir))
        config.epoch_interruption = True
        self._engine = Engine(config)
        threading.Thread(target=self._advance_epoch, name="epoch", daemon=True).start()

    def compile_component(self, wasm: bytes) -> CompiledExtension:
        """Compile a component, or load it from the cache.

        Raises:
            InvalidComponent: The bytes are not a component, or its types are not those of the interface.
        """
        try:
            component = Component(self._engine, wasm)
        except WasmtimeError as error:
            raise InvalidComponent(f"not a WASM component: {str(error).splitlines()[0]}") from error
        imports = read_imports(component, self._engine)
        check_export(component, self._engine)
        return CompiledExtension(component, imports)

    def create_linker(self) -> Linker:
        """Return a linker with WASI: clocks, random numbers and output, but no files, network or environment."""
        linker = Linker(self._engine)
        linker.add_wasip2()
        return linker

    def create_store(self, seconds: float, wasi: WasiConfig) -> Store:
        """Return a store with the memory and time limits of one call."""
        store = Store(self._engine)
        store.set_limits(memory_size=MAX_MEMORY_BYTES, memories=MAX_MEMORIES)
        store.set_epoch_deadline(math.ceil(seconds / TICK_SECONDS) + 1)
        store.set_wasi(wasi)
        return store

    def _advance_epoch(self) -> None:
        """Advance the epoch with the clock, catching up if the thread was delayed."""
        epoch_time = time.monotonic()
        while True:
            time.sleep(TICK_SECONDS)
            while epoch_time < time.monotonic():
                self._engine.increment_epoch()
                epoch_time += TICK_SECONDS


def write_cache_config(cache_dir: Path) -> Path:
    """Write the configuration of the cache of compiled components, and return its path."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    path = cache_dir / "config.toml"
    # Replaced atomically, because another runner may be reading it.
    temporary_path = cache_dir / f"config.{os.getpid()}"
    temporary_path.write_text(f"[cache]\ndirectory = {json.dumps(str(cache_dir))}\n")
    return temporary_path.replace(path)
