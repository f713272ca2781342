from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from scheduling.domain.schedule import Life

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
    assert definition(**after).same_timer(definition(**before)) is same
    assert definition(**before).same_timer(definition(**after)) is same


def test_an_endpoint_is_named_by_method_and_path() -> None:
    assert definition(endpoint_method="GET", endpoint_path="/a").endpoint == "GET /a"


def test_a_new_schedule_is_of_revision_one() -> None:
    made = schedule()

    assert (made.revision, made.timer_revision, made.pending, made.life) == (1, 1, False, Life.ACTIVE)


def test_a_change_that_no_timer_follows_leaves_it_settled() -> None:
    before = schedule(name="old", revision=4, timer_revision=2, last_timer_revision=3)

    after = before.redefined(definition(name="new", payload="[]"), LATER)

    assert after == replace(
        before,
        definition=definition(name="new", payload="[]"),
        revision=5,
        change_token=after.change_token,
    )
    assert not after.pending
    assert after.names == {"new"}


def test_a_change_that_the_timer_follows_is_pending_under_a_number_never_used() -> None:
    before = schedule(revision=4, timer_revision=2, last_timer_revision=3)

    after = before.redefined(definition(cron="0 5 * * *"), LATER)

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

    after = before.touched(LATER)

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
    after = schedule(name=old).redefined(definition(name=new, cron="0 5 * * *"), LATER)

    assert after.names == held
    settled = after.settled()
    assert settled is not None
    assert settled.names == {name for name in (new,) if name}


def test_a_removed_schedule_holds_its_name_and_place_and_is_not_due() -> None:
    before = schedule(name="n", revision=4, timer_revision=2)

    after = before.removed(LATER)

    assert after == replace(before, pending_since=LATER, life=Life.REMOVING, change_token=after.change_token)
    assert after.names == {"n"}
    assert (after.counted, after.due) == (True, False)


def test_a_withdrawn_schedule_holds_nothing() -> None:
    after = schedule(name="n", held_name="former").withdrawn(LATER)

    assert after.pending_since == LATER
    assert after.life is Life.WITHDRAWN
    assert after.names == frozenset()
    assert (after.counted, after.due) == (False, False)


@pytest.mark.parametrize(
    ("life", "enabled", "due"),
    [
        (Life.ACTIVE, True, True),
        (Life.ACTIVE, False, False),
        (Life.REMOVING, True, False),
        (Life.WITHDRAWN, True, False),
    ],
)
def test_an_active_enabled_schedule_is_due(life: Life, enabled: bool, due: bool) -> None:
    assert schedule(life=life, enabled=enabled).due is due


@pytest.mark.parametrize(
    ("life", "counted"), [(Life.ACTIVE, True), (Life.REMOVING, True), (Life.WITHDRAWN, False)]
)
def test_a_schedule_counts_until_it_is_gone(life: Life, counted: bool) -> None:
    assert schedule(life=life).counted is counted


def test_a_failed_change_is_undone_and_its_number_never_used_again() -> None:
    before = schedule(name="old", revision=4, timer_revision=2, last_timer_revision=2)
    failed = before.redefined(definition(name="new", cron="0 5 * * *"), LATER)

    restored = before.restored_over(failed, LATER + timedelta(seconds=5))

    assert restored == replace(
        before,
        last_timer_revision=3,
        pending_since=LATER + timedelta(seconds=5),
        change_token=restored.change_token,
        changed_by="system",
    )
    assert restored.names == {"old"}
    assert restored.redefined(definition(cron="0 6 * * *"), LATER).timer_revision == 4


def test_a_failed_removal_is_undone() -> None:
    before = schedule(revision=4, timer_revision=2, last_timer_revision=2)

    restored = before.restored_over(before.removed(LATER), LATER)

    assert restored == replace(
        before, pending_since=LATER, change_token=restored.change_token, changed_by="system"
    )
    assert restored.due


def test_settling_an_active_schedule_ends_its_pending() -> None:
    pending = schedule(pending_since=NOW, held_name="former", revision=3)

    assert pending.settled() == replace(pending, pending_since=None, held_name=None)


@pytest.mark.parametrize("life", [Life.REMOVING, Life.WITHDRAWN])
def test_settling_a_deleted_schedule_leaves_none(life: Life) -> None:
    assert schedule(life=life, pending_since=NOW).settled() is None


def test_every_change_has_a_token_of_its_own() -> None:
    before = schedule()
    changes = [
        before,
        before.redefined(definition(name="new"), LATER),
        before.redefined(definition(cron="0 5 * * *"), LATER),
        before.removed(LATER),
        before.withdrawn(LATER),
        before.touched(LATER),
        before.restored_over(before.removed(LATER), LATER),
    ]

    assert len({changed.change_token for changed in changes}) == len(changes)
