"""One change of one schedule as one conditional request, with its names, the install's count, and its window."""

from functools import reduce
from operator import and_

from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from scheduling.aws.keys import install_key, name_key, schedule_key, write_key
from scheduling.aws.requests import Write
from scheduling.aws.rows import changes, remembered_values, schedule_values, to_millis
from scheduling.aws.table import InstallRow, NameRow, ScheduleRow, WriteRow
from scheduling.domain.idempotency import KEY_LIFETIME, EarlierWrite
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Acceptance
from scheduling.domain.schedule import Schedule
from scheduling.domain.window import WINDOW


def write_change(
    connection: Connection,
    before: Schedule | None,
    after: Schedule | None,
    *,
    accept: Acceptance | None,
    release: Acceptance | None,
    remember: EarlierWrite | None,
    forget: str | None,
) -> None:
    """See `operations.tables.Schedules.replace`."""
    subject = before or after
    if subject is None:
        return
    install_id = subject.install_id
    write = Write(connection)
    _write_install(write, install_id, _counted(after) - _counted(before), accept, release)
    _write_row(write, before, after)
    for name in _names(after) - _names(before):
        taken = NameRow(**name_key(install_id, name), schedule_id=subject.id)
        write.put(taken, NameRow.pk.does_not_exist())
    for name in _names(before) - _names(after):
        write.delete(NameRow(**name_key(install_id, name)))
    if remember and accept:
        _write_key(write, install_id, remember, accept)
    if forget:
        write.delete(WriteRow(**write_key(install_id, forget)))
    write.send()


def _write_key(write: Write, install_id: InstallId, remember: EarlierWrite, accept: Acceptance) -> None:
    row = WriteRow(
        **write_key(install_id, remember.key.value),
        **remembered_values(remember),
        expires_at=accept.now + KEY_LIFETIME,
    )
    write.put(row, WriteRow.pk.does_not_exist() | (WriteRow.expires_at <= accept.now))


def _write_install(
    write: Write,
    install_id: InstallId,
    growth: int,
    accept: Acceptance | None,
    release: Acceptance | None,
) -> None:
    conditions: list[Condition] = [InstallRow.pk.exists()]
    actions: list[Action] = []
    if growth:
        actions.append(InstallRow.schedule_count.add(growth))
    if accept:
        slot = InstallRow.writes[str(accept.slot)]
        actions += [slot.set(to_millis(accept.now)), InstallRow.sequence.add(1)]
        free = slot.does_not_exist() | (slot <= to_millis(accept.now - WINDOW))
        conditions += [InstallRow.generation == accept.generation, free]
        if growth > 0:
            conditions.append(InstallRow.schedule_count < accept.max_schedules)
    if release:
        actions += [InstallRow.writes[str(release.slot)].remove(), InstallRow.sequence.add(1)]
        conditions.append(InstallRow.generation == release.generation)
    if actions:
        write.update(InstallRow(**install_key(install_id)), actions, reduce(and_, conditions))


def _write_row(write: Write, before: Schedule | None, after: Schedule | None) -> None:
    if before is None:
        if after:
            key = schedule_key(after.install_id, after.id)
            write.put(ScheduleRow(**key, **schedule_values(after)), ScheduleRow.pk.does_not_exist())
        return
    row = ScheduleRow(**schedule_key(before.install_id, before.id))
    as_read = (ScheduleRow.change_token == before.change_token) & (
        ScheduleRow.pending_since.exists() if before.pending else ScheduleRow.pending_since.does_not_exist()
    )
    if after:
        write.update(row, changes(ScheduleRow, schedule_values(before), schedule_values(after)), as_read)
    else:
        write.delete(row, as_read)


def _names(schedule: Schedule | None) -> frozenset[str]:
    return schedule.names if schedule else frozenset()


def _counted(schedule: Schedule | None) -> int:
    return int(schedule is not None and schedule.counted)
