"""One occurrence of a schedule and its attempts (contract, section 6)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from scheduling.domain.ids import InstallId, ScheduleId, new_token
from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.schedule import Schedule, ScheduleState

MAX_ATTEMPTS = 3
MAX_ERROR_LENGTH = 4_000
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class Trigger(StrEnum):
    """What an occurrence came from."""

    SCHEDULE = "schedule"
    MANUAL = "manual"


class RunStatus(StrEnum):
    """What became of an occurrence, as the history shows it."""

    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    SKIPPED = "skipped"
    MISSED = "missed"


class SkipReason(StrEnum):
    """Why a delivery made no call."""

    DUPLICATE = "duplicate"
    OVERLAP = "overlap"
    UNKNOWN_SCHEDULE = "unknown"
    STALE_REVISION = "stale"
    DISABLED = "disabled"
    CAPABILITY_REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """What EventBridge delivers: the occurrence, and the revision of the timer that it came from.

    `replay` is an operator's: it admits attempts beyond the third, though none after a success. A manual one has a
    time of its own, with milliseconds, and is of no timer.
    """

    install_id: InstallId
    schedule_id: ScheduleId
    revision: int
    scheduled_time: str
    replay: bool = False
    trigger: Trigger = Trigger.SCHEDULE

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt at one occurrence."""
        return f"{self.schedule_id}:{self.scheduled_time}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRun:
    """A request to run a schedule now, and the occurrence that it made; `key` is the caller's, if any."""

    fire: Fire
    requested_at: datetime
    idempotency_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One occurrence in the history.

    `claim_token` is the token of the attempt, by which whoever makes it knows it again; `retryable` is set where a
    further one may succeed.
    """

    scheduled_time: str
    trigger: Trigger = Trigger.SCHEDULE
    status: RunStatus
    attempt: int
    started_at: datetime
    lease_token: str = field(default_factory=new_token)
    lease_expires_at: datetime | None = None
    duration_ms: int | None = None
    http_status: int | None = None
    error: str | None = None
    retryable: bool = False

    def lease_expired(self, now: datetime) -> bool:
        """Whether its function died: it is under way beyond its lease."""
        return (
            self.status is RunStatus.RUNNING
            and self.lease_expires_at is not None
            and self.lease_expires_at <= now
        )

    @property
    def failed_permanently(self) -> bool:
        """Whether it ended in an error after which nobody but an operator tries again."""
        return self.status is RunStatus.ERROR and (not self.retryable or self.attempt >= MAX_ATTEMPTS)

    def claimable(self, now: datetime, *, replay: bool) -> bool:
        """Whether another attempt may be made: the last one failed retryably, died, or never came."""
        if replay and self.status is RunStatus.ERROR:
            return True
        if self.attempt >= MAX_ATTEMPTS and not replay:
            return False
        return self.lease_expired(now) or self.status is RunStatus.MISSED or self.retryable


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a call of the runner came to."""

    status: RunStatus
    http_status: int | None = None
    error: str | None = None
    retryable: bool = False


def skip_reason(
    fire: Fire, install: Install, schedule: Schedule, run: Run | None, now: datetime
) -> SkipReason | None:
    """Why this delivery is not to be run, or None. All is as read at the moment of the fire."""
    if schedule.state is not ScheduleState.ACTIVE:
        return SkipReason.UNKNOWN_SCHEDULE
    if not install.active or not schedule.with_install_applied(install).should_have_timer:
        return SkipReason.DISABLED
    if fire.trigger is Trigger.SCHEDULE and fire.revision != schedule.timer_revision:
        return SkipReason.STALE_REVISION
    if SCHEDULER_MANAGE not in install.granted_capabilities:
        return SkipReason.CAPABILITY_REVOKED
    if run is not None and not run.claimable(now, replay=fire.replay):
        return SkipReason.DUPLICATE
    if is_running(schedule, fire.scheduled_time, now):
        return SkipReason.OVERLAP
    return None


def is_running(schedule: Schedule, scheduled_time: str, now: datetime) -> bool:
    """Whether another occurrence of the schedule is being run."""
    if schedule.lease_expires_at is None or schedule.running_occurrence == scheduled_time:
        return False
    return schedule.lease_expires_at > now


def build_next_attempt(fire: Fire, run: Run | None, now: datetime, lease: timedelta) -> Run:
    """The claim of the next attempt at the occurrence."""
    attempt = run.attempt + 1 if run else 1
    return Run(
        scheduled_time=fire.scheduled_time,
        trigger=fire.trigger,
        status=RunStatus.RUNNING,
        attempt=attempt,
        started_at=now,
        lease_expires_at=now + lease,
    )


def format_time(moment: datetime) -> str:
    """The form in which occurrences are named."""
    return moment.astimezone(UTC).strftime(_TIME_FORMAT)


def format_manual_time(moment: datetime) -> str:
    """The form in which manual occurrences are named, which no scheduled one has."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"


def parse_time(text: str) -> str:
    """An instant such as `2026-11-23T09:00:00Z`, in that very form. Raises ValueError."""
    return _normalize_time(text, format_time)


def parse_manual_time(text: str) -> str:
    """An instant such as `2026-11-23T09:00:00.123Z`, in that very form. Raises ValueError."""
    return _normalize_time(text, format_manual_time)


def _normalize_time(text: str, format_moment: Callable[[datetime], str]) -> str:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    try:
        return format_moment(moment)
    except OverflowError as error:
        raise ValueError(f"{text!r} is beyond the calendar") from error
