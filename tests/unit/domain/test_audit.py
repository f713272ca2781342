"""Every change of a schedule and of an install that there is, and what it means."""

from dataclasses import replace
from datetime import timedelta

import pytest
from scheduling.domain.audit import EventName, Happened, Subject, what_happened
from scheduling.domain.ids import HOST_API, SYSTEM, admin
from scheduling.domain.install import Install
from scheduling.domain.schedule import LastRun, Life, Schedule

from tests.unit.builders import NOW, definition, install, schedule

ADMIN, OTHER_ADMIN = admin("arn:aws:iam::123456789012:role/platform"), admin("arn:other")
HOUR = timedelta(hours=1)

S = schedule(name="daily", payload="[1]", timer_since=NOW)
OF_ADMIN = replace(S, changed_by=ADMIN)
REMOVING = OF_ADMIN.removed(NOW)
UPDATED = OF_ADMIN.redefined(definition(name="other", payload="[1]"), NOW)
PENDING = S.touched(NOW)
PAUSED = install(paused=True, generation=2, changed_by=ADMIN)
DROPPED = install(
    dropped=frozenset({"POST /api/sync"}), generation=2, changed_by=ADMIN, version_id="version-2"
)

SCHEDULES: list[tuple[str, Schedule | None, Schedule | None, tuple[EventName, str] | None]] = [
    ("created", None, S, (EventName.SCHEDULE_CREATED, HOST_API)),
    ("create taken back", PENDING, PENDING.withdrawn(NOW), (EventName.SCHEDULE_DELETED, SYSTEM)),
    ("what was taken back goes", PENDING.withdrawn(NOW), None, None),
    ("updated after an admin's change", OF_ADMIN, UPDATED, (EventName.SCHEDULE_UPDATED, HOST_API)),
    (
        "update taken back",
        UPDATED,
        OF_ADMIN.restored_over(UPDATED, NOW),
        (EventName.SCHEDULE_UPDATED, SYSTEM),
    ),
    ("updated to the same", S, S.redefined(S.definition, NOW), None),
    (
        "another payload",
        S,
        S.redefined(replace(S.definition, payload="[2]"), NOW),
        (EventName.SCHEDULE_UPDATED, HOST_API),
    ),
    ("another payload of the same value", S, S.redefined(replace(S.definition, payload="[1]"), NOW), None),
    ("its endpoint dropped", S, S.following(DROPPED, NOW), (EventName.SCHEDULE_UPDATED, ADMIN)),
    ("suspended", S, S.following(PAUSED, NOW), None),
    ("resumed", S.following(PAUSED, NOW), S.following(install(generation=3), NOW), None),
    ("marked as pending", S, PENDING, None),
    ("settled", PENDING, PENDING.settled(), None),
    ("a run begins", S, replace(S, running_time="2026-11-23T10:00:00Z", running_until=NOW + HOUR), None),
    ("a run ends", S, replace(S, last_run=LastRun(at=NOW, status="error", error="no")), None),
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
        S.removed(NOW, OTHER_ADMIN),
        (EventName.SCHEDULE_DELETED, OTHER_ADMIN),
    ),
    ("the deleted one's row goes", REMOVING, None, None),
    ("the deleted one's row is looked at", REMOVING, REMOVING.touched(NOW), None),
    (
        "delete taken back",
        REMOVING,
        OF_ADMIN.restored_over(REMOVING, NOW),
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
MOVED = I.changed(OTHER_ADMIN, version_id="version-2", dropped=frozenset({"POST /api/sync"}))
DELETING = I.changed(OTHER_ADMIN, deleting=True, pending_since=NOW)

INSTALLS: list[tuple[str, Install | None, Install | None, tuple[EventName, str] | None]] = [
    ("registered", None, I, (EventName.INSTALL_REGISTERED, ADMIN)),
    ("disabled", I, I.changed(OTHER_ADMIN, enabled=False), (EventName.INSTALL_CHANGED, OTHER_ADMIN)),
    ("paused", I, I.changed(ADMIN, paused=True, followed=1), (EventName.INSTALL_CHANGED, ADMIN)),
    ("granted more", I, I.changed(ADMIN, granted=I.granted | {"x"}), (EventName.INSTALL_CHANGED, ADMIN)),
    ("other contents", I, I.changed(ADMIN, content_hash="sha256:f"), (EventName.INSTALL_CHANGED, ADMIN)),
    ("its configuration changed", I, I.changed(ADMIN), (EventName.INSTALL_CHANGED, ADMIN)),
    ("moved", I, MOVED, (EventName.INSTALL_MOVED, OTHER_ADMIN)),
    (
        "moved and disabled",
        I,
        I.changed(ADMIN, version_id="version-2", enabled=False),
        (EventName.INSTALL_MOVED, ADMIN),
    ),
    (
        "moved to another registry",
        I,
        I.changed(ADMIN, registry_id="registry-2"),
        (EventName.INSTALL_MOVED, ADMIN),
    ),
    ("its schedules have followed", MOVED, replace(MOVED, dropped=frozenset(), pending_since=None), None),
    ("it has followed a tenant that is as it is", I, replace(I, followed=3), None),
    ("a write of its extension", I, replace(I, sequence=1, schedule_count=1, writes={0: NOW}), None),
    ("deleted", I, DELETING, (EventName.INSTALL_DELETED, OTHER_ADMIN)),
    ("a schedule less while it is deleted", DELETING, replace(DELETING, schedule_count=-1), None),
    ("the deleted one's row goes", DELETING, None, None),
    ("its row removed by hand", I, None, (EventName.INSTALL_DELETED, SYSTEM)),
]


def by_name(
    rows: list[tuple[str, Subject | None, Subject | None, tuple[EventName, str] | None]],
) -> list[object]:
    return [pytest.param(before, after, meaning, id=name) for name, before, after, meaning in rows]


def meaning_of(happened: Happened | None) -> tuple[EventName, str] | None:
    return (happened.name, happened.by) if happened else None


@pytest.mark.parametrize(("before", "after", "meaning"), by_name([*SCHEDULES]))
def test_a_change_of_a_schedule(
    before: Schedule | None, after: Schedule | None, meaning: tuple[EventName, str] | None
) -> None:
    assert meaning_of(what_happened(before, after)) == meaning


@pytest.mark.parametrize(("before", "after", "meaning"), by_name([*INSTALLS]))
def test_a_change_of_an_install(
    before: Install | None, after: Install | None, meaning: tuple[EventName, str] | None
) -> None:
    assert meaning_of(what_happened(before, after)) == meaning


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
    before: Subject | None, after: Subject | None, shown: tuple[Subject | None, Subject | None]
) -> None:
    happened = what_happened(before, after)

    assert happened
    assert (happened.before, happened.after) == shown


def test_nothing_happens_to_nothing() -> None:
    assert what_happened(None, None) is None


def test_life_has_no_state_that_the_table_above_leaves_out() -> None:
    lives = {row.life for _, *pair, _ in SCHEDULES for row in pair if isinstance(row, Schedule)}

    assert lives == set(Life)
