"""What is measured: the built artifact, the floor, and what else a user could have built it with."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bench.stage import ARTIFACT, LAYER, ROOT, WORK, python

BENCH = ROOT / "bench"
_FUNCTIONS = {"invalid": "create", "refused": "create"}
IN_LAMBDA = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")


@dataclass(frozen=True)
class Subject:
    """`paths` are searched in this order, `{function}` standing for the folder of an operation's function."""

    name: str
    paths: tuple[str, ...]
    module: str = "app"
    environment: Mapping[str, str] = field(default_factory=dict)

    def path(self, operation: str) -> str:
        """The process's PYTHONPATH, with the bench's own modules last."""
        named = _FUNCTIONS.get(operation, operation).title().replace("_", "")
        function = f"{ARTIFACT}/{named}Function"
        return os.pathsep.join([*(each.format(function=function) for each in self.paths), str(BENCH)])

    def module_of(self, operation: str) -> str:
        """The module with the handler."""
        return self.module.format(operation=_FUNCTIONS.get(operation, operation))


OURS = Subject("this", ("{function}", str(LAYER), str(WORK / "runtime")))
FLOOR = Subject("a", (str(BENCH / "floor"), str(WORK / "runtime"), str(WORK / "tzdata")), "{operation}")
CONTROL = Subject("a again", FLOOR.paths, FLOOR.module)
PEERS = tuple(
    Subject(
        name,
        (str(BENCH / "peers" / folder), str(BENCH / "peers"), str(WORK / "peers"), str(WORK / "runtime")),
        environment=more,
    )
    for name, folder, more in (
        ("boto3 + pydantic", "plain", {}),
        (
            "Powertools cookbook",
            "cookbook",
            {"POWERTOOLS_TRACE_DISABLED": "true", "IDEMPOTENCY_TABLE": "keys"},
        ),
        ("FastAPI + Mangum", "fastapi_mangum", {}),
    )
)


@cache
def prepare() -> None:
    """Install what Lambda's runtime has, in the locked versions, and what the peers need; with byte code, as there."""
    locked = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [line.split(" ")[0] for line in locked if line.partition("==")[0] in (*IN_LAMBDA, "tzdata")]
    _install(WORK / "runtime", *(pin for pin in pins if not pin.startswith("tzdata")))
    _install(WORK / "tzdata", *(pin for pin in pins if pin.startswith("tzdata")))
    _install(
        WORK / "peers", "--no-deps", "--require-hashes", "-r", str(BENCH / "peers" / "requirements.lock")
    )


def _install(folder: Path, *what: str) -> None:
    stamp = folder / ".installed"
    if stamp.exists() and stamp.read_text() == str(what):
        return
    uv = [str(ROOT / "scripts" / "uv"), "pip", "install", "--quiet", "--python", python()]
    subprocess.run([*uv, "--target", str(folder), *what], check=True)
    compiled = ["-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run([python(), *compiled], check=True)
    stamp.write_text(str(what))
