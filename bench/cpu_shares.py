"""Where the CPU goes by package, by samples of a millisecond: Python's own is of the package that has it done."""

from collections.abc import Mapping

from bench.processes import start_probe
from bench.stage import Stage
from bench.subjects import Subject

PACKAGES_BY_PART: Mapping[str, tuple[str, ...]] = {
    "botocore": ("botocore", "boto3", "urllib3", "jmespath", "dateutil", "s3transfer", "six"),
    "pydantic": ("pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"),
    "pynamodb": ("pynamodb",),
    "Powertools": ("aws_lambda_powertools", "aws_xray_sdk", "wrapt"),
    "web framework": ("fastapi", "starlette", "mangum", "anyio", "idna", "annotated_doc", "opentelemetry"),
    "own code": ("scheduling", "croniter", "app", "floor", "schedules"),
}
"""Each with the folders, or files, by which a path is known to be of it."""
SAMPLED_PROCESSES = 5
"""Processes of each, by default."""


def cold_shares(subject: Subject, operation: str, samples: int = SAMPLED_PROCESSES) -> Mapping[str, float]:
    """Of a start up to the ready handler, by part."""
    return _measure_shares(subject, operation, {}, samples)


def warm_shares(
    subject: Subject, operation: str, stage: Stage, samples: int = SAMPLED_PROCESSES
) -> Mapping[str, float]:
    """Of a call in a warm process, by part."""
    return _measure_shares(
        subject, operation, {"event": stage.events[operation], "items": stage.items}, samples
    )


def _measure_shares(
    subject: Subject, operation: str, spec: Mapping[str, object], samples: int
) -> Mapping[str, float]:
    seconds = dict.fromkeys(PACKAGES_BY_PART, 0.0)
    for _ in range(samples):
        with start_probe("sampled", subject, operation, {}, spec) as process:
            for path, spent in process.receive():
                if part := _find_part(path):
                    seconds[part] += spent
    return {part: spent / sum(seconds.values()) for part, spent in seconds.items()}


def _find_part(path: str) -> str | None:
    """None: the bench's own, such as the stub that answers in place of AWS."""
    folders = set(path.removesuffix(".py").split("/"))
    return next((part for part, packages in PACKAGES_BY_PART.items() if folders & set(packages)), None)
