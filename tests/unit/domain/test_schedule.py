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
        pytest.param({}, {"spread_minutes": 5}, False, id="spread"),
        pytest.param({"spread_minutes": 0}, {}, False, id="from no spread to the stack's"),
        pytest.param({}, {"timezone": "Asia/Tokyo"}, False, id="timezone"),
        pytest.param({}, {"cron": "00 09 * * 0-6"}, True, id="cron in other words"),
        pytest.param({"cron": "0 9 * * 1-5"}, {"cron": "0 9 * * MON-FRI"}, True, id="cron with names"),
        pytest.param({}, {"timezone": "utc"}, True, id="timezone in another case"),
        pytest.param({}, {"timezone": "Etc/UTC"}, False, id="alias of the timezone"),
        pytest.param({"cron": "0 9 L * *"}, {}, False, id="from a cron that cannot be read"),
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
def test_timer_depends_on_cron_timezone_spread_and_enabled_only(
    before: dict[str, Any], after: dict[str, Any], same: bool
) -> None:
    assert definition(**after).has_same_timer(definition(**before)) is same
    assert definition(**before).has_same_timer(definition(**after)) is same


def test_a_changed_spread_keeps_the_time_since_which_the_rule_fires() -> None:
    before = schedule(timer_since=NOW)

    after = before.with_definition(definition(spread_minutes=5), LATER)

    assert (after.timer_revision, after.pending_since, after.timer_since) == (2, LATER, NOW)
    disabled = before.with_definition(definition(spread_minutes=5, enabled=False), LATER)
    assert disabled.timer_since == LATER


def test_an_endpoint_is_named_by_method_and_path() -> None:
    assert definition(endpoint_method="GET", endpoint_path="/a").endpoint == "GET /a"


def test_a_new_schedule_is_of_revision_one() -> None:
    created = schedule()

    assert (created.revision, created.timer_revision, created.pending, created.state) == (
        1,
        1,
        False,
        ScheduleState.ACTIVE,
    )


def test_change_without_timer_effect_stays_synced() -> None:
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


def test_change_with_timer_effect_is_pending_under_a_new_number() -> None:
    before = schedule(revision=4, timer_revision=2, last_timer_revision=3)

    after = before.with_definition(definition(cron="0 5 * * *"), LATER)

    assert after == replace(
        before,
        definition=definition(cron="0 5 * * *"),
        revision=5,
        timer_revision=4,
        last_timer_revision=4,
        timer_since=LATER,
        next_fire=after.next_fire,
        pending_since=LATER,
        change_token=after.change_token,
    )
    assert after.pending


def test_marking_pending_is_invisible_to_the_owner_and_keeps_the_fires() -> None:
    before = schedule(revision=4, timer_revision=2, last_timer_revision=3)

    after = before.marked_pending(LATER)

    assert after == replace(before, pending_since=LATER, change_token=after.change_token)


@pytest.mark.parametrize(
    ("old", "new", "reserved"),
    [
        ("old", "new", {"old", "new"}),
        ("old", None, {"old"}),
        (None, "new", {"new"}),
        ("same", "same", {"same"}),
        (None, None, set()),
    ],
    ids=["renamed", "cleared", "named", "kept", "none"],
)
def test_former_name_is_reserved_until_the_change_is_synced(
    old: str | None, new: str | None, reserved: set[str]
) -> None:
    after = schedule(name=old).with_definition(definition(name=new, cron="0 5 * * *"), LATER)

    assert after.reserved_names == reserved
    synced = after.synced()
    assert synced is not None
    assert synced.reserved_names == {name for name in (new,) if name}


def test_deleted_schedule_keeps_its_name_and_count_and_has_no_timer() -> None:
    before = schedule(name="n", revision=4, timer_revision=2)

    after = before.marked_deleted(LATER)

    assert after == replace(
        before, pending_since=LATER, state=ScheduleState.DELETING, change_token=after.change_token
    )
    assert after.reserved_names == {"n"}
    assert (after.counts_toward_quota, after.should_have_timer) == (True, False)


def test_rolled_back_schedule_reserves_nothing() -> None:
    after = schedule(name="n", held_name="former").rolled_back(LATER)

    assert after.pending_since == LATER
    assert after.state is ScheduleState.ROLLED_BACK
    assert after.reserved_names == frozenset()
    assert (after.counts_toward_quota, after.should_have_timer) == (False, False)


@pytest.mark.parametrize(
    ("state", "enabled", "expected"),
    [
        (ScheduleState.ACTIVE, True, True),
        (ScheduleState.ACTIVE, False, False),
        (ScheduleState.DELETING, True, False),
        (ScheduleState.ROLLED_BACK, True, False),
    ],
)
def test_active_enabled_schedule_should_have_a_timer(
    state: ScheduleState, enabled: bool, expected: bool
) -> None:
    assert schedule(state=state, enabled=enabled).should_have_timer is expected


@pytest.mark.parametrize(
    ("state", "counts"),
    [(ScheduleState.ACTIVE, True), (ScheduleState.DELETING, True), (ScheduleState.ROLLED_BACK, False)],
)
def test_schedule_counts_until_its_row_is_deleted(state: ScheduleState, counts: bool) -> None:
    assert schedule(state=state).counts_toward_quota is counts


def test_failed_change_is_rolled_back_and_none_of_its_numbers_reused() -> None:
    before = schedule(name="old", revision=4, timer_revision=2, last_timer_revision=2)
    failed = before.with_definition(definition(name="new", cron="0 5 * * *"), LATER)

    rolled_back = before.rollback_to(failed, LATER + timedelta(seconds=5))

    assert rolled_back == replace(
        before,
        revision=6,
        last_timer_revision=3,
        pending_since=LATER + timedelta(seconds=5),
        change_token=rolled_back.change_token,
        changed_by="system",
    )
    assert rolled_back.reserved_names == {"old"}
    next_change = rolled_back.with_definition(definition(cron="0 6 * * *"), LATER)
    assert (next_change.revision, next_change.timer_revision) == (7, 4)


def test_rollback_to_a_pending_state_keeps_the_time_since_when_it_is_pending() -> None:
    before = schedule(pending_since=NOW)

    rolled_back = before.rollback_to(before.with_definition(definition(payload="[]"), LATER), LATER)

    assert rolled_back.pending_since == NOW


def test_failed_delete_is_rolled_back() -> None:
    before = schedule(revision=4, timer_revision=2, last_timer_revision=2)

    rolled_back = before.rollback_to(before.marked_deleted(LATER), LATER)

    assert rolled_back == replace(
        before,
        revision=5,
        pending_since=LATER,
        change_token=rolled_back.change_token,
        changed_by="system",
    )
    assert rolled_back.should_have_timer


def test_marking_an_active_schedule_synced_clears_pending() -> None:
    pending = schedule(pending_since=NOW, held_name="former", revision=3)

    assert pending.synced() == replace(pending, pending_since=None, held_name=None)


@pytest.mark.parametrize("state", [ScheduleState.DELETING, ScheduleState.ROLLED_BACK])
def test_marking_a_deleted_schedule_synced_leaves_none(state: ScheduleState) -> None:
    assert schedule(state=state, pending_since=NOW).synced() is None


def test_every_change_has_its_own_token() -> None:
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
