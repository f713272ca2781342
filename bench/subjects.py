"""The measured subjects: the built artifact, raw botocore, and other common stacks."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bench.stage import ARTIFACT, LAYER, ROOT, WORK, find_python

BENCH = ROOT / "bench"
_FUNCTION_BY_OPERATION = {"invalid": "create", "refused": "create"}
RUNTIME_PACKAGES = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")


@dataclass(frozen=True)
class Subject:
    """A measured implementation; `{function}` in its paths is the folder of the operation's function."""

    name: str
    paths: tuple[str, ...]
    module: str = "app"
    environment: Mapping[str, str] = field(default_factory=dict)

    def python_path(self, operation: str) -> str:
        """Return the process's PYTHONPATH, with the bench's own modules last."""
        name = _FUNCTION_BY_OPERATION.get(operation, operation).title().replace("_", "")
        function = f"{ARTIFACT}/{name}Function"
        return os.pathsep.join([*(each.format(function=function) for each in self.paths), str(BENCH)])

    def handler_module(self, operation: str) -> str:
        """Return the name of the module with the handler."""
        return self.module.format(operation=_FUNCTION_BY_OPERATION.get(operation, operation))


THIS = Subject("this", ("{function}", str(LAYER), str(WORK / "runtime")))
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
def install_runtimes() -> None:
    """Install the packages of Lambda's runtime, in the locked versions, and those of the peers, with byte code."""
    locked = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [line.split(" ")[0] for line in locked if line.partition("==")[0] in (*RUNTIME_PACKAGES, "tzdata")]
    _install_packages(WORK / "runtime", *(pin for pin in pins if not pin.startswith("tzdata")))
    _install_packages(WORK / "tzdata", *(pin for pin in pins if pin.startswith("tzdata")))
    _install_packages(
        WORK / "peers", "--no-deps", "--require-hashes", "-r", str(BENCH / "peers" / "requirements.lock")
    )


def _install_packages(folder: Path, *requirements: str) -> None:
    stamp = folder / ".installed"
    if stamp.exists() and stamp.read_text() == str(requirements):
        return
    uv = [str(ROOT / "scripts" / "uv"), "pip", "install", "--quiet", "--python", find_python()]
    subprocess.run([*uv, "--target", str(folder), *requirements], check=True)
    compiled = ["-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run([find_python(), *compiled], check=True)
    stamp.write_text(str(requirements))
