"""CPU time by package, sampled each millisecond; the standard library counts for the package that calls it."""

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
"""Parts of the picture, each with the folders or files that belong to it."""
SAMPLED_PROCESSES = 5
"""The default number of sampled processes per case."""


def cold_shares(subject: Subject, operation: str, samples: int = SAMPLED_PROCESSES) -> Mapping[str, float]:
    """Return each part's share of a start up to the ready handler."""
    return _measure_shares(subject, operation, {}, samples)


def warm_shares(
    subject: Subject, operation: str, stage: Stage, samples: int = SAMPLED_PROCESSES
) -> Mapping[str, float]:
    """Return each part's share of a call in a warm process."""
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
    """Return the part of a path; None for the bench itself, such as the stub that responds for AWS."""
    folders = set(path.removesuffix(".py").split("/"))
    return next((part for part, packages in PACKAGES_BY_PART.items() if folders & set(packages)), None)
