"""A schedule as its readers see it: when it fires next, or why it does not."""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from scheduling.domain.cron.next_fire import find_next_fire
from scheduling.domain.cron.occurrences import format_time
from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.schedule import Schedule, ScheduleState

_format_now = lru_cache(maxsize=4)(format_time)
"""The time of one read, which all schedules of a list share."""


def as_read(schedule: Schedule, install: Install, now: datetime) -> Schedule:
    """Return the desired state, as its readers see it: pending while EventBridge may not match it.

    That includes a change of the install, which the row may not have yet. The next fire that the row has is found
    anew if it has passed.
    """
    applied = schedule.with_install_applied(install)
    timer_expected = applied.state is ScheduleState.ACTIVE and applied.definition.enabled and install.active
    if not applied.pending and timer_expected != schedule.should_have_timer:
        applied = replace(applied, pending_since=install.pending_since)
    if reason := _find_not_firing_reason(applied, install):
        return replace(applied, next_fire=None, not_firing_reason=reason)
    if applied.next_fire and applied.next_fire > _format_now(now):
        return applied
    definition = applied.definition
    next_fire = find_next_fire(definition.cron, definition.timezone, now)
    never = "due" if definition.is_one_time else "never"
    return replace(applied, next_fire=next_fire, not_firing_reason=None if next_fire else never)


def _find_not_firing_reason(schedule: Schedule, install: Install) -> str | None:
    if schedule.completed:
        return schedule.disabled_reason
    if schedule.unreadable or install.unreadable:
        return "unreadable"
    if not schedule.definition.enabled:
        return "disabled"
    if not install.enabled:
        return "install-disabled"
    if install.paused:
        return "paused"
    return None if SCHEDULER_MANAGE in install.granted_capabilities else "capability-revoked"


def next_fire_after(schedule: Schedule, scheduled_time: str, now: datetime) -> str | None:
    """Return the next fire to keep when the occurrence starts; None if what is kept stays."""
    if schedule.definition.is_one_time or not schedule.definition.enabled or schedule.unreadable:
        return None
    after = max(now, datetime.fromisoformat(scheduled_time))
    return find_next_fire(schedule.definition.cron, schedule.definition.timezone, after)
