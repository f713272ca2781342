"""The components that tests execute, and a runner for them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from extension_sdk_cli.build import build_extension, file_lock
from wasmtime import wat2wasm

from runner.__main__ import build_server
from runner.settings import DEFAULT_LIMITS, MEBIBYTE, Settings
from runner.workers.compilation import ComponentCompiler
from runner.workers.components import content_hash
from samples.build import EXTENSIONS, ROOT

CACHE = ROOT / "build" / "wasm-cache"
TEST_EXTENSIONS = ROOT / "build" / "test-extensions"


def build_sample() -> Path:
    """Build the sample extension and return its component."""
    build_extension(ROOT / "samples" / "scheduler_demo", EXTENSIONS / "scheduler_demo")
    return EXTENSIONS / "scheduler_demo" / "component.wasm"


def build_probe() -> Path:
    """Build the probe and return its component."""
    build_extension(ROOT / "tests" / "support" / "components" / "probe", TEST_EXTENSIONS / "probe")
    return TEST_EXTENSIONS / "probe" / "component.wasm"


def prepare_components() -> None:
    """Build and compile both components. Only one of several test processes does it; the others wait."""
    TEST_EXTENSIONS.mkdir(parents=True, exist_ok=True)
    with file_lock(TEST_EXTENSIONS / ".lock"):
        for component in (build_probe(), build_sample()):
            compile_component(component)


def compile_component(component: Path) -> Path:
    """Compile a component, unless the cache has it, and return the compiled form."""
    compiler = ComponentCompiler(CACHE, 1024 * MEBIBYTE)
    return compiler.compile_component(component, content_hash(component.read_bytes()))


def add_wat(folder: Path, wat: str) -> Path:
    """Write a component, given as WAT, to a new folder, and return its path."""
    folder.mkdir()
    path = folder / "component.wasm"
    path.write_bytes(wat2wasm(wat))
    return path


def create_runner_settings(scheduler_url: str, *folders: Path, **limits: int) -> Settings:
    """Return the settings of a runner on any free port."""
    return Settings(
        host="127.0.0.1",
        port=0,
        extensions_dirs=folders,
        scheduler_base_url=scheduler_url,
        auth_token="callback-token",
        service_token=None,
        cache_dir=CACHE,
        limits=replace(DEFAULT_LIMITS, **limits),
    )


@contextmanager
def start_runner(base_settings: Settings, **changes: object) -> Iterator[str]:
    """Start a runner and yield its address."""
    with build_server(replace(base_settings, **changes)) as server:  # type: ignore[arg-type]  # keywords of the tests
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
