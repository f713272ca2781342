"""Processes that run `probe.py` in Lambda's Python, for one operation of one subject."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any, cast

from bench.stage import FUNCTION_ENVIRONMENT, find_python
from bench.subjects import BENCH, Subject


@dataclass(frozen=True)
class Probe:
    """A running process that exchanges lines of JSON."""

    stdin: IO[str]
    stdout: IO[str]
    stderr: IO[str]

    def send(self, message: object) -> None:
        """Send a line."""
        self.stdin.write(json.dumps(message) + "\n")
        self.stdin.flush()

    def receive(self) -> Any:
        """Return the next line; end the bench if the process has died."""
        line = self.stdout.readline()
        if not line:
            self.stderr.seek(0)
            raise SystemExit(f"bench: a process ended\n{self.stderr.read()[-3000:]}")
        return json.loads(line)


@contextmanager
def start_probe(
    kind: str,
    subject: Subject,
    operation: str,
    environment: Mapping[str, str],
    spec: Mapping[str, object],
) -> Iterator[Probe]:
    """Start a process; `kind` and `spec` are the arguments of `probe.py`."""
    variables = {**FUNCTION_ENVIRONMENT, **subject.environment, **environment}
    with (
        TemporaryFile("w+") as stderr,
        subprocess.Popen(
            [find_python(), "-P", str(BENCH / "probe.py")],
            env={**variables, "PYTHONPATH": subject.python_path(operation)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        started = Probe(cast("IO[str]", process.stdin), cast("IO[str]", process.stdout), stderr)
        started.send({"kind": kind, "module": subject.handler_module(operation), **spec})
        yield started
