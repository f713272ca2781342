"""The local stack's clock: it runs with real time or is frozen, and can be advanced."""

import re
import time
from datetime import UTC, datetime, timedelta
from threading import Lock

_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)


class LocalClock:
    """The time that the functions and the timers use."""

    def __init__(self, start: datetime, *, frozen: bool) -> None:
        self.stays_frozen = frozen
        self._lock = Lock()
        self._reference_time = start
        self._running_since: float | None = None if frozen else time.monotonic()

    @property
    def is_frozen(self) -> bool:
        """Whether the clock is stopped at the moment."""
        return self._running_since is None

    def now(self) -> datetime:
        """Return the clock's time, in UTC."""
        with self._lock:
            if self._running_since is None:
                return self._reference_time
            return self._reference_time + timedelta(seconds=time.monotonic() - self._running_since)

    def freeze_at(self, instant: datetime) -> None:
        """Stop the clock at an instant."""
        with self._lock:
            self._reference_time, self._running_since = instant, None

    def resume(self) -> None:
        """Let the clock run on from its present time, unless it is a frozen clock."""
        with self._lock:
            if not self.stays_frozen and self._running_since is None:
                self._running_since = time.monotonic()


def parse_duration(text: str) -> timedelta:
    """Parse an ISO 8601 duration of weeks, days, hours, minutes and seconds.

    Raises:
        ValueError: The text is not such a duration.
    """
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a duration such as PT1H or P1DT30M")
    try:
        return timedelta(**{unit: int(amount or 0) for unit, amount in match.groupdict().items()})
    except OverflowError:
        raise ValueError(f"{text!r} is too long") from None


def parse_instant(text: str) -> datetime:
    """Parse an ISO 8601 instant with a zone and convert it to UTC.

    Raises:
        ValueError: The text is not an instant, or has no zone.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an instant such as 2026-11-23T09:00:00Z") from None
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; end it with Z")
    return instant.astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """Format an instant as ISO 8601 with Z, with milliseconds only if it has a fraction."""
    precision = "milliseconds" if instant.microsecond else "seconds"
    return instant.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def seconds_until_next_minute(now: datetime) -> float:
    """Return the seconds until the next full minute; at most one, since the clock may be advanced meanwhile."""
    return min(1.0, 60 - now.second - now.microsecond / 1e6)
