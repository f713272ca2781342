from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from scheduling.domain.errors import CapabilityDenied, InstallNotFound, QuotaExceeded, RateLimited
from scheduling.domain.install import Install, Limits, check_quota, require_manageable, reserve_write

from tests.unit.builders import NOW, install

LIMITS = Limits()


def recent_writes(*seconds_ago: float) -> Mapping[int, datetime]:
    return {slot: NOW - timedelta(seconds=seconds) for slot, seconds in enumerate(seconds_ago)}


def measured_retry_after(full_install: Install, limits: Limits = LIMITS) -> int:
    with pytest.raises(RateLimited) as refused:
        reserve_write(full_install, limits, NOW)
    assert str(refused.value) == "Too many requests, please try again later"
    return refused.value.retry_after


@pytest.mark.parametrize(
    ("unmanageable", "error", "text"),
    [
        pytest.param(None, InstallNotFound, "Install not found", id="unknown"),
        pytest.param(install(enabled=False), InstallNotFound, "Install not found", id="disabled"),
        pytest.param(install(deleting=True), InstallNotFound, "Install not found", id="being deleted"),
        pytest.param(
            install(granted_capabilities=frozenset({"cap:http.fetch"})),
            CapabilityDenied,
            "Capability not granted: cap:scheduler.manage",
            id="not granted",
        ),
        pytest.param(
            install(granted_capabilities=frozenset(), enabled=False),
            InstallNotFound,
            "Install not found",
            id="disabled and not granted",
        ),
    ],
)
def test_unmanageable_install_is_refused(
    unmanageable: Install | None, error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as refused:
        require_manageable(unmanageable)

    assert str(refused.value) == text


def test_manageable_install_is_returned() -> None:
    manageable = install()

    assert require_manageable(manageable) is manageable


@pytest.mark.parametrize(
    ("enabled", "deleting", "active"),
    [(True, False, True), (False, False, False), (True, True, False), (False, True, False)],
    ids=["enabled", "disabled", "being deleted", "neither"],
)
def test_an_install_is_active_while_enabled_and_not_being_deleted(
    enabled: bool, deleting: bool, active: bool
) -> None:
    assert install(enabled=enabled, deleting=deleting).active is active


@pytest.mark.parametrize("count", [0, 49])
def test_quota_allows_a_schedule_below_fifty(count: int) -> None:
    check_quota(install(schedule_count=count), LIMITS)


@pytest.mark.parametrize("count", [50, 51])
def test_quota_refuses_a_schedule_from_fifty_on(count: int) -> None:
    with pytest.raises(QuotaExceeded) as refused:
        check_quota(install(schedule_count=count), LIMITS)

    assert str(refused.value) == "Too many schedules (max 50 per extension install)"


def test_the_quota_is_a_parameter() -> None:
    limits = Limits(max_schedules_per_install=3)

    check_quota(install(schedule_count=2), limits)
    with pytest.raises(QuotaExceeded, match=r"^Too many schedules \(max 3 per extension install\)$"):
        check_quota(install(schedule_count=3), limits)


def test_reservation_contains_its_conditions() -> None:
    reservation = reserve_write(install(generation=7), Limits(max_schedules_per_install=3), NOW)

    assert reservation.generation == 7
    assert reservation.reserved_at == NOW
    assert reservation.max_schedules == 3
    assert reservation.slot in range(10)


def test_ten_writes_are_accepted_and_an_eleventh_is_not() -> None:
    current = install()
    for _ in range(10):
        slot = reserve_write(current, LIMITS, NOW).slot
        assert slot not in current.writes
        current = install(writes={**current.writes, slot: NOW})

    assert measured_retry_after(current) == 60


@pytest.mark.parametrize(
    ("oldest", "seconds"),
    [
        pytest.param(0, 60, id="a moment ago"),
        pytest.param(1, 59, id="a second ago"),
        pytest.param(0.000001, 60, id="a microsecond ago"),
        pytest.param(59, 1, id="a second left"),
        pytest.param(58.999999, 2, id="a microsecond more than a second left"),
        pytest.param(59.000001, 1, id="a microsecond less than a second left"),
        pytest.param(59.999999, 1, id="a microsecond left"),
        pytest.param(-5, 65, id="by a clock ahead of this one"),
    ],
)
def test_retry_after_is_when_the_oldest_write_leaves_the_window(oldest: float, seconds: int) -> None:
    full = install(writes=recent_writes(*[min(oldest, 0)] * 9, oldest))

    assert measured_retry_after(full) == seconds
    reserve_write(full, LIMITS, NOW + timedelta(seconds=seconds))


def test_retry_after_is_exact() -> None:
    full = install(writes=recent_writes(*range(30, 40)))

    seconds = measured_retry_after(full)

    assert seconds == 21
    with pytest.raises(RateLimited):
        reserve_write(full, LIMITS, NOW + timedelta(seconds=seconds, microseconds=-1))
    assert reserve_write(full, LIMITS, NOW + timedelta(seconds=seconds)).slot == 9


@pytest.mark.parametrize(
    ("age", "slot"),
    [(60, 4), (60.000001, 4), (3600, 4)],
    ids=["60 s", "a microsecond more", "an hour"],
)
def test_slot_is_free_again_after_exactly_60_seconds(age: float, slot: int) -> None:
    current = install(writes=recent_writes(*[10] * 4, age, *[10] * 5))

    assert reserve_write(current, LIMITS, NOW).slot == slot


def test_the_free_slots_are_chosen_from_at_random() -> None:
    current = install(writes=recent_writes(*[10] * 8))

    assert {reserve_write(current, LIMITS, NOW).slot for _ in range(200)} == {8, 9}


def test_a_single_write_a_minute_can_be_set() -> None:
    limits = Limits(writes_per_minute=1)

    assert reserve_write(install(), limits, NOW).slot == 0
    assert measured_retry_after(install(writes=recent_writes(15)), limits) == 45


@pytest.mark.parametrize("limit", [64, 65, 1000, 100_000])
def test_a_large_limit_is_filled_to_its_last_slot(limit: int) -> None:
    limits = Limits(writes_per_minute=limit)
    all_but_last = dict.fromkeys(range(limit - 1), NOW - timedelta(seconds=15))

    slot = reserve_write(install(), limits, NOW).slot
    assert slot is not None
    assert slot < limit
    assert reserve_write(install(writes=all_but_last), limits, NOW).slot == limit - 1
    assert measured_retry_after(install(writes={**all_but_last, limit - 1: NOW}), limits) == 45


def test_lowered_limit_applies_immediately() -> None:
    full_of_twenty = install(writes=recent_writes(*range(1, 21)))

    assert measured_retry_after(full_of_twenty) == 50
