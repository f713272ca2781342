"""A page of a schedule's history, by time."""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from scheduling.domain.errors import UnreadableItem
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import Run
from scheduling.store.keys import run_key
from scheduling.store.mapping import run_from_row
from scheduling.store.models import RunRow
from scheduling.store.pynamodb_internals import query_rows
from scheduling.store.snapshots import RunPage
from scheduling.store.transactions import translate_errors

_SECOND_LENGTH = len("2026-11-23T09:00:00")
_ROWS_AROUND = 3
"""The run at the position before the page, one that shows that more follow, and one of another second."""


def query_run_page(
    install_id: InstallId, schedule_id: ScheduleId, *, since: str, before: str | None, limit: int
) -> RunPage:
    """Return the history from `since` to before the time `before`, newest first."""
    newest_key = run_key(install_id, schedule_id, f"{before[:_SECOND_LENGTH]}Z" if before else "~")
    oldest_key = run_key(install_id, schedule_id, since)
    if oldest_key["range_key"] > newest_key["range_key"]:
        return RunPage(runs=[])
    rows = query_rows(
        RunRow,
        newest_key["hash_key"],
        RunRow.sk.between(oldest_key["range_key"], newest_key["range_key"]),
        scan_index_forward=False,
        consistent_read=True,
        page_size=limit + _ROWS_AROUND,
    )
    runs = _newest_first(map(run_from_row, rows))
    with translate_errors():
        page = list(
            islice(
                (run for run in runs if not before or _sort_key(run.scheduled_time) < _sort_key(before)),
                limit + 1,
            )
        )
    listed, has_more = page[:limit], len(page) > limit
    return RunPage(
        runs=[run for run in listed if not run.unreadable],
        next_before=listed[-1].scheduled_time if has_more else None,
        left_out=[
            UnreadableItem("run", f"{run.scheduled_time} of schedule {schedule_id}", run.unreadable)
            for run in listed
            if run.unreadable
        ],
    )


def _newest_first(runs: Iterable[Run]) -> Iterator[Run]:
    """Yield runs, which are in the order of their keys, by time: in a second, keys with milliseconds come first."""
    for _, runs_of_second in groupby(runs, key=lambda run: run.scheduled_time[:_SECOND_LENGTH]):
        yield from sorted(runs_of_second, key=lambda run: _sort_key(run.scheduled_time), reverse=True)


def _sort_key(scheduled_time: str) -> str:
    """Return the time in a form that sorts by time: a manual one, with milliseconds, follows its second."""
    return scheduled_time.removesuffix("Z")
