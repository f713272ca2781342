"""Every change of a schedule and of an install that there is, and what it means."""

from dataclasses import replace
from datetime import timedelta

import pytest
from scheduling.domain.audit import ChangeEvent, Entity, EventName, classify_change
from scheduling.domain.ids import HOST_API, SYSTEM, admin_actor
from scheduling.domain.install import Install
from scheduling.domain.schedule import LastRun, Schedule, ScheduleState

from tests.unit.builders import NOW, definition, install, schedule

ADMIN, OTHER_ADMIN = admin_actor("arn:aws:iam::123456789012:role/platform"), admin_actor("arn:other")
HOUR = timedelta(hours=1)

S = schedule(name="daily", payload="[1]", timer_since=NOW)
OF_ADMIN = replace(S, changed_by=ADMIN)
REMOVING = OF_ADMIN.marked_deleted(NOW)
UPDATED = OF_ADMIN.with_definition(definition(name="other", payload="[1]"), NOW)
PENDING = S.marked_pending(NOW)
PAUSED = install(paused=True, generation=2, changed_by=ADMIN)
DROPPED = install(
    removed_endpoints=frozenset({"POST /api/sync"}), generation=2, changed_by=ADMIN, version_id="version-2"
)

SCHEDULES: list[tuple[str, Schedule | None, Schedule | None, tuple[EventName, str] | None]] = [
    ("created", None, S, (EventName.SCHEDULE_CREATED, HOST_API)),
    ("create taken back", PENDING, PENDING.rolled_back(NOW), (EventName.SCHEDULE_DELETED, SYSTEM)),
    ("what was taken back goes", PENDING.rolled_back(NOW), None, None),
    ("updated after an admin's change", OF_ADMIN, UPDATED, (EventName.SCHEDULE_UPDATED, HOST_API)),
    (
        "update taken back",
        UPDATED,
        OF_ADMIN.rollback_to(UPDATED, NOW),
        (EventName.SCHEDULE_UPDATED, SYSTEM),
    ),
    ("updated to the same", S, S.with_definition(S.definition, NOW), None),
    (
        "another payload",
        S,
        S.with_definition(replace(S.definition, payload="[2]"), NOW),
        (EventName.SCHEDULE_UPDATED, HOST_API),
    ),
    (
        "another payload of the same value",
        S,
        S.with_definition(replace(S.definition, payload="[1]"), NOW),
        None,
    ),
    ("its endpoint dropped", S, S.with_install_propagated(DROPPED, NOW), (EventName.SCHEDULE_UPDATED, ADMIN)),
    ("suspended", S, S.with_install_propagated(PAUSED, NOW), None),
    (
        "resumed",
        S.with_install_propagated(PAUSED, NOW),
        S.with_install_propagated(install(generation=3), NOW),
        None,
    ),
    ("marked as pending", S, PENDING, None),
    ("settled", PENDING, PENDING.synced(), None),
    (
        "a run begins",
        S,
        replace(S, running_occurrence="2026-11-23T10:00:00Z", lease_expires_at=NOW + HOUR),
        None,
    ),
    ("a run ends", S, replace(S, last_run=LastRun(started_at=NOW, status="error", error="no")), None),
    ("looked at by the sweep", S, replace(S, checked_until=NOW), None),
    (
        "deleted by its owner after an admin's change",
        OF_ADMIN,
        REMOVING,
        (EventName.SCHEDULE_DELETED, HOST_API),
    ),
    (
        "deleted with its install",
        S,
        S.marked_deleted(NOW, OTHER_ADMIN),
        (EventName.SCHEDULE_DELETED, OTHER_ADMIN),
    ),
    ("the deleted one's row goes", REMOVING, None, None),
    ("the deleted one's row is looked at", REMOVING, REMOVING.marked_pending(NOW), None),
    (
        "delete taken back",
        REMOVING,
        OF_ADMIN.rollback_to(REMOVING, NOW),
        (EventName.SCHEDULE_CREATED, SYSTEM),
    ),
    (
        "deleted by its owner at once, after an admin's change",
        OF_ADMIN,
        None,
        (EventName.SCHEDULE_DELETED, HOST_API),
    ),
]

I = install(changed_by=ADMIN)  # noqa: E741
MOVED = I.with_changes(OTHER_ADMIN, version_id="version-2", removed_endpoints=frozenset({"POST /api/sync"}))
DELETING = I.with_changes(OTHER_ADMIN, deleting=True, pending_since=NOW)

INSTALLS: list[tuple[str, Install | None, Install | None, tuple[EventName, str] | None]] = [
    ("registered", None, I, (EventName.INSTALL_REGISTERED, ADMIN)),
    ("disabled", I, I.with_changes(OTHER_ADMIN, enabled=False), (EventName.INSTALL_CHANGED, OTHER_ADMIN)),
    (
        "paused",
        I,
        I.with_changes(ADMIN, paused=True, propagated_generation=1),
        (EventName.INSTALL_CHANGED, ADMIN),
    ),
    (
        "granted more",
        I,
        I.with_changes(ADMIN, granted_capabilities=I.granted_capabilities | {"x"}),
        (EventName.INSTALL_CHANGED, ADMIN),
    ),
    ("other contents", I, I.with_changes(ADMIN, content_hash="sha256:f"), (EventName.INSTALL_CHANGED, ADMIN)),
    ("its configuration changed", I, I.with_changes(ADMIN), (EventName.INSTALL_CHANGED, ADMIN)),
    ("moved", I, MOVED, (EventName.INSTALL_MOVED, OTHER_ADMIN)),
    (
        "moved and disabled",
        I,
        I.with_changes(ADMIN, version_id="version-2", enabled=False),
        (EventName.INSTALL_MOVED, ADMIN),
    ),
    (
        "moved to another registry",
        I,
        I.with_changes(ADMIN, registry_id="registry-2"),
        (EventName.INSTALL_MOVED, ADMIN),
    ),
    (
        "its schedules have followed",
        MOVED,
        replace(MOVED, removed_endpoints=frozenset(), pending_since=None),
        None,
    ),
    ("it has followed a tenant that is as it is", I, replace(I, propagated_generation=3), None),
    ("a write of its extension", I, replace(I, write_sequence=1, schedule_count=1, writes={0: NOW}), None),
    ("deleted", I, DELETING, (EventName.INSTALL_DELETED, OTHER_ADMIN)),
    ("a schedule less while it is deleted", DELETING, replace(DELETING, schedule_count=-1), None),
    ("the deleted one's row goes", DELETING, None, None),
    ("its row removed by hand", I, None, (EventName.INSTALL_DELETED, SYSTEM)),
]


def by_name(
    rows: list[tuple[str, Entity | None, Entity | None, tuple[EventName, str] | None]],
) -> list[object]:
    return [pytest.param(before, after, meaning, id=name) for name, before, after, meaning in rows]


def meaning_of(happened: ChangeEvent | None) -> tuple[EventName, str] | None:
    return (happened.name, happened.actor) if happened else None


@pytest.mark.parametrize(("before", "after", "meaning"), by_name([*SCHEDULES]))
def test_a_change_of_a_schedule(
    before: Schedule | None, after: Schedule | None, meaning: tuple[EventName, str] | None
) -> None:
    assert meaning_of(classify_change(before, after)) == meaning


@pytest.mark.parametrize(("before", "after", "meaning"), by_name([*INSTALLS]))
def test_a_change_of_an_install(
    before: Install | None, after: Install | None, meaning: tuple[EventName, str] | None
) -> None:
    assert meaning_of(classify_change(before, after)) == meaning


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        pytest.param(None, S, (None, S), id="created"),
        pytest.param(S, UPDATED, (S, UPDATED), id="updated"),
        pytest.param(S, REMOVING, (S, None), id="deleted"),
        pytest.param(I, DELETING, (I, None), id="install deleted"),
    ],
)
def test_an_event_shows_what_there_was_for_its_owner(
    before: Entity | None, after: Entity | None, shown: tuple[Entity | None, Entity | None]
) -> None:
    happened = classify_change(before, after)

    assert happened
    assert (happened.before, happened.after) == shown


def test_nothing_happens_to_nothing() -> None:
    assert classify_change(None, None) is None


def test_life_has_no_state_that_the_table_above_leaves_out() -> None:
    lives = {row.state for _, *pair, _ in SCHEDULES for row in pair if isinstance(row, Schedule)}

    assert lives == set(ScheduleState)
