"""Where the time goes by package, by Python's profiler, which makes small functions look dearer than they are."""

import json
import subprocess
from collections.abc import Mapping

from bench.stage import ENVIRONMENT, WORK, Stage, python
from bench.subjects import BENCH, Subject

PARTS: Mapping[str, tuple[str, ...]] = {
    "Python": ("lib",),
    "botocore": ("botocore", "boto3", "urllib3", "jmespath", "dateutil", "s3transfer", "six"),
    "pydantic": ("pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"),
    "pynamodb": ("pynamodb",),
    "Powertools": ("aws_lambda_powertools", "aws_xray_sdk", "wrapt"),
    "web framework": ("fastapi", "starlette", "mangum", "anyio", "idna", "annotated_doc", "opentelemetry"),
    "own code": ("scheduling", "croniter", "app", "floor", "schedules"),
}
"""Each with the folders, or files, by which a path is known to be of it."""


def cold_shares(subject: Subject, operation: str) -> Mapping[str, float]:
    """Of a start up to the ready handler, by part."""
    return _shares(subject, operation, {})


def warm_shares(subject: Subject, operation: str, stage: Stage) -> Mapping[str, float]:
    """Of a call in a warm process, by part."""
    return _shares(subject, operation, {"event": stage.events[operation], "items": stage.items})


def _shares(subject: Subject, operation: str, more: Mapping[str, object]) -> Mapping[str, float]:
    spec = {"module": subject.module_of(operation), "handler": "handler", "profile": True, **more}
    given, found = WORK / "spec.json", WORK / "result.json"
    given.write_text(json.dumps(spec))
    environment = {**ENVIRONMENT, **subject.environment, "PYTHONPATH": subject.path(operation)}
    command = [python(), "-P", str(BENCH / "probe.py"), str(given), str(found)]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    seconds = dict.fromkeys(PARTS, 0.0)
    for path, spent in json.loads(found.read_text()):
        seconds[_part(path)] += spent
    return {part: spent / sum(seconds.values()) for part, spent in seconds.items()}


def _part(path: str) -> str:
    folders = set(path.removesuffix(".py").split("/"))
    return next((part for part, known in PARTS.items() if folders & set(known)), "Python")
