"""The table of `docs/crashes.md`: what the caller of a stopped operation is told, and what has come of it."""

from pathlib import Path

from scheduling.operations.reconcile import reconcile

from tests.support.crashes import OPERATIONS, WAYS, calls_of, cases
from tests.support.world import new_world

_HEADING = """\
# What is left of an operation that is stopped

Each operation makes the AWS calls below, in this order. For each call, and each way in which it may be stopped there:
what the caller is told (`open`: nothing, or that it is not certain), and whether the operation has happened once the
reconciler has passed, without anybody trying again. Both systems agree in every case.

An `outage` lasts to the end of the operation; the other ways befall one call. `make crashes` writes this page, and
`tests/integration/test_crashes.py` holds it and each promise in it.
"""


def section(name: str) -> str:
    """The part about one operation."""
    operation = OPERATIONS[name]
    with new_world(aws="memory") as world:
        names = [call.operation for call in calls_of(world, operation)]
        columns = []
        for way in WAYS:
            cells = []
            for case, told in cases(world, operation, way):
                world.advance(seconds=61)
                reconcile(world.services)
                cells.append(f"{told} → {'yes' if operation.happened(case) else 'no'}")
            columns.append(cells)
    rows = [f"| {number} {called} |" for number, called in enumerate(names, start=1)]
    lines = [f"{row} {' | '.join(cells)} |" for row, *cells in zip(rows, *columns, strict=True)]
    head = [f"## {name}", "", f"| stopped at | {' | '.join(WAYS)} |", "|---" * (len(WAYS) + 1) + "|"]
    return "\n".join([*head, *lines]) + "\n"


if __name__ == "__main__":
    page = "\n".join([_HEADING, *(section(name) for name in OPERATIONS)])
    (Path(__file__).parents[2] / "docs" / "crashes.md").write_text(page)
    print(page)
