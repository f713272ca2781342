"""What a new schedule would come to, told before it is made (contract, section 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduling.domain.cron.eventbridge import eventbridge_expression
from scheduling.domain.cron.grammar import CronRule, parse_cron
from scheduling.domain.cron.occurrences import LocalTime, local_times
from scheduling.domain.errors import InvalidCron, SchedulingError
from scheduling.domain.install import Install, check_room
from scheduling.domain.rules import Checked, Rules, ScheduleInput

MOST_FIRES = 10
CENTURY = timedelta(days=36_525)
"""How far a preview looks: ten leap days take 40 years, and 44 where 2100 is among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a create would be told, and when its schedule would fire as long as it is enabled.

    `error` is the text that it would be refused with, `field_errors` the text of every broken field. What cannot be
    told for a broken field is None, or empty. `skipped` are the local times up to the last fire that do not exist.
    """

    error: str | None
    field_errors: Mapping[str, str]
    expression: str | None
    timezone: str | None
    endpoint: str | None
    smallest_gap_minutes: int | None
    fires: Sequence[LocalTime]
    skipped: Sequence[LocalTime]


def preview_of(rules: Rules, install: Install, given: ScheduleInput) -> Preview:
    """The preview of `given` by the rules of the install."""
    checked = rules.check(given)
    broken, definition = checked.errors, checked.definition
    cron = _parsed(given.fields.get("cron", ""))
    timezone = None if "timezone" in broken else definition.timezone
    times = _times(cron, timezone, rules.now) if cron and timezone else []
    return Preview(
        error=_refusal(checked, install, rules),
        field_errors=broken,
        expression=eventbridge_expression(cron) if cron else None,
        timezone=timezone,
        endpoint=None if "endpoint" in broken else definition.endpoint,
        smallest_gap_minutes=cron.smallest_gap_minutes if cron else None,
        fires=[time for time in times if not time.skipped],
        skipped=[time for time in times if time.skipped],
    )


def _refusal(checked: Checked, install: Install, rules: Rules) -> str | None:
    try:
        checked.accepted()
        check_room(install, rules.limits)
    except SchedulingError as refused:
        return str(refused)
    return None


def _parsed(text: str) -> CronRule | None:
    """The rule, also where it is one that breaks a limit."""
    try:
        return parse_cron(text)
    except InvalidCron:
        return None


def _times(cron: CronRule, timezone: str, now: datetime) -> Sequence[LocalTime]:
    found: list[LocalTime] = []
    fires = 0
    for time in local_times(cron, timezone, now, now + CENTURY):
        found.append(time)
        fires += not time.skipped
        if fires == MOST_FIRES:
            break
    return found
