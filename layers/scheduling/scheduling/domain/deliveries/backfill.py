"""Catch up on demand: which occurrences of a period a backfill runs (contract, section 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from scheduling.domain.cron.occurrences import (
    FIRE_SEARCH_HORIZON,
    count_fires,
    fires_in,
    format_time,
    latest_fire_time,
)
from scheduling.domain.cron.rule import parse_rule
from scheduling.domain.deliveries.waiting import is_message_lost
from scheduling.domain.errors import BackfillInProgress, ValidationFailed
from scheduling.domain.ids import InstallId, ScheduleId, new_token
from scheduling.domain.install import Limits
from scheduling.domain.runs import Fire, Run, RunStatus, Trigger
from scheduling.domain.schedule import Schedule

MAX_OCCURRENCES = 100
SPACING = timedelta(seconds=3)
"""How far apart the occurrences are delivered, oldest first: those that run for less do not wait for one another."""
SENDING_TIME = timedelta(minutes=1)
"""How long a function may be sending a backfill; by then it has ended, by its own time limit."""


class Selection(StrEnum):
    """Which occurrences of the period are run."""

    LATEST = "latest"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRequest:
    """A request to catch up on the occurrences from `first` to `last`, these two included."""

    first: datetime
    last: datetime
    which: Selection
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """The newest backfill of a schedule.

    Attributes:
        token: The token by which the rows of its occurrences name its messages.
        sending_until: When its function has ended; None once all messages have been sent.
        expires_at: When it no longer keeps another one from starting, whatever has become of its occurrences.
    """

    tenant_id: str
    install_id: InstallId
    schedule_id: ScheduleId
    token: str
    first: datetime
    last: datetime
    which: Selection
    scheduled_times: Sequence[str]
    requested_at: datetime
    requested_by: str
    sending_until: datetime | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """The occurrences to run, oldest first, and the others of the period with their status in the history."""

    scheduled_times: Sequence[str]
    left_out: Mapping[str, str]


def parse_backfill_request(fields: Mapping[str, object], now: datetime) -> BackfillRequest:
    """Return the request of the JSON fields; all broken ones are reported together.

    Raises:
        ValidationFailed: A field is unknown, missing or invalid, or the period is not in the past.
    """
    errors = {name: f"{name} is not a known field" for name in fields if name not in _FIELD_NAMES}
    first, last = (_parse_instant(fields.get(name)) for name in ("from", "to"))
    which, dry_run = fields.get("which"), fields.get("dryRun", False)
    for name, moment in (("from", first), ("to", last)):
        if moment is None:
            errors[name] = f"{name} must be a time with its offset, such as 2026-11-23T09:00:00Z"
    if which not in tuple(Selection):
        errors["which"] = "which must be latest or all"
    if not isinstance(dry_run, bool):
        errors["dryRun"] = "dryRun must be true or false"
    if last and last > now:
        errors["to"] = "to must not be in the future"
    if first and last and first > last:
        errors["from"] = "from must not be after to"
    if errors or first is None or last is None:
        raise ValidationFailed.from_field_errors(errors)
    return BackfillRequest(first=first, last=last, which=Selection(str(which)), dry_run=dry_run is True)


_FIELD_NAMES = frozenset({"from", "to", "which", "dryRun"})


def _parse_instant(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def find_occurrences(
    schedule: Schedule, request: BackfillRequest, limits: Limits, now: datetime
) -> Sequence[str]:
    """Return the scheduled times that the request is about, oldest first, by the schedule's present rule.

    Raises:
        ValidationFailed: The history does not cover the period, or there are too many.
    """
    start = _find_history_start(schedule, limits, now)
    if request.first < start:
        text = f"from must not be before {format_time(start)}, from which on it is known what has succeeded"
        raise ValidationFailed.from_field_errors({"from": text})
    rule, timezone = parse_rule(schedule.definition.cron), schedule.definition.timezone
    if request.which is Selection.LATEST:
        latest = latest_fire_time(rule, timezone, request.first - timedelta(microseconds=1), request.last)
        return [format_time(latest)] if latest else []
    count = count_fires(rule, timezone, request.first, request.last)
    if count > MAX_OCCURRENCES:
        raise ValidationFailed(f"The period has {count} occurrences (max {MAX_OCCURRENCES})")
    return [format_time(moment) for moment in fires_in(rule, timezone, request.first, request.last)]


def _find_history_start(schedule: Schedule, limits: Limits, now: datetime) -> datetime:
    """Return from when on the history has every success: of a schedule younger than the history, it has all."""
    full_second = now.replace(microsecond=0) + timedelta(seconds=now.microsecond > 0)
    is_young = schedule.created_at > now - limits.history
    return full_second - (FIRE_SEARCH_HORIZON if is_young else limits.history)


def plan_backfill(
    scheduled_times: Sequence[str],
    runs: Mapping[str, Run],
    resumed: Backfill | None,
    limits: Limits,
    now: datetime,
) -> BackfillPlan:
    """Return which of the occurrences run: not those that have succeeded, or are still to be run.

    Nor those that the backfill which is `resumed` has already run.
    """
    left_out = {
        time: "unreadable" if runs[time].unreadable else runs[time].status.value
        for time in scheduled_times
        if time in runs and not _may_run_again(runs[time], resumed, limits, now)
    }
    return BackfillPlan([time for time in scheduled_times if time not in left_out], left_out)


def _may_run_again(run: Run, resumed: Backfill | None, limits: Limits, now: datetime) -> bool:
    if run.unreadable or run.status is RunStatus.SUCCESS:
        return False
    if resumed and run.trigger is Trigger.BACKFILL and run.started_at >= resumed.requested_at:
        return is_armed(run, resumed.token)
    return not is_in_progress(run, limits, now)


def is_armed(run: Run, token: str) -> bool:
    """Return whether the run waits for the message of the backfill with the token."""
    return run.status is RunStatus.WAITING and run.wait_token == token


def is_in_progress(run: Run, limits: Limits, now: datetime) -> bool:
    """Return whether the occurrence is still to be run, or is running; not if its message was lost."""
    ended = run.is_final or run.status is RunStatus.MISSED
    return not (ended or run.unreadable or is_message_lost(run, limits, now))


def find_resumable(
    newest: Backfill | None,
    request: BackfillRequest,
    runs: Mapping[str, Run],
    limits: Limits,
    now: datetime,
) -> Backfill | None:
    """Return the newest backfill if the request repeats it after it was interrupted.

    Raises:
        BackfillInProgress: It has not ended, and is not resumed by this request.
    """
    if newest is None or newest.expires_at <= now:
        return None
    if newest.sending_until is None:
        times = newest.scheduled_times
        count = sum(time in runs and is_in_progress(runs[time], limits, now) for time in times)
        if count:
            text = f"A backfill of this schedule is in progress: {count} of {len(times)} have not ended"
            raise BackfillInProgress(text)
        return None
    if newest.sending_until > now:
        raise BackfillInProgress("A backfill of this schedule is being started")
    if (newest.first, newest.last, newest.which) == (request.first, request.last, request.which):
        return newest
    raise BackfillInProgress(
        f"A backfill of this schedule was interrupted; repeat it first, from {newest.first.isoformat()} "
        f"to {newest.last.isoformat()}, {newest.which.value}"
    )


def arm_run(run: Run | None, scheduled_time: str, token: str, now: datetime, not_before: datetime) -> Run:
    """Return the run that waits for the message with the token; it continues to count attempts and responses."""
    return Run(
        scheduled_time=scheduled_time,
        trigger=Trigger.BACKFILL,
        status=RunStatus.WAITING,
        attempt=run.attempt if run else 0,
        started_at=now,
        lease_token=new_token(),
        response_count=run.response_count if run else 0,
        wait_token=token,
        not_before=not_before,
    )


def build_backfill_fire(schedule: Schedule, run: Run) -> Fire:
    """Return the occurrence of an armed run; if it was attempted before, it is a replay."""
    return Fire(
        install_id=schedule.install_id,
        schedule_id=schedule.id,
        timer_revision=schedule.timer_revision,
        scheduled_time=run.scheduled_time,
        replay=run.was_attempted,
        trigger=Trigger.BACKFILL,
    )


def mark_sent(backfill: Backfill) -> Backfill:
    """Return the backfill after all of its messages were sent."""
    return replace(backfill, sending_until=None)
