"""An index of all schedules in memory, for the search: the table has no index by name, endpoint or state."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from scheduling.domain.deliveries.firing import as_read
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.queries import list_installs

from scheduling_admin.queries.views import ScheduleView
from scheduling_admin.stack.session import AdminSession
from scheduling_admin.status import evaluate_firing_status

MAX_AGE = timedelta(seconds=60)
MAX_SCHEDULES = 100_000
TIME_BUDGET = 15.0
"""Seconds for which one search reads; the next one continues."""
PARALLEL_READS = 8
"""With the 8 requests that the server handles at once, at most 16 requests to AWS are under way."""
_PAGE_SIZE = 100


@dataclass(frozen=True)
class Entry:
    """One schedule with what the search compares."""

    view: ScheduleView
    text: str

    @classmethod
    def create_entry(cls, install: Install, schedule: Schedule, now: datetime) -> "Entry":
        """Return the entry of a schedule."""
        definition = schedule.definition
        words = (
            definition.name,
            schedule.id,
            install.id,
            install.tenant_id,
            install.extension_name,
            definition.endpoint,
            definition.cron,
            definition.timezone,
        )
        status = evaluate_firing_status(install, schedule)
        text = "\n".join(filter(None, words)).casefold()
        return cls(
            ScheduleView(install=install, schedule=as_read(schedule, install, now), status=status), text
        )

    @property
    def install(self) -> Install:
        """The schedule's install."""
        return self.view.install

    @property
    def schedule(self) -> Schedule:
        """The schedule."""
        return self.view.schedule


StateFilter = Callable[[Entry], bool]
STATES: Mapping[str, tuple[str, StateFilter]] = {
    "failing": ("Failing", lambda entry: entry.view.failing),
    "waiting": ("Waiting", lambda entry: entry.schedule.waiting),
    "off": ("Does not fire", lambda entry: not entry.view.status.fires),
    "paused": ("Paused", lambda entry: entry.view.paused),
    "disabled": (
        "Disabled",
        lambda entry: not entry.schedule.definition.enabled or not entry.install.enabled,
    ),
    "pending": ("Change pending", lambda entry: entry.schedule.pending),
}
"""The states that a search can select, with their labels, by the table alone: no timer is read."""


@dataclass(frozen=True)
class Snapshot:
    """What the index has; `complete` is False if more schedules exist than were read."""

    entries: Sequence[Entry]
    read_at: datetime
    complete: bool

    def search(self, query: str, state: str = "") -> list[Entry]:
        """Return the schedules that have every word of the query, and the state."""
        words = query.casefold().split()
        _, has_state = STATES.get(state, ("", lambda _: True))
        return [
            entry for entry in self.entries if all(word in entry.text for word in words) and has_state(entry)
        ]

    def count_states(self) -> dict[str, int]:
        """Return how many schedules are in each state."""
        return {name: sum(map(has_state, self.entries)) for name, (_, has_state) in STATES.items()}


@dataclass
class ScheduleIndex:
    """Reads all schedules, when a search needs them, at most once a minute."""

    session: AdminSession
    _lock: Lock = field(default_factory=Lock, repr=False)
    _snapshot: Snapshot | None = None
    _next_install: str | None = None

    def read_snapshot(self, *, refresh: bool = False) -> Snapshot:
        """Return the schedules as they were at most a minute ago; one caller reads while others wait for the result."""
        with self._lock:
            snapshot, now = self._snapshot, self.session.now
            if snapshot and not refresh:
                if self._next_install and len(snapshot.entries) < MAX_SCHEDULES:
                    self._snapshot = self._read(snapshot.entries, now)
                    return self._snapshot
                if abs(now - snapshot.read_at) < MAX_AGE:
                    return snapshot
            self._next_install = None
            self._snapshot = self._read((), now)
            return self._snapshot

    def drop(self) -> None:
        """Read anew at the next search, after a change."""
        with self._lock:
            self._snapshot = None

    def _read(self, known: Sequence[Entry], now: datetime) -> Snapshot:
        entries = list(known)
        deadline = self.session.services.monotonic() + TIME_BUDGET
        with ThreadPoolExecutor(PARALLEL_READS, "index") as pool:
            for installs in self._iterate_pages():
                for install, schedules in zip(
                    installs, pool.map(self._read_schedules, installs), strict=True
                ):
                    existing = (each for each in schedules if each.exists_at(now))
                    entries += [Entry.create_entry(install, each, now) for each in existing]
                if len(entries) >= MAX_SCHEDULES:
                    return Snapshot(entries, now, complete=False)
                if self._next_install and self.session.services.monotonic() > deadline:
                    return Snapshot(entries, now, complete=False)
        return Snapshot(entries, now, complete=True)

    def _iterate_pages(self) -> Iterator[Sequence[Install]]:
        position = self._next_install
        while True:
            after = None if position is None else InstallId(position)
            page = list_installs(self.session.services, after=after, limit=_PAGE_SIZE)
            self._next_install = position = page.next_after
            yield page.installs
            if position is None:
                return

    def _read_schedules(self, install: Install) -> Sequence[Schedule]:
        return self.session.services.schedules.read_all_schedules(install.id)
