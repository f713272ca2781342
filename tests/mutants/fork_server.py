"""Runs pytest in forks of a process that has imported the libraries, which takes longer than the tests of most mutants.

The process works in one copy of the sources. It reads a JSON array from each line of its input, pytest's arguments and
how many seconds of the processor it may take, and writes the exit code, or null after that time.
"""

import importlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence

import pytest

_LIBRARIES = (
    "aws_lambda_powertools", "boto3", "croniter", "httpx", "jsonschema", "jwt", "moto.dynamodb.responses",
    "moto.scheduler.responses", "moto.sqs.responses", "pydantic", "pynamodb.connection", "rich.table",
    "samtranslator.translator.transform", "typer",
)  # fmt: skip
"""Nothing of the project, which differs from mutant to mutant, and nothing that pytest rewrites."""

_POLL_SECONDS = 0.02
_IDLE_FACTOR = 20
"""A busy machine may make a run that much slower; one that only waits ends after that much."""


def serve() -> None:
    """Answer requests until the input ends."""
    for name in _LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        arguments, seconds = json.loads(line)
        sys.stdout.write(f"{json.dumps(_run_pytest(arguments, seconds))}\n")
        sys.stdout.flush()


def _run_pytest(arguments: Sequence[str], seconds: float) -> int | None:
    child = os.fork()
    if child == 0:
        _be_pytest(arguments, int(seconds))
    deadline = time.monotonic() + _IDLE_FACTOR * seconds
    try:
        while time.monotonic() < deadline:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                return None if code == -signal.SIGXCPU else code
            time.sleep(_POLL_SECONDS)
        return None
    finally:
        _kill_group(child)


def _be_pytest(arguments: Sequence[str], seconds: int) -> None:
    """Run pytest without output, and end with its exit code."""
    status = 3
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        status = int(pytest.main([*arguments]))
    finally:
        os._exit(status)


def _kill_group(child: int) -> None:
    """Kill the tests' process and whatever it has started."""
    try:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def _end(_signal: int, _frame: object) -> None:
    raise SystemExit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    serve()
