"""Moments at which the clocks of a zone change, and the minutes around them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

_CHANGES = {
    "Africa/Casablanca": ["2026-02-15T02:00", "2026-03-22T02:00"],
    "Africa/El_Aaiun": ["2027-02-07T02:00", "2027-03-14T02:00"],
    "America/Caracas": ["2007-12-09T07:00", "2016-05-01T07:00"],
    "America/New_York": ["2026-03-08T07:00", "2026-11-01T06:00"],
    "America/Sao_Paulo": ["2018-02-18T02:00", "2018-11-04T03:00"],
    "America/St_Johns": ["2007-03-11T03:31", "2007-11-04T02:31"],
    "Antarctica/Troll": ["2026-03-29T01:00", "2026-10-25T01:00"],
    "Asia/Gaza": ["2026-03-28T00:00", "2026-10-23T23:00"],
    "Asia/Kathmandu": ["1985-12-31T18:30"],
    "Australia/Lord_Howe": ["2026-04-04T15:00", "2026-10-03T15:30"],
    "Europe/Berlin": ["2026-03-29T01:00", "2026-10-25T01:00"],
    "Europe/Dublin": ["2026-03-29T01:00", "2026-10-25T01:00"],
    "Pacific/Apia": ["2011-12-30T10:00"],
    "Pacific/Kwajalein": ["1993-08-21T12:00"],
}


def clock_changes() -> st.SearchStrategy[tuple[str, datetime]]:
    """Generate zones with a moment at which their clocks change, by half an hour to a day, in either direction."""
    moments = [(zone, datetime.fromisoformat(each)) for zone, times in _CHANGES.items() for each in times]
    return st.sampled_from([(zone, moment.replace(tzinfo=UTC)) for zone, moment in moments])


def minutes_in(after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield every minute in (after, until]; of the wall clock if these are naive, else of absolute time."""
    minute = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minute <= until:
        yield minute
        minute += timedelta(minutes=1)
