"""The table of `docs/crashes.md`: what the caller of a stopped operation is told, and what has come of it."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from scheduling.operations.maintenance.reconcile import reconcile

from tests.support.faults.crashes import (
    FAULTS,
    OPERATIONS,
    CaseSnapshot,
    CrashCase,
    CrashOperation,
    new_case,
    record_calls,
    run_fault_cases,
)
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.world import new_world

_HEADING = """\
# What is left of an operation that is stopped

Each operation makes the AWS calls below, in this order. For each call, and each way in which it may be stopped there:
what the caller is told (`open`: nothing, or that it is not certain), and whether the operation has happened once the
reconciler has passed, without anybody trying again. Both systems agree in every case.

An `outage` lasts to the end of the operation; the other ways befall one call. `make crashes` writes this page, and
`tests/integration/sync/test_crashes.py` holds it and each promise in it.
"""


def applied_after_reconcile(case: CrashCase, operation: CrashOperation) -> bool:
    """Whether it has, once the reconciler has passed and both systems agree."""
    case.world.advance(seconds=61)
    assert reconcile(case.world.services).failed == 0
    assert_consistent(case.world)
    return operation.is_applied(case)


@cache
def list_outcomes(name: str, fault: str) -> Sequence[tuple[str, bool]]:
    """What was told, and whether it has happened in the end, for each call at which the operation was stopped."""
    operation = OPERATIONS[name]
    with new_world(aws="memory") as world:
        return [
            (reported, applied_after_reconcile(case, operation))
            for case, reported in run_fault_cases(world, operation, fault)
        ]


def render_section(name: str) -> str:
    """The part about one operation."""
    with new_world(aws="memory") as world:
        names = [
            call.operation
            for call in record_calls(CaseSnapshot(new_case(world, OPERATIONS[name])), OPERATIONS[name])
        ]
    columns = [
        [f"{reported} → {'yes' if applied else 'no'}" for reported, applied in list_outcomes(name, fault)]
        for fault in FAULTS
    ]
    rows = [f"| {number} {call_name} |" for number, call_name in enumerate(names, start=1)]
    lines = [f"{row} {' | '.join(cells)} |" for row, *cells in zip(rows, *columns, strict=True)]
    head = [f"## {name}", "", f"| stopped at | {' | '.join(FAULTS)} |", "|---" * (len(FAULTS) + 1) + "|"]
    return "\n".join([*head, *lines]) + "\n"


if __name__ == "__main__":
    page = "\n".join([_HEADING, *(render_section(name) for name in OPERATIONS)])
    (Path(__file__).parents[3] / "docs" / "crashes.md").write_text(page)
    print(page)
