"""Start the runner: `python -m runner`."""

import contextlib
import logging
import signal
import sys

from runner.host.callback import SchedulerCallback
from runner.host.capabilities import KNOWN_CAPABILITIES
from runner.logs import configure_logging
from runner.server import RunnerServer
from runner.settings import Settings, SettingsError, read_settings
from runner.workers.compilation import ComponentCompiler
from runner.workers.components import ComponentStore
from runner.workers.executor import ExtensionExecutor
from runner.workers.pool import WorkerPool
from runner.workers.watch import ComponentWatcher

logger = logging.getLogger("runner")


def build_server(settings: Settings) -> RunnerServer:
    """Build the server and everything it uses. It listens, but does not serve yet."""
    compiler = ComponentCompiler(settings.cache_dir, settings.compile_memory_bytes)
    components = ComponentStore(settings.extensions_dirs, compiler.compile_component)
    callback = SchedulerCallback(settings.scheduler_base_url, settings.auth_token)
    watcher = ComponentWatcher(components)
    pool = WorkerPool(settings.max_executions)
    capabilities = KNOWN_CAPABILITIES | settings.additional_capabilities
    executor = ExtensionExecutor(components, pool, callback, settings.limits, capabilities)
    server = RunnerServer((settings.host, settings.port), executor, watcher, settings.service_token)
    watcher.start()
    return server


def main() -> None:
    """Serve until interrupted."""
    configure_logging()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # also then, end the worker processes
    try:
        settings = read_settings()
    except SettingsError as error:
        sys.exit(f"runner: {error}")
    try:
        built_server = build_server(settings)
    except OSError as error:
        sys.exit(f"runner: cannot listen on {settings.host}:{settings.port}: {error.strerror}")
    with built_server as server, contextlib.suppress(KeyboardInterrupt):
        logger.info("listening on http://%s:%d", settings.host, server.server_port)
        server.serve_forever()


if __name__ == "__main__":
    main()
