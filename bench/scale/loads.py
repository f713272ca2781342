"""Loads: which schedules of which tenants are due when, from 09:00 UTC on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

HOUR, DAY = 3_600, 86_400
SEED = 17
"""Of the minutes of quiet tenants' rules, of the order of a minute's occurrences, and of what the models draw."""
START = datetime(2026, 11, 23, 9, tzinfo=UTC)
NOISY_TENANT = "noisy"

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
class Rule:
    """A rule that fires `count` times, every `period` seconds from `first` on, in seconds after the start."""

    cron: str
    first: int
    period: int
    count: int


@dataclass(frozen=True, slots=True)
class LoadSchedule:
    """A schedule; its occurrences are numbered from `offset` on, in the order of time."""

    tenant: str
    rule: Rule
    offset: int


@dataclass(frozen=True)
class Load:
    """The schedules, and all of their occurrences by number."""

    schedules: Sequence[LoadSchedule]
    schedule_of: Sequence[int] = field(repr=False)
    due: Sequence[int] = field(repr=False)

    def is_quiet(self, occurrence: int) -> bool:
        """Return whether the occurrence is of a tenant with only a few schedules."""
        return self.schedules[self.schedule_of[occurrence]].tenant != NOISY_TENANT

    def list_arrivals(self, rate: int) -> Iterator[tuple[float, int]]:
        """Yield when EventBridge delivers each occurrence: those of a minute in random order, `rate` a second."""
        order = list(range(len(self.due)))
        Random(SEED).shuffle(order)  # noqa: S311 - a simulation
        order.sort(key=self.due.__getitem__)
        previous = 0.0
        for occurrence in order:
            previous = max(float(self.due[occurrence]), previous + 1 / rate)
            yield previous, occurrence


def create_load(schedules: Iterable[tuple[str, Rule]]) -> Load:
    """Return the load of the schedules, each with its tenant and rule."""
    numbered: list[LoadSchedule] = []
    schedule_of: list[int] = []
    due: list[int] = []
    for number, (tenant, rule) in enumerate(schedules):
        numbered.append(LoadSchedule(tenant, rule, len(due)))
        schedule_of.extend([number] * rule.count)
        due.extend(range(rule.first, rule.first + rule.count * rule.period, rule.period))
    return Load(numbered, schedule_of, due)


def full_hour(count: int, *, hours: int = 0, tenant: str = NOISY_TENANT) -> Iterator[tuple[str, Rule]]:
    """Yield a tenant's schedules that are due at 09:00: once, or at each of so many full hours."""
    rule = Rule(hourly_cron(0, hours), 0, HOUR, hours) if hours else Rule("0 9 * * *", 0, DAY, 1)
    for _ in range(count):
        yield tenant, rule


def quiet_tenants(tenants: int, *, hours: int) -> Iterator[tuple[str, Rule]]:
    """Yield two hourly schedules for each tenant, at random minutes, for so many hours."""
    random = Random(SEED)  # noqa: S311 - a simulation
    rules = [Rule(hourly_cron(minute, hours), minute * 60, HOUR, hours) for minute in range(60)]
    for number in range(tenants):
        for _ in range(2):
            yield f"quiet {number}", random.choice(rules)


def many_tenants(tenants: int, *, hours: int) -> Iterator[tuple[str, Rule]]:
    """Yield two daily schedules for each tenant, at random minutes of so many hours."""
    random = Random(SEED)  # noqa: S311 - a simulation
    rules = [
        Rule(f"{minute % 60} {START.hour + minute // 60} * * *", minute * 60, DAY, 1)
        for minute in range(60 * hours)
    ]
    for number in range(tenants):
        for _ in range(2):
            yield f"quiet {number}", random.choice(rules)


def mixed_schedules(count: int, *, hours: int) -> Iterator[tuple[str, Rule]]:
    """Yield schedules in the mix of a platform: 1 % every five minutes, 10 % hourly, the others once a day.

    They are of tenants with a hundred each; the hours are the busiest of the day.
    """
    often, hourly = count // 100, count // 10
    rules = [
        (often, Rule(hourly_cron("*/5", hours), 0, 300, hours * 12)),
        (hourly, Rule(hourly_cron(0, hours), 0, HOUR, hours)),
    ]
    daily = daily_by_hour(count - often - hourly)[:hours]
    rules += [(each, Rule(_daily_cron(after), after * HOUR, DAY, 1)) for after, each in enumerate(daily)]
    number = 0
    for each, rule in rules:
        for _ in range(each):
            yield f"tenant {number // 100}", rule
            number += 1


def hourly_cron(minute: int | str, hours: int) -> str:
    """Return the rule of that minute of so many hours, since a rule that went on would supersede the last ones."""
    return f"{minute} {START.hour}-{START.hour + hours - 1} * * *"


def _daily_cron(hours_after: int) -> str:
    return f"0 {(START + timedelta(hours=hours_after)).hour} * * *"


def daily_by_hour(schedules: int) -> list[int]:
    """Return the occurrences of daily schedules at each full hour of a UTC day, the busiest first."""
    hours = [0.0] * 24
    for offset, zone_share in ZONE_SHARES.items():
        for local, hour_share in DAILY_HOUR_SHARES.items():
            hours[(local - offset) % 24] += zone_share * hour_share
    busiest = hours.index(max(hours))
    scale = schedules / sum(hours)
    return [round(hours[(busiest + after) % 24] * scale) for after in range(24)]
