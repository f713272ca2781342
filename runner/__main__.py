"""Start the runner: `python -m runner`."""

import contextlib
import logging
import sys
import threading

from runner.host.callback import SchedulerCallback
from runner.logs import configure_logging
from runner.sandbox.components import ComponentStore
from runner.sandbox.execution import ExtensionExecutor
from runner.sandbox.sandbox import Sandbox
from runner.server import RunnerServer
from runner.settings import Settings, SettingsError, read_settings

logger = logging.getLogger("runner")


def build_server(settings: Settings) -> RunnerServer:
    """Build the server and everything it uses. It listens, but does not serve yet."""
    sandbox = Sandbox(settings.cache_dir)
    components = ComponentStore(settings.extensions_dirs, sandbox.compile_component)
    callback = SchedulerCallback(settings.scheduler_base_url, settings.auth_token)
    threading.Thread(target=components.compile_all_components, name="compile", daemon=True).start()
    executor = ExtensionExecutor(sandbox, components, callback)
    return RunnerServer((settings.host, settings.port), executor, settings.service_token)


def main() -> None:
    """Serve until interrupted."""
    configure_logging()
    try:
        settings = read_settings()
    except SettingsError as error:
        sys.exit(f"runner: {error}")
    with build_server(settings) as server, contextlib.suppress(KeyboardInterrupt):
        logger.info("listening on http://%s:%d", settings.host, server.server_port)
        server.serve_forever()


if __name__ == "__main__":
    main()
