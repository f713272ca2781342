"""Where the time goes: a cold start by package, and a warm call by package."""

import json
import re
import subprocess
from collections.abc import Mapping

from bench.measure import Case
from bench.stage import ENVIRONMENT, WORK, Stage, python
from bench.subjects import BENCH, OURS, Subject

_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")
PARTS: Mapping[str, tuple[str, ...]] = {
    "Python": (),
    "botocore": ("botocore", "boto3", "urllib3", "jmespath", "dateutil", "s3transfer", "six"),
    "pydantic": ("pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"),
    "pynamodb": ("pynamodb",),
    "Powertools": ("aws_lambda_powertools", "aws_xray_sdk", "wrapt"),
    "web framework": ("fastapi", "starlette", "mangum", "anyio", "idna", "annotated_doc", "opentelemetry"),
    "own code": (
        "scheduling",
        "app",
        "schedules",
        "answers",
        "aws",
        "rules",
        "timers",
        "writes",
        "create",
        "get",
        "list",
    ),
}


def cold_parts(subject: Subject, operation: str) -> Mapping[str, float]:
    """Milliseconds of imports by part, and what the rest of the start takes beside them."""
    module = subject.module_of(operation)
    environment = {**ENVIRONMENT, **subject.environment, "PYTHONPATH": subject.path(operation)}
    done = subprocess.run(
        [python(), "-P", "-X", "importtime", "-c", f"import {module}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = dict.fromkeys(PARTS, 0.0)
    for microseconds, name in _IMPORT.findall(done.stderr):
        found[_part(name)] += int(microseconds) / 1000
    return found


def warm_parts(stage: Stage, operation: str) -> Mapping[str, float]:
    """Shares of a call by part, by Python's profiler, which makes small functions look dearer than they are."""
    case = Case(OURS, operation, "warm", stage)
    spec = {"module": "app", "handler": "handler", "event": stage.events[operation], "items": stage.items}
    given, found = WORK / "spec.json", WORK / "result.json"
    given.write_text(json.dumps({**spec, "profile": True}))
    environment = {**ENVIRONMENT, "PYTHONPATH": case.subject.path(operation)}
    command = [python(), "-P", str(BENCH / "probe.py"), str(given), str(found)]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    seconds: dict[str, float] = dict.fromkeys(PARTS, 0.0)
    for path, spent in json.loads(found.read_text()):
        seconds[_part_of_file(path)] += spent
    total = sum(seconds.values())
    return {part: spent / total for part, spent in seconds.items()}


def _part(module: str) -> str:
    package = module.partition(".")[0]
    return next((part for part, packages in PARTS.items() if package in packages), "Python")


def _part_of_file(path: str) -> str:
    folders = path.removesuffix(".py").split("/")
    for part, packages in PARTS.items():
        if set(packages) & set(folders) - {"get", "list", "create"} and "lib" not in folders:
            return part
    return "Python"
