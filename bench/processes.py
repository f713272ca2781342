"""Processes of Lambda's Python that run `probe.py` for one operation of one subject."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any, cast

from bench.stage import ENVIRONMENT, python
from bench.subjects import BENCH, Subject


@dataclass(frozen=True)
class Probe:
    """A running one: it is told and tells lines of JSON."""

    told: IO[str]
    tells: IO[str]
    complaints: IO[str]

    def tell(self, message: object) -> None:
        """What it waits for."""
        self.told.write(json.dumps(message) + "\n")
        self.told.flush()

    def hear(self) -> Any:
        """Its next line. Ends the bench where it died."""
        line = self.tells.readline()
        if not line:
            self.complaints.seek(0)
            raise SystemExit(f"bench: a process ended\n{self.complaints.read()[-3000:]}")
        return json.loads(line)


@contextmanager
def probe(
    kind: str,
    subject: Subject,
    operation: str,
    environment: Mapping[str, str],
    spec: Mapping[str, object],
) -> Iterator[Probe]:
    """A fresh one; `kind` and `spec` are what `probe.py` goes by."""
    variables = {**ENVIRONMENT, **subject.environment, **environment}
    with (
        TemporaryFile("w+") as complaints,
        subprocess.Popen(
            [python(), "-P", str(BENCH / "probe.py")],
            env={**variables, "PYTHONPATH": subject.path(operation)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        ) as process,
    ):
        running = Probe(cast("IO[str]", process.stdin), cast("IO[str]", process.stdout), complaints)
        running.tell({"kind": kind, "module": subject.module_of(operation), **spec})
        yield running
