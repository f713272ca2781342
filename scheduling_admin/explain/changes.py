"""Explain an occurrence by the changes that were kept: the state at its time, since when, until when and by whom."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduling.domain.audit.changes import KeptChange, writes_timer
from scheduling.domain.cron.occurrences import fires_at
from scheduling.domain.cron.rule import parse_rule
from scheduling.domain.errors import InvalidCron
from scheduling.domain.install import SCHEDULER_MANAGE

from scheduling_admin.explain.evidence import Evidence, Explanation, Verdict
from scheduling_admin.output.changes import describe_actor
from scheduling_admin.output.times import format_local_and_utc


@dataclass(frozen=True)
class _Field:
    """A field of the schedule or of its install, as changes name it, and its present value."""

    name: str
    is_install: bool
    read: Callable[[Evidence], object]


_CRON = _Field("cron", False, lambda evidence: evidence.schedule.definition.cron)
_TIMEZONE = _Field("timezone", False, lambda evidence: evidence.schedule.definition.timezone)


@dataclass(frozen=True)
class _Cause:
    """A state in which nothing fires: the values of a field that mean it."""

    subject: str
    field: _Field
    applies: Callable[[Any], bool]


_SCHEDULE_DISABLED = _Cause(
    "the schedule was disabled",
    _Field("enabled", False, lambda evidence: evidence.schedule.definition.enabled),
    lambda enabled: not enabled,
)
_CAUSES = (
    _SCHEDULE_DISABLED,
    _Cause(
        "the install was disabled",
        _Field("enabled", True, lambda evidence: evidence.install.enabled),
        lambda enabled: not enabled,
    ),
    _Cause(
        "the tenant was paused",
        _Field("paused", True, lambda evidence: evidence.install.paused),
        lambda paused: paused,
    ),
    _Cause(
        f"the install was not granted {SCHEDULER_MANAGE}",
        _Field("grantedCapabilities", True, lambda evidence: evidence.install.granted_capabilities),
        lambda granted: SCHEDULER_MANAGE not in granted,
    ),
)


@dataclass(frozen=True)
class _Period:
    """The time in which a field had a value: the changes that began and ended it, as far as they are known."""

    value: object
    start: KeptChange | None
    end: KeptChange | None


def check_changes(evidence: Evidence) -> Explanation | None:
    """Explain an occurrence at whose time the schedule did not fire, or had another rule."""
    moment = evidence.occurrence.moment
    if moment > evidence.now:
        return None
    inactive = list(_find_inactive_periods(evidence, moment))
    if inactive:
        subjects = " and ".join(cause.subject for cause, _ in inactive)
        reasons = describe_inactive_periods(evidence, moment)
        return Explanation(Verdict.INACTIVE, f"It did not run: {subjects}.", reasons)
    return _check_earlier_rule(evidence, moment)


def describe_inactive_periods(evidence: Evidence, moment: datetime) -> tuple[str, ...]:
    """Return what kept the schedule from firing at that time, from when to when and by whom."""
    return tuple(
        _describe_period(evidence, f"{cause.subject}{_describe_reason(evidence, cause, period)}", period)
        for cause, period in _find_inactive_periods(evidence, moment)
    )


def describe_known_rule(evidence: Evidence) -> str | None:
    """Return the rule by which the occurrence was due at its time; None if that is not known, or it was not due."""
    moment = evidence.occurrence.moment
    cron, timezone = (_find_period(evidence, field, moment) for field in (_CRON, _TIMEZONE))
    if cron is None or timezone is None or any(_find_inactive_periods(evidence, moment)):
        return None
    due = _fires_at(str(cron.value), str(timezone.value), moment)
    return f"{cron.value} in {timezone.value}" if due else None


def describe_earlier_rule(evidence: Evidence) -> tuple[str, ...]:
    """Describe the rule that had the occurrence, if it was changed before the occurrence's time."""
    moment = evidence.occurrence.moment
    cron, timezone = (_find_period(evidence, field, moment) for field in (_CRON, _TIMEZONE))
    if cron is None or timezone is None:
        return ()
    starts = [period.start for period in (cron, timezone) if period.start]
    change = max(starts, key=lambda start: start.time, default=None)
    if change is None or change.before is None:
        return ()
    rule, zone = (
        str(change.before.get(field.name, period.value))
        for field, period in ((_CRON, cron), (_TIMEZONE, timezone))
    )
    if not _fires_at(rule, zone, moment):
        return ()
    until = _describe_change(evidence, change)
    return (f"The rule was {rule} in {zone}, which has that time, until {until}.",)


def find_timer_change(evidence: Evidence) -> datetime:
    """Return when the timer that the schedule had at the occurrence's time was set, as far as that is known."""
    times = [
        change.time
        for change in evidence.changes
        if change.time <= evidence.occurrence.moment and writes_timer(change)
    ]
    return max([evidence.schedule.created_at, *times])


def _find_inactive_periods(evidence: Evidence, moment: datetime) -> Iterator[tuple[_Cause, _Period]]:
    for cause in _CAUSES:
        period = _find_period(evidence, cause.field, moment)
        if period and cause.applies(period.value):
            yield cause, period


def _find_period(evidence: Evidence, field: _Field, moment: datetime) -> _Period | None:
    """Return the period of the field's value at that time; None if the changes do not go back as far."""
    start = end = None
    for change in evidence.changes:  # oldest first
        if (change.schedule_id is None) is not field.is_install:
            continue
        if change.time <= moment:
            start = change if change.after and field.name in change.after else start
        elif end is None and change.before and field.name in change.before:
            end = change
    if end and end.before:
        return _Period(end.before[field.name], start, end)
    if start and start.after:
        return _Period(start.after[field.name], start, None)
    is_known = bool(evidence.changes) and evidence.changes[0].time <= moment
    return _Period(field.read(evidence), None, None) if is_known else None


def _describe_reason(evidence: Evidence, cause: _Cause, period: _Period) -> str:
    """Return why the service or the platform has disabled the schedule, if it was not its owner."""
    if cause is not _SCHEDULE_DISABLED:
        return ""
    if period.start and period.start.after:
        reason = period.start.after.get("disabledReason")
    else:
        reason = None if period.end else evidence.schedule.disabled_reason
    return f" ({reason})" if reason else ""


def _describe_period(evidence: Evidence, subject: str, period: _Period) -> str:
    start, end = _describe_change(evidence, period.start), _describe_change(evidence, period.end)
    sentence = subject[:1].upper() + subject[1:]
    if end:
        return f"{sentence} from {start} to {end}." if start else f"{sentence} until {end}."
    return f"{sentence}, since {start}." if start else f"{sentence}."


def _describe_change(evidence: Evidence, change: KeptChange | None) -> str | None:
    if change is None:
        return None
    return f"{format_local_and_utc(change.time, evidence.timezone)} (by {describe_actor(change.actor)})"


def _check_earlier_rule(evidence: Evidence, moment: datetime) -> Explanation | None:
    """Explain an occurrence that the rule of its time did not have, if that was another one."""
    cron, timezone = (_find_period(evidence, field, moment) for field in (_CRON, _TIMEZONE))
    if cron is None or timezone is None or not (cron.end or timezone.end):
        return None
    if _fires_at(str(cron.value), str(timezone.value), moment):
        return None
    summary = f"It was not scheduled: the rule was {cron.value} in {timezone.value} then."
    end = _describe_change(evidence, cron.end or timezone.end)
    return Explanation(Verdict.NOT_SCHEDULED, summary, (f"The rule or its time zone was changed on {end}.",))


def _fires_at(cron: str, timezone: str, moment: datetime) -> bool:
    try:
        return fires_at(parse_rule(cron), timezone, moment)
    except InvalidCron:
        return False
