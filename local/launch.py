"""Starts the local stack, its child processes first, so that they start while this process imports the rest."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from local.events import write_extension
from local.logs import keep_earlier_logs
from local.processes import ChildProcess, ChildProcesses, require_free_ports
from local.settings import child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from local.settings import Settings
    from local.stack import Stack


@contextmanager
def launch_stack(settings: Settings, start: datetime | None = None) -> Iterator[Stack]:
    """Start the whole stack and stop it at the end of the ``with`` block.

    Args:
        settings: The stack's settings.
        start: The time at which the stack's clock starts; the present time by default.

    Raises:
        StackError: A part cannot start.
    """
    require_free_ports(settings.own_ports)
    keep_earlier_logs(settings.logs)
    with ExitStack() as exit_stack:
        children = ChildProcesses(_start_moto(settings, exit_stack), _start_runner(settings, exit_stack))
        from local.stack import run_stack  # this import takes as long as the children's start

        yield exit_stack.enter_context(run_stack(settings, children, start))


def _start_moto(settings: Settings, exit_stack: ExitStack) -> ChildProcess | None:
    if settings.aws_endpoint_url:
        return None
    log = settings.logs / "moto.log"
    arguments = (settings.listen_address, str(settings.aws_port), settings.lambda_url)
    moto = ChildProcess("local.moto.server", *arguments, environ=child_environment(), log=log)
    exit_stack.callback(moto.stop)
    return moto


def _start_runner(settings: Settings, exit_stack: ExitStack) -> ChildProcess | None:
    if settings.runner_base_url:
        return None
    settings.extension_folders[0].mkdir(parents=True, exist_ok=True)
    if settings.set_up_events:
        write_extension(settings.events_folder)
    runner = ChildProcess("runner", environ=_runner_environment(settings), log=settings.runner_log)
    exit_stack.callback(runner.stop)
    return runner


def _runner_environment(settings: Settings) -> dict[str, str]:
    return child_environment(
        RUNNER_HOST=settings.listen_address,
        RUNNER_PORT=str(settings.runner_port),
        EXTENSIONS_DIR=os.pathsep.join(map(str, settings.extension_folders)),
        SCHEDULER_BASE_URL=settings.api_url,
        RUNNER_AUTH_TOKEN=settings.runner_auth_token,
        RUNNER_SERVICE_TOKEN=settings.runner_service_token,
        WASM_CACHE_DIR=str(settings.build / "wasm-cache"),
    )
