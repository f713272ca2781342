"""The table of `docs/crashes.md`: what the caller of a stopped operation is told, and what has come of it."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from scheduling.operations.maintenance.reconcile import reconcile

from tests.support.consistency import assert_consistent
from tests.support.crashes import OPERATIONS, WAYS, Beginning, Case, Operation, calls_of, cases, new_case
from tests.support.world import new_world

_HEADING = """\
# What is left of an operation that is stopped

Each operation makes the AWS calls below, in this order. For each call, and each way in which it may be stopped there:
what the caller is told (`open`: nothing, or that it is not certain), and whether the operation has happened once the
reconciler has passed, without anybody trying again. Both systems agree in every case.

An `outage` lasts to the end of the operation; the other ways befall one call. `make crashes` writes this page, and
`tests/integration/test_crashes.py` holds it and each promise in it.
"""


def happened_in_the_end(case: Case, operation: Operation) -> bool:
    """Whether it has, once the reconciler has passed and both systems agree."""
    case.world.advance(seconds=61)
    assert reconcile(case.world.services).failed == 0
    assert_consistent(case.world)
    return operation.happened(case)


@cache
def outcomes(name: str, way: str) -> Sequence[tuple[str, bool]]:
    """What was told, and whether it has happened in the end, for each call at which the operation was stopped."""
    operation = OPERATIONS[name]
    with new_world(aws="memory") as world:
        return [(told, happened_in_the_end(case, operation)) for case, told in cases(world, operation, way)]


def section(name: str) -> str:
    """The part about one operation."""
    with new_world(aws="memory") as world:
        names = [
            call.operation
            for call in calls_of(Beginning(new_case(world, OPERATIONS[name])), OPERATIONS[name])
        ]
    columns = [
        [f"{told} → {'yes' if happened else 'no'}" for told, happened in outcomes(name, way)] for way in WAYS
    ]
    rows = [f"| {number} {called} |" for number, called in enumerate(names, start=1)]
    lines = [f"{row} {' | '.join(cells)} |" for row, *cells in zip(rows, *columns, strict=True)]
    head = [f"## {name}", "", f"| stopped at | {' | '.join(WAYS)} |", "|---" * (len(WAYS) + 1) + "|"]
    return "\n".join([*head, *lines]) + "\n"


if __name__ == "__main__":
    page = "\n".join([_HEADING, *(section(name) for name in OPERATIONS)])
    (Path(__file__).parents[2] / "docs" / "crashes.md").write_text(page)
    print(page)
