"""The number of occurrences due in each second: 10 million schedules in three mixes."""

from collections.abc import Mapping
from dataclasses import dataclass

SCHEDULES = 10_000_000
HOUR = 3_600
HOURS = 4
"""The simulated hours, from the busiest on."""

# Assumed shares: of tenants by UTC offset in hours, and of daily runs by local full hour.
ZONE_SHARES = {
    -8: 0.10,
    -6: 0.08,
    -5: 0.20,
    -3: 0.05,
    0: 0.12,
    1: 0.22,
    2: 0.05,
    3: 0.03,
    8: 0.06,
    9: 0.05,
    10: 0.04,
}
DAILY_HOUR_SHARES = {
    0: 0.20,
    1: 0.06,
    2: 0.08,
    3: 0.06,
    6: 0.10,
    7: 0.08,
    8: 0.10,
    9: 0.12,
    12: 0.05,
    17: 0.05,
    18: 0.05,
    23: 0.05,
}


@dataclass(frozen=True)
class Load:
    """Occurrences by second of the busiest hours; `periods` has the number of schedules by period, for overlaps."""

    name: str
    occurrences: Mapping[int, int]
    periods: Mapping[int, int]

    @property
    def total(self) -> int:
        """The number of all occurrences."""
        return sum(self.occurrences.values())


def daily_by_hour(schedules: int) -> list[int]:
    """Return the occurrences of daily schedules at each full hour of a UTC day, the busiest first."""
    hours = [0.0] * 24
    for offset, zone_share in ZONE_SHARES.items():
        for local, hour_share in DAILY_HOUR_SHARES.items():
            hours[(local - offset) % 24] += zone_share * hour_share
    busiest = hours.index(max(hours))
    scale = schedules / sum(hours)
    return [round(hours[(busiest + after) % 24] * scale) for after in range(24)]


def create_loads() -> list[Load]:
    """Return the loads: a small burst, all hourly, all daily, and a mix."""
    hourly = {0: SCHEDULES}
    daily = {after * HOUR: count for after, count in enumerate(daily_by_hour(SCHEDULES)[:HOURS])}
    often, each_hour = SCHEDULES // 100, SCHEDULES // 10
    rest = SCHEDULES - often - each_hour
    mixed = dict.fromkeys(range(0, HOURS * HOUR, 300), often)
    for after, count in enumerate(daily_by_hour(rest)[:HOURS]):
        mixed[after * HOUR] += each_hour + count
    return [
        Load("100,000 hourly: one full hour", {0: 100_000}, {}),
        Load("10 million hourly: one full hour", hourly, {}),
        Load("10 million once a day: the busiest four hours", daily, {}),
        Load(
            "10 million mixed: the busiest four hours",
            mixed,
            {300: often, HOUR: each_hour},
        ),
    ]
