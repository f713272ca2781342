"""The functions as `sam build` made them, in the containers of `sam local`, beside a local stack on the host."""

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
from tests.support.local_stack import WIDE_OPEN, LocalStack, api_client, local_stack

BUILD = PROJECT_ROOT / "build" / "sam"
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
CONTAINERS_REACH = "0.0.0.0"  # noqa: S104 (the host as containers know it)
START_SECONDS = 90
STOP_SECONDS = 60


def command(verb: str, *arguments: str, env_file: Path) -> list[str]:
    """A command of `sam local`, with the project's own settings but for where things are."""
    return [
        str(PROJECT_ROOT / "build" / "sam-venv" / "bin" / "sam"),
        *("local", verb, *arguments),
        *("--template", str(BUILD / "template.yaml"), "--config-file", str(PROJECT_ROOT / "samconfig.toml")),
        *("--env-vars", str(env_file), "--parameter-overrides", f"Architecture={ARCHITECTURE}"),
    ]


def environment() -> dict[str, str]:
    """Of a sam command: nobody's AWS account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def env_file(folder: Path, stack: LocalStack, **more: str) -> Path:
    """The project's variables for `sam local`, at the stack's ports."""
    changed = {
        "AWS_ENDPOINT_URL": f"http://host.docker.internal:{urlsplit(stack.aws_url).port}",
        "RUNNER_BASE_URL": f"http://host.docker.internal:{stack.runner.port}",
        **more,
    }
    path = folder / "env.json"
    path.write_text(
        json.dumps({"Parameters": {**variables(PROJECT_ROOT / "events" / "env.json"), **changed}})
    )
    return path


def variables(path: Path) -> dict[str, str]:
    """Of such a file."""
    return dict(json.loads(path.read_text())["Parameters"])


@contextmanager
def sam_stack(folder: Path) -> Iterator[LocalStack]:
    """The API by `sam local start-api`; the local clock delivers to `sam local start-lambda`."""
    api, functions = free_ports(2)
    endpoint = f"http://127.0.0.1:{functions}"
    with local_stack(folder, CONTAINERS_REACH, LAMBDA_ENDPOINT_URL=endpoint) as stack:
        changed = env_file(folder, stack, WRITES_PER_MINUTE=WIDE_OPEN)
        with (
            _serving("start-lambda", functions, changed, folder),
            _serving("start-api", api, changed, folder),
            api_client(f"http://127.0.0.1:{api}") as client,
        ):
            yield replace(stack, api=client)


@contextmanager
def _serving(verb: str, port: int, changed: Path, folder: Path) -> Iterator[None]:
    log = folder / f"{verb}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(verb, "--port", str(port), env_file=changed),
            cwd=PROJECT_ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_heed_interrupts,
        )
    try:
        _wait_until_open(process, port, log)
        yield
    finally:
        # By Ctrl-C it removes its containers.
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)


def _heed_interrupts() -> None:
    """A shell's background jobs ignore them, and so would whatever they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _wait_until_open(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"{log.name} tells of no open port: {log.read_text()}")
