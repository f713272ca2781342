"""Rows that cannot be read: what takes the place of their attributes, and how a write depends on such a row."""

from collections.abc import Mapping
from typing import Any

from pynamodb.expressions.condition import Condition

from scheduling.domain.ids import SYSTEM
from scheduling.domain.install import Install
from scheduling.domain.runs import RunStatus, Trigger
from scheduling.domain.schedule import UNKNOWN_TIME, Schedule, ScheduleState
from scheduling.store.models import InstallRow, Row, RunRow, ScheduleRow, SweepRow, TenantRow
from scheduling.store.pynamodb_internals import row_values

LISTED_DEFAULTS: Mapping[str, Any] = {
    "endpoint_method": "",
    "endpoint_path": "",
    "cron": "",
    "timezone": "",
    "enabled": True,  # so that the timer, which may exist, is left as it is
}
"""The attributes without which a schedule is in no list, with the values in their place."""

DEFAULTS: Mapping[type[Row], Mapping[str, Any]] = {
    ScheduleRow: {
        **LISTED_DEFAULTS,
        "created_at": UNKNOWN_TIME,
        "revision": 1,
        "timer_revision": 1,
        "last_timer_revision": 1,
        "state": ScheduleState.ACTIVE,
        "changed_by": SYSTEM,
        "change_token": "",
    },
    RunRow: {
        "trigger": Trigger.SCHEDULE,
        "status": RunStatus.ERROR,
        "attempt": 0,
        "lease_token": "",
        "started_at": UNKNOWN_TIME,
    },
    InstallRow: {
        "tenant_id": "",
        "registry_id": "",
        "version_id": "",
        "content_hash": "",
        "granted_capabilities": frozenset[str](),
        "enabled": False,
        "changed_by": SYSTEM,
        "generation": 2**52,  # no install starts with a larger one
        "propagated_generation": 0,
        "deleting": False,
        "write_sequence": 0,
        "schedule_count": 0,
        "writes": {},
    },
    TenantRow: {"paused": False, "generation": 2**52, "changed_by": SYSTEM},
    SweepRow: {"next_sweep_at": UNKNOWN_TIME},
}
"""The attributes that each row of a kind has, with the values in place of those that cannot be read."""


def find_row_problem(row: Row) -> str | None:
    """Return which attributes of the row cannot be read, and why, or None."""
    required = DEFAULTS[type(row)]
    values = row_values(row)
    if not row.unreadable_attributes and values.keys() >= required.keys():
        return None
    attributes = type(row).get_attributes()
    missing = {attributes[name].attr_name: "is missing" for name in required.keys() - values.keys()}
    problems = {**missing, **row.unreadable_attributes}
    return "; ".join(f"{name} {problem}" for name, problem in sorted(problems.items()))


def schedule_unchanged(schedule: Schedule) -> Condition:
    """Return the condition that the row is as it was read."""
    unchanged: Condition = ScheduleRow.change_token == schedule.change_token
    if schedule.unreadable:
        unchanged |= ~ScheduleRow.change_token.is_type()
    if schedule.pending:
        unchanged &= ScheduleRow.pending_since.exists()
    elif not schedule.unreadable:  # which may have a mark that cannot be read
        unchanged &= ScheduleRow.pending_since.does_not_exist()
    return unchanged


def install_unchanged(install: Install) -> Condition:
    """Return the condition that the platform has not changed the row since it was read."""
    unchanged: Condition = InstallRow.generation == install.generation
    if install.unreadable:
        unchanged |= ~InstallRow.generation.is_type()
    return unchanged
