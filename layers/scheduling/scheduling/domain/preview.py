"""A preview of a schedule before it is created (contract, section 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduling.domain.cron.description import describe_rule
from scheduling.domain.cron.eventbridge import eventbridge_expression
from scheduling.domain.cron.occurrences import LocalTime, local_times
from scheduling.domain.cron.rule import Rule, parse_rule
from scheduling.domain.deliveries.spread import fit_spread
from scheduling.domain.errors import InvalidCron, SchedulingError
from scheduling.domain.install import Install, check_quota
from scheduling.domain.rules import CheckResult, ScheduleInput, ScheduleRules

MAX_PREVIEW_FIRES = 10
PREVIEW_HORIZON = timedelta(days=36_525)
"""How far ahead a preview searches: ten leap days take 40 years, or 44 if 2100 is among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The result that a create would have, and the fires of the schedule while it is enabled.

    What depends on an invalid field is None, or empty.

    Attributes:
        error: The text of the refusal.
        field_errors: The text of every invalid field.
        spread_minutes: Within how many minutes after each time it fires.
        skipped_times: The local times up to the last fire that do not exist.
    """

    error: str | None
    field_errors: Mapping[str, str]
    expression: str | None
    description: str | None
    timezone: str | None
    endpoint: str | None
    smallest_gap_minutes: int | None
    spread_minutes: int | None
    fire_times: Sequence[LocalTime]
    skipped_times: Sequence[LocalTime]


def build_preview(rules: ScheduleRules, install: Install, schedule_input: ScheduleInput) -> Preview:
    """Return the preview of the input by the rules of the install."""
    result = rules.check_input(schedule_input)
    field_errors, definition = result.errors, result.definition
    rule = _parse_rule_or_none(schedule_input.fields.get("cron", ""))
    timezone = None if "timezone" in field_errors else definition.timezone
    times = _next_local_times(rule, timezone, rules.now) if rule and timezone else []
    return Preview(
        error=_find_error_text(result, install, rules),
        field_errors=field_errors,
        expression=eventbridge_expression(rule) if rule else None,
        description=describe_rule(rule, timezone) if rule and timezone else None,
        timezone=timezone,
        endpoint=None if "endpoint" in field_errors else definition.endpoint,
        smallest_gap_minutes=rule.smallest_gap_minutes if rule else None,
        spread_minutes=fit_spread(definition.spread_minutes, rule, rules.limits)
        if rule and "spreadMinutes" not in field_errors
        else None,
        fire_times=[time for time in times if not time.skipped],
        skipped_times=[time for time in times if time.skipped],
    )


def _find_error_text(result: CheckResult, install: Install, rules: ScheduleRules) -> str | None:
    try:
        result.require_valid()
        check_quota(install, rules.limits)
    except SchedulingError as error:
        return str(error)
    return None


def _parse_rule_or_none(text: str) -> Rule | None:
    """Return the rule, even if it breaks a limit."""
    try:
        return parse_rule(text)
    except InvalidCron:
        return None


def _next_local_times(rule: Rule, timezone: str, now: datetime) -> Sequence[LocalTime]:
    times: list[LocalTime] = []
    fire_count = 0
    for time in local_times(rule, timezone, now, now + PREVIEW_HORIZON):
        times.append(time)
        fire_count += not time.skipped
        if fire_count == MAX_PREVIEW_FIRES:
            break
    return times
