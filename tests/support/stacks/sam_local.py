"""The functions built by `sam build`, in the containers of `sam local`, with a local stack on the host."""

import json
import os
import platform
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from local.settings import PROJECT_ROOT, free_ports
from tests.support.stacks.local_stack import (
    UNLIMITED_WRITES,
    LocalStack,
    create_api_client,
    start_local_stack,
)

BUILD = PROJECT_ROOT / "build" / "sam"
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
HOST_LISTEN_ADDRESS = "0.0.0.0"  # noqa: S104 (containers reach the host by its own address)
START_SECONDS = 90
STOP_SECONDS = 60


def sam_command(verb: str, *arguments: str, env_file: Path) -> list[str]:
    """Build a command of `sam local` with the project's settings and the built template."""
    return [
        str(PROJECT_ROOT / "build" / "sam-venv" / "bin" / "sam"),
        *("local", verb, *arguments),
        *("--template", str(BUILD / "template.yaml"), "--config-file", str(PROJECT_ROOT / "samconfig.toml")),
        *("--env-vars", str(env_file), "--parameter-overrides", f"Architecture={ARCHITECTURE}"),
    ]


def sam_environment() -> dict[str, str]:
    """Return the environment of a sam command, without an AWS account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def write_env_file(folder: Path, stack: LocalStack, **more: str) -> Path:
    """Write the project's variables for `sam local`, with the stack's ports."""
    overrides = {
        "AWS_ENDPOINT_URL": f"http://host.docker.internal:{urlsplit(stack.aws_url).port}",
        "RUNNER_BASE_URL": f"http://host.docker.internal:{stack.runner.port}",
        **more,
    }
    path = folder / "env.json"
    path.write_text(
        json.dumps({"Parameters": {**read_variables(PROJECT_ROOT / "events" / "env.json"), **overrides}})
    )
    return path


def read_variables(path: Path) -> dict[str, str]:
    """Read the variables of a file written by `write_env_file`."""
    return dict(json.loads(path.read_text())["Parameters"])


@contextmanager
def start_sam_stack(folder: Path) -> Iterator[LocalStack]:
    """Start the API with `sam local start-api`; the local clock delivers to `sam local start-lambda`."""
    api_port, lambda_port = free_ports(2)
    endpoint = f"http://127.0.0.1:{lambda_port}"
    with start_local_stack(folder, HOST_LISTEN_ADDRESS, LAMBDA_ENDPOINT_URL=endpoint) as stack:
        variables_file = write_env_file(folder, stack, WRITES_PER_MINUTE=UNLIMITED_WRITES)
        with (
            _start_sam_command("start-lambda", lambda_port, variables_file, folder),
            _start_sam_command("start-api", api_port, variables_file, folder),
            create_api_client(f"http://127.0.0.1:{api_port}") as client,
        ):
            yield replace(stack, api=client)


@contextmanager
def _start_sam_command(verb: str, port: int, variables_file: Path, folder: Path) -> Iterator[None]:
    log = folder / f"{verb}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            sam_command(verb, "--port", str(port), env_file=variables_file),
            cwd=PROJECT_ROOT,
            env=sam_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_restore_interrupts,
        )
    try:
        _wait_until_open(process, port, log)
        yield
    finally:
        # On an interrupt, it removes its containers.
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)


def _restore_interrupts() -> None:
    """Handle SIGINT again: a shell's background job ignores it, and so do its child processes."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _wait_until_open(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"the port is not open; {log.name}: {log.read_text()}")
