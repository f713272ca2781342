"""Rows that the index of what is unhealthy should have and lacks, or has in vain: of earlier releases, or edited."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition

from scheduling.domain.install import SCHEDULER_MANAGE
from scheduling.domain.runs import RunStatus
from scheduling.domain.schedule import ScheduleState
from scheduling.store.keys import (
    DISABLED_INSTALLS,
    PAUSED_TENANTS,
    UNGRANTED_INSTALLS,
    Key,
    index_shard,
    tenant_key,
)
from scheduling.store.mapping import stopped_values, update_actions
from scheduling.store.models import InstallRow, Row, ScheduleRow, TenantRow
from scheduling.store.snapshots import IndexRepair
from scheduling.store.transactions import TransactWriter, read_items

_INDEX_ATTRIBUTES = {"unhealthyShard", "unhealthySince", "ungrantedSince"}
"""Attributes that a repair writes, so that it does not matter if they cannot be read."""


def find_index_repairs(rows: Sequence[Row]) -> Iterator[IndexRepair]:
    """Yield what has to be repaired of an install and its schedules; nothing of a row that cannot be read."""
    for row in rows:
        if row.unreadable_attributes.keys() - _INDEX_ATTRIBUTES:
            continue
        if isinstance(row, ScheduleRow):
            yield from _check_schedule(row)
        elif isinstance(row, InstallRow):
            yield from _check_install(row)


def find_tenant_repair(tenant_id: str) -> IndexRepair | None:
    """Return what has to be repaired of a paused tenant.

    One BatchGetItem.
    """
    row = read_items(tenant_key(tenant_id)).find_item(TenantRow)
    if row is None or not row.paused or row.unreadable_attributes.keys() - _INDEX_ATTRIBUTES:
        return None
    return next(_compare(row, PAUSED_TENANTS, row.unhealthy_since, ("paused",)), None)


def _check_schedule(row: ScheduleRow) -> Iterator[IndexRepair]:
    """Check a schedule; one that its owner has disabled may be in the index or not."""
    names = ("waiting", "last_run_status", "last_run_at", "enabled", "disabled_reason")
    unhealthy = bool(row.waiting) or row.last_run_status == RunStatus.ERROR
    if row.state is not ScheduleState.ACTIVE or (unhealthy and not (row.enabled or row.disabled_reason)):
        return
    part = index_shard(row.sk.removeprefix("SCHEDULE#")) if unhealthy else None
    yield from _compare(row, part, row.unhealthy_since or row.last_run_at, names)


def _check_install(row: InstallRow) -> Iterator[IndexRepair]:
    names = ("enabled", "granted_capabilities", "generation")
    if row.deleting or row.enabled is None or row.granted_capabilities is None:
        return
    if not row.enabled:
        since = row.unhealthy_since if row.unhealthy_shard == DISABLED_INSTALLS else None
        yield from _compare(row, DISABLED_INSTALLS, since, names)
    elif SCHEDULER_MANAGE not in row.granted_capabilities and (row.ungranted_since or row.schedule_count):
        yield from _compare(row, UNGRANTED_INSTALLS, row.ungranted_since, names)
    else:
        yield from _compare(row, None, None, names)


def _compare(
    row: Any, part: str | None, since: datetime | None, names: Sequence[str]
) -> Iterator[IndexRepair]:
    has_since = row.unhealthy_since is not None or "unhealthySince" in row.unreadable_attributes
    is_right = row.unhealthy_shard == part and (row.unhealthy_since is not None if part else not has_since)
    if not is_right:
        yield IndexRepair(row, part, since, (*names, "unhealthy_shard"))


def add_index_repair(writer: TransactWriter, repair: IndexRepair, now: datetime) -> None:
    """Add the step that puts the row into its part of the index, or removes it, unless the row has changed."""
    row, since = repair.row, (repair.since or now) if repair.part else None
    values: dict[str, Any] = stopped_values(repair.part or "", since)
    if repair.part == UNGRANTED_INSTALLS:
        values["ungranted_since"] = since
    model = type(row)
    conditions = [_is_unchanged(getattr(model, name), getattr(row, name)) for name in repair.depends_on]
    condition = conditions[0]
    for each in conditions[1:]:
        condition &= each
    key = Key(hash_key=row.pk, range_key=row.sk)
    writer.update_row(model(**key), update_actions(model, {}, values), condition)


def _is_unchanged(attribute: Any, value: object) -> Condition:
    condition: Condition = attribute.does_not_exist() if value is None else attribute == value
    return condition
