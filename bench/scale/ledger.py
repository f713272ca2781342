"""What becomes of each occurrence, and the figures of a whole simulation."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

from bench.scale.loads import Load


class Fate(IntEnum):
    """What has become of an occurrence."""

    OPEN = 0
    RAN = 1
    PASSED_OVER = 2
    """Skipped in favor of another occurrence of its schedule."""
    DEAD_LETTER = 3


@dataclass(frozen=True)
class Lateness:
    """Seconds from the minute of the rule to the start of the attempt that succeeded."""

    count: int
    p50: float
    p99: float
    last: float


@dataclass(frozen=True)
class Figures:
    """The figures of one simulation; counts are of occurrences.

    Attributes:
        executed_dead_letters: Those of the dead letters that the runner has executed all the same.
        waiting: Those that still wait at the end of the simulated time.
        lost: Those that neither ran, nor were passed over, nor are dead letters, nor wait.
        repeated: Those that the runner has executed more than once.
        curve: For lateness in seconds, the share of the quiet tenants' occurrences that have started by then.
    """

    total: int
    ran: int
    passed_over: int
    dead_letters: int
    quiet_dead_letters: int
    executed_dead_letters: int
    waiting: int
    lost: int
    repeated: int
    timeouts: int
    refusals: int
    messages: int
    peak: int
    hours: float
    quiet_total: int
    quiet: Lateness
    others: Lateness
    curve: Sequence[tuple[float, float]]

    def to_json(self, *, curve: bool = False) -> Mapping[str, Any]:
        """Return the figures as JSON, without the curve unless it is wanted."""
        fields = asdict(self)
        return fields if curve else {name: value for name, value in fields.items() if name != "curve"}


class Ledger:
    """The fate of every occurrence of a load."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._fates = bytearray(len(load.due))
        self._lateness = array("f", bytes(4 * len(load.due)))

    def record_run(self, occurrence: int, started: float) -> None:
        """Record that an attempt has succeeded, which started then."""
        self._fates[occurrence] = Fate.RAN
        self._lateness[occurrence] = started - self._load.due[occurrence]

    def record_fate(self, occurrence: int, fate: Fate) -> None:
        """Record any other end."""
        self._fates[occurrence] = fate

    def is_open(self, occurrence: int) -> bool:
        """Return whether nothing has become of it yet."""
        return self._fates[occurrence] == Fate.OPEN

    def summarize(self, *, waiting: Iterable[int], executions: Mapping[int, int], **figures: Any) -> Figures:
        """Return the figures, where `waiting` are the occurrences that some queue or process still has."""
        counts = Counter(self._fates)
        still_waiting = sum(1 for each in set(waiting) if self.is_open(each))
        dead = [each for each, fate in enumerate(self._fates) if fate == Fate.DEAD_LETTER]
        quiet, others = self._list_lateness(quiet=True), self._list_lateness(quiet=False)
        quiet_total = sum(map(self._load.is_quiet, range(len(self._fates))))
        return Figures(
            total=len(self._fates),
            ran=counts[Fate.RAN],
            passed_over=counts[Fate.PASSED_OVER],
            dead_letters=len(dead),
            quiet_dead_letters=sum(map(self._load.is_quiet, dead)),
            executed_dead_letters=sum(1 for each in dead if executions.get(each)),
            waiting=still_waiting,
            lost=counts[Fate.OPEN] - still_waiting,
            repeated=sum(1 for count in executions.values() if count > 1),
            quiet_total=quiet_total,
            quiet=summarize_lateness(quiet),
            others=summarize_lateness(others),
            curve=draw_curve(quiet, quiet_total),
            **figures,
        )

    def _list_lateness(self, *, quiet: bool) -> list[float]:
        return sorted(
            self._lateness[each]
            for each, fate in enumerate(self._fates)
            if fate == Fate.RAN and self._load.is_quiet(each) is quiet
        )


def draw_curve(lateness: Sequence[float], total: int) -> list[tuple[float, float]]:
    """Return points of the share of all that have started by each lateness, which are seconds and sorted."""
    counts = [max(1, round(step * len(lateness) / 200)) for step in range(1, 201)] if lateness else []
    return [(round(lateness[count - 1], 1), round(count / total, 4)) for count in counts]


def summarize_lateness(lateness: Sequence[float]) -> Lateness:
    """Return the percentiles of sorted seconds."""
    if not lateness:
        return Lateness(0, 0.0, 0.0, 0.0)
    p50, p99, last = (
        round(lateness[max(0, round(share * len(lateness)) - 1)], 1) for share in (0.5, 0.99, 1.0)
    )
    return Lateness(len(lateness), p50, p99, last)
