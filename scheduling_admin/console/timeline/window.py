"""The window of time that a timeline shows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SPANS = {"6h": timedelta(hours=6), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
"""How much of the past and of the future a window shows, by the name in the URL."""
DEFAULT_SPAN = "24h"
_EARLIEST, _LATEST = datetime(1970, 2, 1, tzinfo=UTC), datetime(2190, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TimeWindow:
    """The time from `start` to `end` around `center`; `now` divides it into history and what is to come."""

    span_name: str
    center: datetime
    now: datetime

    @property
    def span(self) -> timedelta:
        """The time from the center to either end."""
        return SPANS[self.span_name]

    @property
    def start(self) -> datetime:
        """The earliest time."""
        return self.center - self.span

    @property
    def end(self) -> datetime:
        """The latest time."""
        return self.center + self.span

    @property
    def is_centered_now(self) -> bool:
        """Whether the window moves with the present time."""
        return self.center == self.now

    def fraction(self, moment: datetime) -> float:
        """Return where a moment is, from 0 at the start to 1 at the end, or beyond these."""
        return (moment - self.start) / (self.end - self.start)

    def contains(self, moment: datetime) -> bool:
        """Return whether the window shows the moment."""
        return self.start <= moment <= self.end

    def shifted(self, spans: float) -> "TimeWindow":
        """Return the window that is so many spans later."""
        return TimeWindow(self.span_name, _limit(self.center + spans * self.span), self.now)

    def zoomed(self, span_name: str) -> "TimeWindow":
        """Return the window with another span and the same center."""
        return TimeWindow(span_name, self.center, self.now)


def parse_window(span_name: str | None, center: str | None, now: datetime) -> TimeWindow:
    """Return the window that a URL names; what it does not name, or names wrongly, has its default."""
    span_name = span_name if span_name in SPANS else DEFAULT_SPAN
    try:
        moment = datetime.fromisoformat(center or "")
    except ValueError:
        return TimeWindow(span_name, now, now)
    return TimeWindow(span_name, _limit(moment if moment.tzinfo else moment.replace(tzinfo=UTC)), now)


def _limit(moment: datetime) -> datetime:
    return min(max(moment, _EARLIEST), _LATEST).astimezone(UTC)
