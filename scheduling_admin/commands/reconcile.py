"""The command `reconcile`, which does now what the reconciler does each minute and the sweep each day."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, TypeVar

import typer
from rich.console import RenderableType
from scheduling.domain.errors import Conflict
from scheduling.domain.sweeps import SweepState
from scheduling.operations.maintenance.parts import sweep_install, sweep_timer
from scheduling.operations.maintenance.reconcile import reconcile as sync_pending_changes
from scheduling.operations.maintenance.sweep import INSTALLS_OF_PART

from scheduling_admin.errors import ExitStatus, add_error_hint
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import Listing, render_sentence
from scheduling_admin.stack.session import AdminSession

logger = logging.getLogger(__name__)
_ItemT = TypeVar("_ItemT")
_MAX_ROUNDS = 50
"""The maximum number of reconciler calls, of up to 200 items each: an item that stays pending would return forever."""

SweepOption = Annotated[
    bool, typer.Option("--sweep", help="Also check every install and every timer, as the daily sweep does.")
]


def reconcile(session: AdminSession, sweep: SweepOption = False) -> CommandReport:
    """Sync changes that have been pending for over a minute; with --sweep, also find and repair all other drift.

    A complete sweep counts as the last one.
    """
    synced, failed = _sync_pending(session)
    repairs = _sweep_all(session) if sweep else Counter[str]()
    unreadable_count = repairs.pop("unreadable", 0)
    document = {
        "synced": synced,
        "failed": failed,
        "swept": sweep,
        "repaired": dict(sorted(repairs.items())),
        **({"unreadable": unreadable_count} if unreadable_count else {}),
    }
    renderables = _render_report(synced, failed, repairs, sweep)
    if unreadable_count:
        text = f"{unreadable_count} item{'' if unreadable_count == 1 else 's'} cannot be read. See the messages above."
        renderables.append(render_sentence(text, "red"))
    has_problem = failed or unreadable_count
    return CommandReport(document, renderables, ExitStatus.NEEDS_ATTENTION if has_problem else ExitStatus.OK)


def _sync_pending(session: AdminSession) -> tuple[int, int]:
    """Return how many pending changes were synced, and how many failed."""
    synced = 0
    report = None
    with session.show_progress(show_count=False) as bar:
        task = bar.add_task("Syncing pending changes", total=None)
        for _ in range(_MAX_ROUNDS):
            report = sync_pending_changes(session.services)
            synced += report.synced
            bar.update(task, description=f"Syncing pending changes: {synced}")
            if not report.synced:
                break
    return synced, report.failed if report else 0


def _sweep_all(session: AdminSession) -> Counter[str]:
    repairs: Counter[str] = Counter()
    hint = "The sweep is incomplete: its repairs are kept, and the same command starts over."
    services = session.services
    before, started_at = services.sweeps.read_sweep_state(), services.clock()
    with add_error_hint(hint), session.show_progress(show_count=False) as bar:
        task = bar.add_task("Sweeping", total=None)
        for count, install_id in enumerate(
            _iterate_pages(partial(services.sweeps.read_install_ids, limit=INSTALLS_OF_PART)), start=1
        ):
            sweep_install(services, install_id, repairs)
            bar.update(task, description=f"Sweeping installs: {count}")
        for count, schedule_id in enumerate(_iterate_pages(services.timers.list_timers), start=1):
            sweep_timer(services, schedule_id, repairs)
            bar.update(task, description=f"Sweeping timers: {count}")
        _save_as_last_sweep(session, before, started_at, repairs)
    return repairs


def _save_as_last_sweep(
    session: AdminSession, before: SweepState | None, started_at: datetime, repairs: Mapping[str, int]
) -> None:
    """Save the complete sweep as the last one, unless the reconciler's is under way, which then is."""
    if before and before.phase:
        return
    services = session.services
    next_sweep_at = services.clock() + session.stack.sweep_interval
    state = SweepState(next_sweep_at=next_sweep_at, started_at=started_at, repairs=dict(repairs))
    try:
        services.sweeps.save_sweep_state(before, state)
    except Conflict:
        logger.info("another sweep has started meanwhile: that one counts as the last")


def _iterate_pages(
    read_page: Callable[[str | None], tuple[Sequence[_ItemT], str | None]],
) -> Iterator[_ItemT]:
    """Yield the items of all pages."""
    cursor: str | None = None
    while True:
        page, cursor = read_page(cursor)
        yield from page
        if cursor is None:
            return


def _render_report(synced: int, failed: int, repairs: Counter[str], swept: bool) -> list[RenderableType]:
    renderables: list[RenderableType] = []
    if synced or failed:
        renderables.append(render_sentence(f"Synced {_format_change_count(synced)}."))
    else:
        renderables.append(render_sentence("No change has been pending for over a minute.", "green"))
    if failed:
        renderables.append(
            render_sentence(
                f"{_format_change_count(failed)} could not be synced; the reconciler retries. See the messages above.",
                "red",
            )
        )
    if swept and not repairs:
        renderables.append(render_sentence("The sweep found no drift.", "green"))
    if repairs:
        renderables.append(render_sentence("The sweep repaired:"))
        renderables.append(Listing(("Repair", "Count"), sorted(repairs.items())))
    return renderables


def _format_change_count(count: int) -> str:
    return f"{count} pending change{'' if count == 1 else 's'}"
