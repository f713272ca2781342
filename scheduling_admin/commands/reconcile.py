"""The command that brings both systems together now, rather than with the next minute or day."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, TypeVar

import typer
from rich.console import RenderableType
from scheduling.operations.maintenance.reconcile import reconcile as settle
from scheduling.operations.maintenance.sweep import PAGE, sweep_install, sweep_timer

from scheduling_admin.errors import Exit, leaving
from scheduling_admin.output.report import Report
from scheduling_admin.output.tables import Listing, sentence
from scheduling_admin.stack.session import Operator

_T = TypeVar("_T")
_ROUNDS = 50
"""Calls of the reconciler, each of up to 200 items; what cannot be marked as settled would else go on for ever."""

Sweep = Annotated[
    bool, typer.Option("--sweep", help="Also look at every install and every timer, as the daily sweep does.")
]


def reconcile(operator: Operator, sweep: Sweep = False) -> Report:
    """Finish what has been left pending for over a minute; with --sweep, look for all other drift, and mend it."""
    settled, failed = _settle(operator)
    mended = _sweep(operator) if sweep else Counter[str]()
    document = {
        "settled": settled,
        "failed": failed,
        "swept": sweep,
        "mended": dict(sorted(mended.items())),
    }
    shown = _shown(settled, failed, mended, sweep)
    return Report(document, shown, Exit.WRONG if failed else Exit.OK)


def _settle(operator: Operator) -> tuple[int, int]:
    """How many pending items were settled, and how many are left."""
    settled = 0
    report = None
    with operator.progress(counted=False) as bar:
        task = bar.add_task("Settling what is pending", total=None)
        for _ in range(_ROUNDS):
            report = settle(operator.services)
            settled += report.settled
            bar.update(task, description=f"Settling what is pending: {settled}")
            if not report.settled:
                break
    return settled, report.failed if report else 0


def _sweep(operator: Operator) -> Counter[str]:
    found: Counter[str] = Counter()
    left = "The sweep is not through: what it has mended stays mended, and the same command begins anew."
    services = operator.services
    with leaving(left), operator.progress(counted=False) as bar:
        task = bar.add_task("Sweeping", total=None)
        for count, install_id in enumerate(_all(partial(services.sweeps.installs, limit=PAGE)), start=1):
            sweep_install(services, install_id, found)
            bar.update(task, description=f"Sweeping installs: {count}")
        for count, schedule_id in enumerate(_all(services.timers.page), start=1):
            sweep_timer(services, schedule_id, found)
            bar.update(task, description=f"Sweeping timers: {count}")
    return found


def _all(page_at: Callable[[str | None], tuple[Sequence[_T], str | None]]) -> Iterator[_T]:
    """What all pages have."""
    cursor: str | None = None
    while True:
        page, cursor = page_at(cursor)
        yield from page
        if cursor is None:
            return


def _shown(settled: int, failed: int, mended: Counter[str], swept: bool) -> list[RenderableType]:
    shown: list[RenderableType] = []
    if settled or failed:
        shown.append(sentence(f"Settled {settled} that had been pending."))
    else:
        shown.append(sentence("Nothing had been pending for over a minute.", "green"))
    if failed:
        shown.append(
            sentence(f"{failed} could not be settled now: left to the reconciler; see above.", "red")
        )
    if swept and not mended:
        shown.append(sentence("The sweep found nothing to mend.", "green"))
    if mended:
        shown.append(sentence("The sweep mended:"))
        shown.append(Listing(("What", "How many"), sorted(mended.items())))
    return shown
