from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from scheduling.domain.schedule import ScheduleState

from tests.unit.builders import NOW, definition, schedule

LATER = NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        pytest.param({}, {}, True, id="no change"),
        pytest.param({}, {"name": "n"}, True, id="name"),
        pytest.param({}, {"payload": "[]"}, True, id="payload"),
        pytest.param({}, {"endpoint_path": "/other", "endpoint_method": "GET"}, True, id="endpoint"),
        pytest.param({}, {"cron": "0 5 * * *"}, False, id="cron"),
        pytest.param({}, {"timezone": "Asia/Tokyo"}, False, id="timezone"),
        pytest.param({}, {"enabled": False}, False, id="disabled"),
        pytest.param({"enabled": False}, {"enabled": True}, False, id="enabled"),
        pytest.param(
            {"enabled": False},
            {"enabled": False, "cron": "0 5 * * *", "timezone": "Asia/Tokyo"},
            True,
            id="cron and timezone while disabled",
        ),
    ],
)
def test_a_timer_follows_cron_timezone_and_enabled_alone(
    before: dict[str, Any], after: dict[str, Any], same: bool
) -> None:
    assert definition(**after).has_same_timer(definition(**before)) is same
    assert definition(**before).has_same_timer(definition(**after)) is same


def test_an_endpoint_is_named_by_method_and_path() -> None:
    assert definition(endpoint_method="GET", endpoint_path="/a").endpoint == "GET /a"


def test_a_new_schedule_is_of_revision_one() -> None:
    made = schedule()

    assert (made.revision, made.timer_revision, made.pending, made.state) == (
        1,
        1,
        False,
        ScheduleState.ACTIVE,
    )


def test_a_change_that_no_timer_follows_leaves_it_settled() -> None:
    before = schedule(name="old", revision=4, timer_revision=2, last_timer_revision=3)

    after = before.with_definition(definition(name="new", payload="[]"), LATER)

    assert after == replace(
        before,
        definition=definition(name="new", payload="[]"),
        revision=5,
        change_token=after.change_token,
    )
    assert not after.pending
    assert after.reserved_names == {"new"}


def test_a_change_that_the_timer_follows_is_pending_under_a_number_never_used() -> None:
    before = schedule(revision=4, timer_revision=2, last_timer_revision=3)

    after = before.with_definition(definition(cron="0 5 * * *"), LATER)

    assert after == replace(
        before,
        definition=definition(cron="0 5 * * *"),
        revision=5,
        timer_revision=4,
        last_timer_revision=4,
        timer_since=LATER,
        pending_since=LATER,
        change_token=after.change_token,
    )
    assert after.pending


def test_touching_is_no_change_to_its_owner_and_keeps_the_timers_fires() -> None:
    before = schedule(revision=4, timer_revision=2, last_timer_revision=3)

    after = before.marked_pending(LATER)

    assert after == replace(before, pending_since=LATER, change_token=after.change_token)


@pytest.mark.parametrize(
    ("old", "new", "held"),
    [
        ("old", "new", {"old", "new"}),
        ("old", None, {"old"}),
        (None, "new", {"new"}),
        ("same", "same", {"same"}),
        (None, None, set()),
    ],
    ids=["renamed", "cleared", "named", "kept", "none"],
)
def test_a_former_name_is_held_until_the_change_is_settled(
    old: str | None, new: str | None, held: set[str]
) -> None:
    after = schedule(name=old).with_definition(definition(name=new, cron="0 5 * * *"), LATER)

    assert after.reserved_names == held
    settled = after.synced()
    assert settled is not None
    assert settled.reserved_names == {name for name in (new,) if name}


def test_a_removed_schedule_holds_its_name_and_place_and_is_not_due() -> None:
    before = schedule(name="n", revision=4, timer_revision=2)

    after = before.marked_deleted(LATER)

    assert after == replace(
        before, pending_since=LATER, state=ScheduleState.DELETING, change_token=after.change_token
    )
    assert after.reserved_names == {"n"}
    assert (after.counts_toward_quota, after.should_have_timer) == (True, False)


def test_a_withdrawn_schedule_holds_nothing() -> None:
    after = schedule(name="n", held_name="former").rolled_back(LATER)

    assert after.pending_since == LATER
    assert after.state is ScheduleState.ROLLED_BACK
    assert after.reserved_names == frozenset()
    assert (after.counts_toward_quota, after.should_have_timer) == (False, False)


@pytest.mark.parametrize(
    ("state", "enabled", "due"),
    [
        (ScheduleState.ACTIVE, True, True),
        (ScheduleState.ACTIVE, False, False),
        (ScheduleState.DELETING, True, False),
        (ScheduleState.ROLLED_BACK, True, False),
    ],
)
def test_an_active_enabled_schedule_is_due(state: ScheduleState, enabled: bool, due: bool) -> None:
    assert schedule(state=state, enabled=enabled).should_have_timer is due


@pytest.mark.parametrize(
    ("state", "counted"),
    [(ScheduleState.ACTIVE, True), (ScheduleState.DELETING, True), (ScheduleState.ROLLED_BACK, False)],
)
def test_a_schedule_counts_until_it_is_gone(state: ScheduleState, counted: bool) -> None:
    assert schedule(state=state).counts_toward_quota is counted


def test_a_failed_change_is_undone_and_its_number_never_used_again() -> None:
    before = schedule(name="old", revision=4, timer_revision=2, last_timer_revision=2)
    failed = before.with_definition(definition(name="new", cron="0 5 * * *"), LATER)

    restored = before.rollback_to(failed, LATER + timedelta(seconds=5))

    assert restored == replace(
        before,
        last_timer_revision=3,
        pending_since=LATER + timedelta(seconds=5),
        change_token=restored.change_token,
        changed_by="system",
    )
    assert restored.reserved_names == {"old"}
    assert restored.with_definition(definition(cron="0 6 * * *"), LATER).timer_revision == 4


def test_a_failed_removal_is_undone() -> None:
    before = schedule(revision=4, timer_revision=2, last_timer_revision=2)

    restored = before.rollback_to(before.marked_deleted(LATER), LATER)

    assert restored == replace(
        before, pending_since=LATER, change_token=restored.change_token, changed_by="system"
    )
    assert restored.should_have_timer


def test_settling_an_active_schedule_ends_its_pending() -> None:
    pending = schedule(pending_since=NOW, held_name="former", revision=3)

    assert pending.synced() == replace(pending, pending_since=None, held_name=None)


@pytest.mark.parametrize("state", [ScheduleState.DELETING, ScheduleState.ROLLED_BACK])
def test_settling_a_deleted_schedule_leaves_none(state: ScheduleState) -> None:
    assert schedule(state=state, pending_since=NOW).synced() is None


def test_every_change_has_a_token_of_its_own() -> None:
    before = schedule()
    changes = [
        before,
        before.with_definition(definition(name="new"), LATER),
        before.with_definition(definition(cron="0 5 * * *"), LATER),
        before.marked_deleted(LATER),
        before.rolled_back(LATER),
        before.marked_pending(LATER),
        before.rollback_to(before.marked_deleted(LATER), LATER),
    ]

    assert len({changed.change_token for changed in changes}) == len(changes)
