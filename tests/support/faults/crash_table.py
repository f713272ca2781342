"""The table of `docs/crashes.md`: what the caller of an interrupted operation learns, and the final outcome."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from scheduling.operations.maintenance.reconcile import reconcile

from tests.support.faults.crash_operations import OPERATIONS, CrashCase, CrashOperation, new_case
from tests.support.faults.crashes import FAULTS, CaseSnapshot, record_calls, run_fault_cases
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.world import new_world

_HEADING = """\
# The outcome of an interrupted operation

Each operation makes the AWS calls below, in this order. Each cell shows, for one fault at one call, what the caller
learns (`open`: nothing, or that the outcome is uncertain) and whether the operation is applied after the next run of
the reconciler, without a retry. DynamoDB and EventBridge agree in every case.

An `outage` lasts until the operation ends; the other faults affect one call. `make crashes` writes this page, and
`tests/integration/sync/test_crashes.py` compares it with the outcomes.
"""


def applied_after_reconcile(case: CrashCase, operation: CrashOperation) -> bool:
    """Return whether the operation is applied after a run of the reconciler; fail if the two systems differ."""
    case.world.advance(seconds=61)
    assert reconcile(case.world.services).failed == 0
    assert_consistent(case.world)
    return operation.is_applied(case)


@cache
def list_outcomes(name: str, fault: str) -> Sequence[tuple[str, bool]]:
    """Return what the caller learns and whether the operation is applied, for a fault at each call."""
    operation = OPERATIONS[name]
    with new_world(aws="memory") as world:
        return [
            (reported, applied_after_reconcile(case, operation))
            for case, reported in run_fault_cases(world, operation, fault)
        ]


def render_section(name: str) -> str:
    """Render the table of one operation."""
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
    head = [f"## {name}", "", f"| fault at | {' | '.join(FAULTS)} |", "|---" * (len(FAULTS) + 1) + "|"]
    return "\n".join([*head, *lines]) + "\n"


if __name__ == "__main__":
    page = "\n".join([_HEADING, *(render_section(name) for name in OPERATIONS)])
    (Path(__file__).parents[3] / "docs" / "crashes.md").write_text(page)
    print(page)
