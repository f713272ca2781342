"""Every kind of change of a schedule and of an install, and the event that it causes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from scheduling.domain.audit.events import ChangeEvent, Entity, EventName, classify_change
from scheduling.domain.ids import HOST_API, SYSTEM, admin_actor
from scheduling.domain.install import Install
from scheduling.domain.schedule import PAUSED_AFTER_FAILURES, LastRun, Schedule, ScheduleState

from tests.unit.builders import NOW, definition, install, schedule

ADMIN, OTHER_ADMIN = admin_actor("arn:aws:iam::123456789012:role/platform"), admin_actor("arn:other")
HOUR = timedelta(hours=1)

SCHEDULE = schedule(name="daily", payload="[1]", timer_since=NOW)
CHANGED_BY_ADMIN = replace(SCHEDULE, changed_by=ADMIN)
DELETING_SCHEDULE = CHANGED_BY_ADMIN.marked_deleted(NOW)
UPDATED_SCHEDULE = CHANGED_BY_ADMIN.with_definition(definition(name="other", payload="[1]"), NOW)
PENDING_SCHEDULE = SCHEDULE.marked_pending(NOW)
PAUSED_INSTALL = install(paused=True, generation=2, changed_by=ADMIN)
INSTALL_WITHOUT_ENDPOINT = install(
    removed_endpoints=frozenset({"POST /api/sync"}), generation=2, changed_by=ADMIN, version_id="version-2"
)

PAUSED_SCHEDULE = replace(
    SCHEDULE.with_definition(replace(SCHEDULE.definition, enabled=False), NOW, SYSTEM),
    disabled_reason=PAUSED_AFTER_FAILURES,
)
SCHEDULE_CHANGES: list[tuple[str, Schedule | None, Schedule | None, tuple[EventName, str] | None]] = [
    ("created", None, SCHEDULE, (EventName.SCHEDULE_CREATED, HOST_API)),
    (
        "create rolled back",
        PENDING_SCHEDULE,
        PENDING_SCHEDULE.rolled_back(NOW),
        (EventName.SCHEDULE_DELETED, SYSTEM),
    ),
    ("rolled-back row deleted", PENDING_SCHEDULE.rolled_back(NOW), None, None),
    (
        "updated after an admin's change",
        CHANGED_BY_ADMIN,
        UPDATED_SCHEDULE,
        (EventName.SCHEDULE_UPDATED, HOST_API),
    ),
    (
        "update rolled back",
        UPDATED_SCHEDULE,
        CHANGED_BY_ADMIN.rollback_to(UPDATED_SCHEDULE, NOW),
        (EventName.SCHEDULE_UPDATED, SYSTEM),
    ),
    ("updated to the same", SCHEDULE, SCHEDULE.with_definition(SCHEDULE.definition, NOW), None),
    (
        "another payload",
        SCHEDULE,
        SCHEDULE.with_definition(replace(SCHEDULE.definition, payload="[2]"), NOW),
        (EventName.SCHEDULE_UPDATED, HOST_API),
    ),
    (
        "another payload of the same value",
        SCHEDULE,
        SCHEDULE.with_definition(replace(SCHEDULE.definition, payload="[1]"), NOW),
        None,
    ),
    (
        "paused after failures",
        SCHEDULE,
        PAUSED_SCHEDULE,
        (EventName.SCHEDULE_PAUSED, SYSTEM),
    ),
    (
        "changed while it is paused after failures",
        PAUSED_SCHEDULE,
        PAUSED_SCHEDULE.with_definition(replace(PAUSED_SCHEDULE.definition, name="other"), NOW),
        (EventName.SCHEDULE_UPDATED, HOST_API),
    ),
    (
        "endpoint removed",
        SCHEDULE,
        SCHEDULE.with_install_propagated(INSTALL_WITHOUT_ENDPOINT, NOW),
        (EventName.SCHEDULE_UPDATED, ADMIN),
    ),
    ("suspended", SCHEDULE, SCHEDULE.with_install_propagated(PAUSED_INSTALL, NOW), None),
    (
        "resumed",
        SCHEDULE.with_install_propagated(PAUSED_INSTALL, NOW),
        SCHEDULE.with_install_propagated(install(generation=3), NOW),
        None,
    ),
    ("marked as pending", SCHEDULE, PENDING_SCHEDULE, None),
    ("marked synced", PENDING_SCHEDULE, PENDING_SCHEDULE.synced(), None),
    (
        "run started",
        SCHEDULE,
        replace(SCHEDULE, running_occurrence="2026-11-23T10:00:00Z", lease_expires_at=NOW + HOUR),
        None,
    ),
    (
        "run finished",
        SCHEDULE,
        replace(SCHEDULE, last_run=LastRun(started_at=NOW, status="error", error="no")),
        None,
    ),
    ("checked by the sweep", SCHEDULE, replace(SCHEDULE, checked_until=NOW), None),
    (
        "deleted by its owner after an admin's change",
        CHANGED_BY_ADMIN,
        DELETING_SCHEDULE,
        (EventName.SCHEDULE_DELETED, HOST_API),
    ),
    (
        "deleted with its install",
        SCHEDULE,
        SCHEDULE.marked_deleted(NOW, OTHER_ADMIN),
        (EventName.SCHEDULE_DELETED, OTHER_ADMIN),
    ),
    ("row of deleted install removed", DELETING_SCHEDULE, None, None),
    ("row of deleted one marked pending", DELETING_SCHEDULE, DELETING_SCHEDULE.marked_pending(NOW), None),
    (
        "delete rolled back",
        DELETING_SCHEDULE,
        CHANGED_BY_ADMIN.rollback_to(DELETING_SCHEDULE, NOW),
        (EventName.SCHEDULE_CREATED, SYSTEM),
    ),
    (
        "deleted by its owner at once, after an admin's change",
        CHANGED_BY_ADMIN,
        None,
        (EventName.SCHEDULE_DELETED, HOST_API),
    ),
]

INSTALL = install(changed_by=ADMIN)
MOVED_INSTALL = INSTALL.with_changes(
    OTHER_ADMIN, version_id="version-2", removed_endpoints=frozenset({"POST /api/sync"})
)
DELETING_INSTALL = INSTALL.with_changes(OTHER_ADMIN, deleting=True, pending_since=NOW)

INSTALL_CHANGES: list[tuple[str, Install | None, Install | None, tuple[EventName, str] | None]] = [
    ("registered", None, INSTALL, (EventName.INSTALL_REGISTERED, ADMIN)),
    (
        "disabled",
        INSTALL,
        INSTALL.with_changes(OTHER_ADMIN, enabled=False),
        (EventName.INSTALL_CHANGED, OTHER_ADMIN),
    ),
    (
        "paused",
        INSTALL,
        INSTALL.with_changes(ADMIN, paused=True, propagated_generation=1),
        (EventName.INSTALL_CHANGED, ADMIN),
    ),
    (
        "more capabilities granted",
        INSTALL,
        INSTALL.with_changes(ADMIN, granted_capabilities=INSTALL.granted_capabilities | {"x"}),
        (EventName.INSTALL_CHANGED, ADMIN),
    ),
    (
        "content hash changed",
        INSTALL,
        INSTALL.with_changes(ADMIN, content_hash="sha256:f"),
        (EventName.INSTALL_CHANGED, ADMIN),
    ),
    ("configuration changed", INSTALL, INSTALL.with_changes(ADMIN), (EventName.INSTALL_CHANGED, ADMIN)),
    ("moved", INSTALL, MOVED_INSTALL, (EventName.INSTALL_MOVED, OTHER_ADMIN)),
    (
        "moved and disabled",
        INSTALL,
        INSTALL.with_changes(ADMIN, version_id="version-2", enabled=False),
        (EventName.INSTALL_MOVED, ADMIN),
    ),
    (
        "moved to another registry",
        INSTALL,
        INSTALL.with_changes(ADMIN, registry_id="registry-2"),
        (EventName.INSTALL_MOVED, ADMIN),
    ),
    (
        "schedules propagated",
        MOVED_INSTALL,
        replace(MOVED_INSTALL, removed_endpoints=frozenset(), pending_since=None),
        None,
    ),
    ("unchanged tenant propagated", INSTALL, replace(INSTALL, propagated_generation=3), None),
    (
        "write of its extension",
        INSTALL,
        replace(INSTALL, write_sequence=1, schedule_count=1, writes={0: NOW}),
        None,
    ),
    ("deleted", INSTALL, DELETING_INSTALL, (EventName.INSTALL_DELETED, OTHER_ADMIN)),
    (
        "schedule count lowered during deletion",
        DELETING_INSTALL,
        replace(DELETING_INSTALL, schedule_count=-1),
        None,
    ),
    ("row of deleted install removed", DELETING_INSTALL, None, None),
    ("row deleted manually", INSTALL, None, (EventName.INSTALL_DELETED, SYSTEM)),
]


def parametrize_changes(
    rows: list[tuple[str, Entity | None, Entity | None, tuple[EventName, str] | None]],
) -> list[object]:
    return [pytest.param(before, after, meaning, id=name) for name, before, after, meaning in rows]


def event_and_actor(change: ChangeEvent | None) -> tuple[EventName, str] | None:
    return (change.name, change.actor) if change else None


@pytest.mark.parametrize(("before", "after", "meaning"), parametrize_changes([*SCHEDULE_CHANGES]))
def test_schedule_change_causes_its_event(
    before: Schedule | None, after: Schedule | None, meaning: tuple[EventName, str] | None
) -> None:
    assert event_and_actor(classify_change(before, after)) == meaning


@pytest.mark.parametrize(("before", "after", "meaning"), parametrize_changes([*INSTALL_CHANGES]))
def test_install_change_causes_its_event(
    before: Install | None, after: Install | None, meaning: tuple[EventName, str] | None
) -> None:
    assert event_and_actor(classify_change(before, after)) == meaning


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(None, SCHEDULE, (None, SCHEDULE), id="created"),
        pytest.param(SCHEDULE, UPDATED_SCHEDULE, (SCHEDULE, UPDATED_SCHEDULE), id="updated"),
        pytest.param(SCHEDULE, DELETING_SCHEDULE, (SCHEDULE, None), id="deleted"),
        pytest.param(INSTALL, DELETING_INSTALL, (INSTALL, None), id="install deleted"),
    ],
)
def test_event_shows_the_owner_visible_state(
    before: Entity | None, after: Entity | None, expected: tuple[Entity | None, Entity | None]
) -> None:
    change = classify_change(before, after)

    assert change
    assert (change.before, change.after) == expected


def test_no_change_has_no_event() -> None:
    assert classify_change(None, None) is None


def test_every_state_transition_is_tested() -> None:
    states = {row.state for _, *pair, _ in SCHEDULE_CHANGES for row in pair if isinstance(row, Schedule)}

    assert states == set(ScheduleState)
