"""The command that brings both systems together now, rather than with the next minute or day."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, TypeVar

import typer
from rich.console import RenderableType
from scheduling.operations.maintenance.reconcile import reconcile as settle
from scheduling.operations.maintenance.sweep import PAGE_SIZE, sweep_install, sweep_timer

from scheduling_admin.errors import ExitStatus, add_error_hint
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import Listing, render_sentence
from scheduling_admin.stack.session import AdminSession

_ItemT = TypeVar("_ItemT")
_MAX_ROUNDS = 50
"""Calls of the reconciler, each of up to 200 items; what cannot be marked as settled would else go on for ever."""

SweepOption = Annotated[
    bool, typer.Option("--sweep", help="Also look at every install and every timer, as the daily sweep does.")
]


def reconcile(session: AdminSession, sweep: SweepOption = False) -> CommandReport:
    """Finish what has been left pending for over a minute; with --sweep, look for all other drift, and mend it."""
    synced, failed = _sync_pending(session)
    repairs = _sweep_all(session) if sweep else Counter[str]()
    document = {
        "synced": synced,
        "failed": failed,
        "swept": sweep,
        "repaired": dict(sorted(repairs.items())),
    }
    renderables = _render_report(synced, failed, repairs, sweep)
    return CommandReport(document, renderables, ExitStatus.NEEDS_ATTENTION if failed else ExitStatus.OK)


def _sync_pending(session: AdminSession) -> tuple[int, int]:
    """How many pending items were settled, and how many are left."""
    synced = 0
    report = None
    with session.show_progress(show_count=False) as bar:
        task = bar.add_task("Settling what is pending", total=None)
        for _ in range(_MAX_ROUNDS):
            report = settle(session.services)
            synced += report.synced
            bar.update(task, description=f"Settling what is pending: {synced}")
            if not report.synced:
                break
    return synced, report.failed if report else 0


def _sweep_all(session: AdminSession) -> Counter[str]:
    repairs: Counter[str] = Counter()
    hint = "The sweep is not through: what it has mended stays mended, and the same command begins anew."
    services = session.services
    with add_error_hint(hint), session.show_progress(show_count=False) as bar:
        task = bar.add_task("Sweeping", total=None)
        for count, install_id in enumerate(
            _iterate_pages(partial(services.sweeps.read_install_ids, limit=PAGE_SIZE)), start=1
        ):
            sweep_install(services, install_id, repairs)
            bar.update(task, description=f"Sweeping installs: {count}")
        for count, schedule_id in enumerate(_iterate_pages(services.timers.list_timers), start=1):
            sweep_timer(services, schedule_id, repairs)
            bar.update(task, description=f"Sweeping timers: {count}")
    return repairs


def _iterate_pages(
    read_page: Callable[[str | None], tuple[Sequence[_ItemT], str | None]],
) -> Iterator[_ItemT]:
    """What all pages have."""
    cursor: str | None = None
    while True:
        page, cursor = read_page(cursor)
        yield from page
        if cursor is None:
            return


def _render_report(synced: int, failed: int, repairs: Counter[str], swept: bool) -> list[RenderableType]:
    renderables: list[RenderableType] = []
    if synced or failed:
        renderables.append(render_sentence(f"Settled {synced} that had been pending."))
    else:
        renderables.append(render_sentence("Nothing had been pending for over a minute.", "green"))
    if failed:
        renderables.append(
            render_sentence(f"{failed} could not be settled now: left to the reconciler; see above.", "red")
        )
    if swept and not repairs:
        renderables.append(render_sentence("The sweep found nothing to mend.", "green"))
    if repairs:
        renderables.append(render_sentence("The sweep mended:"))
        renderables.append(Listing(("Repair", "Count"), sorted(repairs.items())))
    return renderables
