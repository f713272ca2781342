"""How the cost of an operation grows with the amount of stored data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any
from uuid import UUID

from rich.progress import track

from bench.measure import BATCHES, BenchCase, measure_batch
from bench.stage import INSTALL, TENANT_EVENT, Stage, create_stage
from bench.subjects import THIS

Item = dict[str, Any]
SCHEDULES, PAYLOADS = (1, 10, 49), (0, 10_000, 100_000)
RUNS, INSTALLS = (10, 1_000, 100_000), (1, 100, 10_000)


@dataclass(frozen=True)
class GrowthPoint:
    """One operation at one size: CPU in us, AWS calls, and bytes of DynamoDB's responses."""

    operation: str
    dimension: str
    size: int
    cpu: float
    calls: int
    response_bytes: int


def measure_growth() -> Sequence[GrowthPoint]:
    """Measure all points, in the order of the table."""
    cases = list(_growth_cases())
    return [_measure_point(*case) for case in track(cases, "growth")]


def _growth_cases() -> Iterator[tuple[str, str, int, Callable[[], Stage]]]:
    for count in SCHEDULES:
        for operation in ("list", "get", "create"):
            yield operation, "schedules of the install", count, partial(create_stage, count)
    for size in PAYLOADS:
        for operation in ("get", "update"):
            yield operation, "bytes of payload", size, partial(create_stage, 1, _payload(size))
    for count in RUNS:
        yield "runs", "runs in the history", count, partial(_stage_with_runs, count)
        yield "create", "runs in the history", count, partial(_stage_with_runs, count)
    for count in INSTALLS:
        for operation in ("tenant_schedules", "create"):
            yield operation, "installs of the tenant", count, partial(_stage_with_installs, count)


def _measure_point(
    operation: str, dimension: str, size: int, stage_factory: Callable[[], Stage]
) -> GrowthPoint:
    with ExitStack() as stack:
        process, call = BenchCase(THIS, operation, stage_factory()).start_warm(stack)
        cpu = median(measure_batch(process) for _ in range(BATCHES))
    return GrowthPoint(operation, dimension, size, cpu, len(call["requests"]), sum(call["response_sizes"]))


def _payload(size: int) -> object:
    return ["x" * max(0, size - 4)] if size else None


def _stage_with_runs(count: int) -> Stage:
    base = create_stage(1)
    schedule = next(item for item in base.items if item["type"]["S"] == "schedule")
    partition = f"{schedule['pk']['S']}#{schedule['sk']['S']}"
    return replace(base, items=[*base.items, *(_run_item(partition, number) for number in range(count))])


def _run_item(partition: str, number: int) -> Item:
    minutes, days = number % 1440, number // 1440
    time = f"{2000 + days // 336}-{days // 28 % 12 + 1:02}-{days % 28 + 1:02}T{minutes // 60:02}:{minutes % 60:02}:00Z"
    return {
        "pk": {"S": partition},
        "sk": {"S": f"RUN#{time}"},
        "type": {"S": "run"},
        "trigger": {"S": "schedule"},
        "status": {"S": "success"},
        "attempt": {"N": "1"},
        "leaseToken": {"S": "0" * 16},
        "startedAt": {"S": "2026-11-23T09:00:00.000000+0000"},
        "durationMs": {"N": "12"},
        "httpStatus": {"N": "200"},
        "retryable": {"BOOL": False},
    }


def _stage_with_installs(count: int) -> Stage:
    """Build a stage of many installs, each with a copy of the first one's schedule; the first one creates."""
    base = create_stage(1)
    others = [item for number in range(count - 1) for item in _copy_items(base.items, str(UUID(int=number)))]
    return Stage([*base.items, *others], {**base.events, "tenant_schedules": TENANT_EVENT})


def _copy_items(items: Sequence[Mapping[str, Any]], install_id: str) -> Iterator[Item]:
    for item in items:
        if item["type"]["S"] in ("install", "schedule", "tenantInstall"):
            keys = {name: {"S": item[name]["S"].replace(INSTALL, install_id)} for name in ("pk", "sk")}
            yield {**item, **keys}
