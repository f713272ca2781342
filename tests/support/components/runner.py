"""The components that tests execute, and a runner for them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from extension_sdk_cli.build import build_extension, file_lock

from runner.__main__ import build_server
from runner.sandbox.sandbox import Sandbox
from runner.settings import Settings
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
        sandbox = Sandbox(CACHE)
        for component in (build_probe(), build_sample()):
            sandbox.compile_component(component.read_bytes())


def create_runner_settings(scheduler_url: str, *folders: Path) -> Settings:
    """Return the settings of a runner on any free port."""
    return Settings(
        host="127.0.0.1",
        port=0,
        extensions_dirs=folders,
        scheduler_base_url=scheduler_url,
        auth_token="callback-token",
        service_token=None,
        cache_dir=CACHE,
    )


@contextmanager
def start_runner(base_settings: Settings, **changes: str) -> Iterator[str]:
    """Start a runner and yield its address."""
    with build_server(replace(base_settings, **changes)) as server:  # type: ignore[arg-type]  # keywords of the tests
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
