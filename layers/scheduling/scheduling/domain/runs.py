"""One occurrence of a schedule and its attempts (contract, section 6)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from scheduling.domain.cron.occurrences import format_time as format_time
from scheduling.domain.ids import SYSTEM, InstallId, ScheduleId, new_token
from scheduling.domain.install import Install, InstallConfig
from scheduling.domain.schedule import Schedule

MAX_ATTEMPTS = 3
MAX_ERROR_LENGTH = 4_000
EXTENSION_FAILED = "execute_failed"
"""The kind of `runner_error` that speaks of the extension rather than of the platform."""
NO_RESPONSE, UNRESOLVED_HOST, UNTRUSTED_HOST = "no_response", "unresolved_host", "untrusted_host"
"""The kinds of `runner_error` that the runner does not report itself."""


class Trigger(StrEnum):
    """What has caused an occurrence."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    BACKFILL = "backfill"
    """An operator has asked to catch up on it; its time is that of the schedule."""


class RunStatus(StrEnum):
    """The status of an occurrence in the history."""

    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    SKIPPED = "skipped"
    MISSED = "missed"
    WAITING = "waiting"
    """No attempt is running, and the next one waits for capacity; this status is in the history only."""


class SkipReason(StrEnum):
    """Why a delivery is not run."""

    DUPLICATE = "duplicate"
    RUNNING = "running"
    """An attempt at the occurrence is running, or its function has died and its lease is still valid."""
    OVERLAP = "overlap"
    SUPERSEDED = "superseded"
    """A newer occurrence of the schedule runs in its place, or has."""
    UNKNOWN_SCHEDULE = "unknown"
    STALE_REVISION = "stale"
    UNAVAILABLE = "unavailable"
    """The table does not respond."""
    DISABLED = "disabled"
    UNREADABLE = "unreadable"
    CAPABILITY_REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """What EventBridge delivers: an occurrence, and the revision of its timer.

    Attributes:
        revision: The timer's; it is not compared for a manual occurrence.
        scheduled_time: The time of the occurrence; a manual one has milliseconds.
        replay: Whether an operator allows attempts beyond the third, but none after a success.
    """

    install_id: InstallId
    schedule_id: ScheduleId
    timer_revision: int
    scheduled_time: str
    replay: bool = False
    trigger: Trigger = Trigger.SCHEDULE


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRun:
    """A request to run a schedule now, its occurrence, who asked for it, and the idempotency key, if any."""

    fire: Fire
    requested_at: datetime
    idempotency_key: str | None
    tenant_id: str = ""
    requested_by: str = SYSTEM


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One occurrence in the history.

    Attributes:
        request_id: The id of the newest attempt, by which the runner's log names it; None if there was none.
        lease_token: The token by which the attempt recognizes its own claim.
        error: Why the run failed or was skipped, as the extension may see it.
        detail: Further details for the operator only, such as the runner's own words.
        runner_status: The runner's HTTP status, if it has refused the newest attempt.
        runner_error: The kind of error that the runner has reported in place of the extension's answer.
        retryable: Whether another attempt may succeed.
        response_count: How many attempts the extension is known to have answered.
        wait_token: The token of the message that counts, if the occurrence waits; others are acknowledged.
        skip_reason: Why it was skipped, if it was by a release that records it.
        not_before: When that message may start the next attempt.
        unreadable: Why the stored row cannot be used, if it cannot; it has defaults in place of attributes that cannot
            be read, and allows no further attempt.
    """

    scheduled_time: str
    trigger: Trigger = Trigger.SCHEDULE
    status: RunStatus
    attempt: int
    started_at: datetime
    request_id: str | None = None
    lease_token: str = field(default_factory=new_token)
    lease_expires_at: datetime | None = None
    duration_ms: int | None = None
    http_status: int | None = None
    error: str | None = None
    detail: str | None = None
    runner_status: int | None = None
    runner_error: str | None = None
    retryable: bool = False
    response_count: int = 0
    wait_token: str | None = None
    not_before: datetime | None = None
    skip_reason: SkipReason | None = None
    unreadable: str | None = None

    def holds_lease(self, now: datetime) -> bool:
        """Return whether an attempt may be running: nobody else may start one."""
        return self.status is RunStatus.RUNNING and not self.is_lease_expired(now)

    def is_lease_expired(self, now: datetime) -> bool:
        """Return whether the run is still marked as running after its lease, so that its function has died."""
        return (
            self.status is RunStatus.RUNNING
            and self.lease_expires_at is not None
            and self.lease_expires_at <= now
        )

    @property
    def failed_permanently(self) -> bool:
        """Return whether the run ended in an error after which only an operator can start another attempt."""
        return self.status is RunStatus.ERROR and (not self.retryable or self.attempt >= MAX_ATTEMPTS)

    @property
    def is_final(self) -> bool:
        """Return whether the occurrence is finished for good, unless an operator replays it."""
        return self.status in (RunStatus.SUCCESS, RunStatus.SKIPPED) or self.failed_permanently

    @property
    def was_attempted(self) -> bool:
        """Return whether an attempt has been made; one that the runner had no capacity for does not count."""
        return self.attempt > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of a call of the runner.

    Attributes:
        http_status: The extension's status, if it has answered.
        error: Why the call failed, as the extension may see it.
        detail: Further details for the operator only, such as the runner's own words.
        retryable: Whether another attempt may succeed.
        runner_status: The runner's HTTP status, if it has refused the request.
        runner_error: The kind of error that the runner has reported in place of the extension's answer, or of the
            connection to it.
        retry_after: How long the runner has no capacity, if it has taken nothing: this is no attempt. Zero if it does
            not say.
    """

    status: RunStatus
    http_status: int | None = None
    error: str | None = None
    detail: str | None = None
    retryable: bool = False
    runner_status: int | None = None
    runner_error: str | None = None
    retry_after: timedelta | None = None

    @property
    def has_response(self) -> bool:
        """Whether the extension is known to have answered, even if the answer cannot be read."""
        return self.http_status is not None or not self.retryable

    @property
    def may_be_running(self) -> bool:
        """Whether the runner may still execute the request, since it has not answered it."""
        return (
            not self.has_response and self.runner_status is None and self.runner_error in (None, NO_RESPONSE)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One attempt at an occurrence, as the runner is called for it."""

    fire: Fire
    run: Run
    install: Install
    config: InstallConfig
    schedule: Schedule

    @property
    def idempotency_key(self) -> str:
        """The key for which the runner repeats the answer of an execution that it has finished.

        The attempts at an occurrence share the key until the extension is known to have answered, so that a lost
        answer is not run twice. The attempt after an answer has a new one, since the runner would repeat the answer.
        """
        key = f"{self.fire.schedule_id}:{self.fire.scheduled_time}"
        return f"{key}:{self.run.response_count + 1}" if self.run.response_count else key


def describe_unreadable(install: Install, schedule: Schedule) -> str | None:
    """Return why an occurrence is skipped whose schedule or install cannot be read, or None."""
    if schedule.unreadable:
        return f"The schedule cannot be read: {schedule.unreadable}"
    return f"The install cannot be read: {install.unreadable}" if install.unreadable else None


def build_next_attempt(fire: Fire, run: Run | None, now: datetime, lease: timedelta) -> Run:
    """Return the claim of the next attempt at the occurrence."""
    return Run(
        scheduled_time=fire.scheduled_time,
        trigger=fire.trigger,
        status=RunStatus.RUNNING,
        attempt=run.attempt + 1 if run else 1,
        started_at=now,
        request_id=str(uuid4()),
        lease_expires_at=now + lease,
        response_count=run.response_count if run else 0,
    )


def format_manual_time(moment: datetime) -> str:
    """Return the time of a manual occurrence as text, in a form that no scheduled one has."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"


def normalize_scheduled_time(text: str) -> str:
    """Return an instant such as `2026-11-23T09:00:00Z` in exactly this form.

    Raises:
        ValueError: It is no instant.
    """
    return _normalize_time(text, format_time)


def normalize_manual_time(text: str) -> str:
    """Return an instant such as `2026-11-23T09:00:00.123Z` in exactly this form.

    Raises:
        ValueError: It is no instant.
    """
    return _normalize_time(text, format_manual_time)


def _normalize_time(text: str, format_moment: Callable[[datetime], str]) -> str:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    try:
        return format_moment(moment)
    except OverflowError as error:
        raise ValueError(f"{text!r} is beyond the calendar") from error
