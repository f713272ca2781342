"""What schedules take of their install: their number, the slots of its window, and their names."""

from functools import reduce
from operator import and_

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from scheduling.domain.ids import InstallId
from scheduling.domain.install import WriteReservation
from scheduling.domain.schedule import Schedule
from scheduling.domain.window import WINDOW_LENGTH
from scheduling.store.keys import install_key, name_owner_key
from scheduling.store.mapping import to_millis
from scheduling.store.models import InstallRow, NameRow
from scheduling.store.transactions import TransactWriter


def write_name_rows(
    writer: TransactWriter, schedule: Schedule, before: frozenset[str], after: frozenset[str]
) -> None:
    """Add the steps that take and free names of the schedule."""
    for name in after - before:
        name_row = NameRow(**name_owner_key(schedule.install_id, name), schedule_id=schedule.id)
        writer.put_row(name_row, NameRow.pk.does_not_exist())
    for name in before - after:
        writer.delete_row(NameRow(**name_owner_key(schedule.install_id, name)))


def update_install_row(
    writer: TransactWriter,
    install_id: InstallId,
    count_change: int,
    reserve: WriteReservation | None,
    release: WriteReservation | None,
) -> None:
    """Add the step that counts the install's schedules, and takes or frees a slot of its window."""
    conditions: list[Condition] = [InstallRow.pk.exists()]
    actions: list[Action] = []
    if count_change:
        actions.append(InstallRow.schedule_count.add(count_change))
    if reserve:
        actions.append(InstallRow.write_sequence.add(1))
        conditions.append(InstallRow.generation == reserve.generation)
        if reserve.slot is not None:
            slot = InstallRow.writes[str(reserve.slot)]
            actions.append(slot.set(to_millis(reserve.reserved_at)))
            conditions.append(
                slot.does_not_exist() | (slot <= to_millis(reserve.reserved_at - WINDOW_LENGTH))
            )
        if count_change > 0:
            conditions.append(InstallRow.schedule_count < reserve.max_schedules)
    if release:
        actions.append(InstallRow.write_sequence.add(1))
        if release.slot is not None:
            actions.append(InstallRow.writes[str(release.slot)].remove())
        conditions.append(InstallRow.generation == release.generation)
    if actions:
        writer.update_row(InstallRow(**install_key(install_id)), actions, reduce(and_, conditions))
