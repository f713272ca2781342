"""The WASM sandbox: compiles components and runs one call in a fresh instance, with a time and memory limit."""

import json
import math
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wasmtime import Config, Engine, Store, WasiConfig, WasmtimeError
from wasmtime.component import Component, ComponentInstanceType, FuncType, Linker, ResourceType

from runner.errors import InvalidComponent
from runner.host.functions import PACKAGE, Interface
from runner.sandbox import wasmtime_fixes

MEMORY_BYTES = 256 * 1024 * 1024
MEMORIES = 4
TICK_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Extension:
    """A compiled component and what it imports of the platform's package, by interface."""

    component: Component
    imports: dict[str, Interface]


class Sandbox:
    """One wasmtime engine, with a clock that ends what takes too long."""

    def __init__(self, cache_dir: Path) -> None:
        wasmtime_fixes.apply()
        config = Config()
        config.cache = str(_cache_config(cache_dir))
        config.epoch_interruption = True
        self._engine = Engine(config)
        threading.Thread(target=self._tick, name="epoch", daemon=True).start()

    def compile(self, wasm: bytes) -> Extension:
        """Compile a component, or take it from the cache. Raises InvalidComponent."""
        try:
            component = Component(self._engine, wasm)
        except WasmtimeError as error:
            raise InvalidComponent(f"not a WASM component: {str(error).splitlines()[0]}") from error
        return Extension(component, _imports(component, self._engine))

    def linker(self) -> Linker:
        """A linker with WASI: clocks, random numbers and output, but no files, network or environment."""
        linker = Linker(self._engine)
        linker.add_wasip2()
        return linker

    def store(self, seconds: float, wasi: WasiConfig) -> Store:
        """The memory and time of one call."""
        store = Store(self._engine)
        store.set_limits(memory_size=MEMORY_BYTES, memories=MEMORIES)
        store.set_epoch_deadline(math.ceil(seconds / TICK_SECONDS) + 1)
        store.set_wasi(wasi)
        return store

    def _tick(self) -> None:
        """Advance the epoch with the clock; where the thread was held up, it catches up."""
        ticked = time.monotonic()
        while True:
            time.sleep(TICK_SECONDS)
            while ticked < time.monotonic():
                self._engine.increment_epoch()
                ticked += TICK_SECONDS


def _imports(component: Component, engine: Engine) -> dict[str, Interface]:
    imported = {name: item.ty for name, item in component.type.imports(engine).items()}
    return {
        name.removeprefix(PACKAGE): _items(item, engine)
        for name, item in imported.items()
        if name.startswith(PACKAGE) and isinstance(item, ComponentInstanceType)
    }


def _items(interface: ComponentInstanceType, engine: Engine) -> dict[str, Any]:
    items = {name: item.ty for name, item in interface.exports(engine).items()}
    return {name: item for name, item in items.items() if isinstance(item, FuncType | ResourceType)}


def _cache_config(cache_dir: Path) -> Path:
    cache_dir.mkdir(parents=True, exist_ok=True)
    path = cache_dir / "config.toml"
    # Put in place at once: another runner may be reading it.
    written = cache_dir / f"config.{os.getpid()}"
    written.write_text(f"[cache]\ndirectory = {json.dumps(str(cache_dir))}\n")
    return written.replace(path)
