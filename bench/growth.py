"""How what an operation costs grows with what there is already."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any
from uuid import UUID

from rich.progress import track

from bench.measure import BATCHES, Case, measured
from bench.stage import INSTALL, TENANT_EVENT, Stage, stage
from bench.subjects import OURS

Item = dict[str, Any]
SCHEDULES, PAYLOADS = (1, 10, 49), (0, 10_000, 100_000)
RUNS, INSTALLS = (10, 1_000, 100_000), (1, 100, 10_000)


@dataclass(frozen=True)
class Grown:
    """One operation on so much of something: CPU in us, calls of AWS, bytes that DynamoDB answers with."""

    operation: str
    of: str
    much: int
    cpu: float
    calls: int
    answered: int


def grown() -> Sequence[Grown]:
    """In the order of the table."""
    cases = list(_cases())
    return [_measured(*case) for case in track(cases, "growth")]


def _cases() -> Iterator[tuple[str, str, int, Callable[[], Stage]]]:
    for many in SCHEDULES:
        for operation in ("list", "get", "create"):
            yield operation, "schedules of the install", many, partial(stage, many)
    for size in PAYLOADS:
        for operation in ("get", "update"):
            yield operation, "bytes of payload", size, partial(stage, 1, _payload(size))
    for many in RUNS:
        yield "runs", "runs in the history", many, partial(_with_runs, many)
        yield "create", "runs in the history", many, partial(_with_runs, many)
    for many in INSTALLS:
        for operation in ("tenant_schedules", "create"):
            yield operation, "installs of the tenant", many, partial(_with_installs, many)


def _measured(operation: str, of: str, much: int, staged: Callable[[], Stage]) -> Grown:
    with ExitStack() as stack:
        running, one = Case(OURS, operation, staged()).warmed(stack)
        cpu = median(measured(running) for _ in range(BATCHES))
    return Grown(operation, of, much, cpu, len(one["asked"]), sum(one["answered"]))


def _payload(size: int) -> object:
    return ["x" * max(0, size - 4)] if size else None


def _with_runs(many: int) -> Stage:
    one = stage(1)
    schedule = next(item for item in one.items if item["type"]["S"] == "schedule")
    partition = f"{schedule['pk']['S']}#{schedule['sk']['S']}"
    return replace(one, items=[*one.items, *(_run(partition, number) for number in range(many))])


def _run(partition: str, number: int) -> Item:
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


def _with_installs(many: int) -> Stage:
    """Each with the one schedule of the first; the first is the one that creates."""
    one = stage(1)
    others = [item for number in range(many - 1) for item in _copied(one.items, str(UUID(int=number)))]
    return Stage([*one.items, *others], {**one.events, "tenant_schedules": TENANT_EVENT})


def _copied(items: Sequence[Mapping[str, Any]], install_id: str) -> Iterator[Item]:
    for item in items:
        if item["type"]["S"] in ("install", "schedule", "tenantInstall"):
            keys = {name: {"S": item[name]["S"].replace(INSTALL, install_id)} for name in ("pk", "sk")}
            yield {**item, **keys}
