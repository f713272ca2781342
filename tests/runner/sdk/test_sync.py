"""`host.scheduler.sync`: declared schedules, with the fake host."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from extension_sdk import DesiredSchedule, QuotaExceeded, ScheduleRejected, SyncReport
from extension_sdk.schedules import Json
from extension_sdk.sync import NAME_TAKEN_TEXT, RATE_LIMITED_TEXT, are_equal_values
from extension_sdk.testing import FakeHost, FakeScheduler
from extension_sdk_rules.errors import NameTaken, RateLimited

MANIFEST = {
    "capabilities": ["cap:scheduler.manage"],
    "api": {
        "endpoints": [
            {"method": method, "path": path, "handler": "run"}
            for method, path in (("POST", "/api/run"), ("GET", "/api/both"), ("POST", "/api/both"))
        ]
    },
}
DAILY = DesiredSchedule("daily", "POST /api/run", "0 9 * * MON", timezone="Europe/Berlin", payload={"n": [1]})


@pytest.fixture
def now() -> list[datetime]:
    return [datetime(2026, 11, 23, 9, tzinfo=UTC)]


@pytest.fixture
def scheduler(now: list[datetime]) -> FakeScheduler:
    return FakeHost(MANIFEST, clock=lambda: now[0]).scheduler


def changes(report: SyncReport) -> dict[str, Json]:
    """Return what is not empty."""
    return {name: value for name, value in report.as_json().items() if value}


def test_declared_schedules_are_created_once(scheduler: FakeScheduler) -> None:
    assert changes(scheduler.sync([DAILY])) == {"created": ["daily"]}
    before = scheduler.list()
    assert changes(scheduler.sync([DAILY])) == {"unchanged": ["daily"]}
    assert scheduler.list() == before


@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        pytest.param({"cron": "0 10 * * *"}, {"cron": "0 10 * * *"}, id="cron"),
        pytest.param({"timezone": "Asia/Tokyo"}, {"timezone": "Asia/Tokyo"}, id="timezone"),
        pytest.param({"timezone": ""}, {"timezone": "UTC"}, id="no timezone"),
        pytest.param({"enabled": False}, {"enabled": False}, id="enabled"),
        pytest.param({"payload": {"n": [True]}}, {"payload": {"n": [True]}}, id="payload: true is not 1"),
        pytest.param({"payload": None}, {"payload": None}, id="no payload"),
        pytest.param(
            {"endpoint": "GET /api/both"},
            {"endpoint_method": "GET", "endpoint_path": "/api/both"},
            id="endpoint",
        ),
        pytest.param(
            {"endpoint": "/api/both"},
            {"endpoint_method": "POST", "endpoint_path": "/api/both"},
            id="bare endpoint",
        ),
    ],
)
def test_what_differs_is_updated(
    fields: dict[str, Any], stored: dict[str, Any], scheduler: FakeScheduler
) -> None:
    scheduler.sync([DAILY])
    (before,) = scheduler.list()
    desired = [replace(DAILY, **fields)]
    assert changes(scheduler.sync(desired, dry_run=True)) == {"updated": ["daily"]}
    assert scheduler.list() == (before,)
    assert changes(scheduler.sync(desired)) == {"updated": ["daily"]}
    assert scheduler.list() == (replace(before, **stored),)
    assert changes(scheduler.sync(desired)) == {"unchanged": ["daily"]}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"endpoint": "post //api/run"}, id="endpoint"),
        pytest.param({"endpoint": "/api/run"}, id="bare endpoint"),
        pytest.param({"cron": "0  9 * *\tmon"}, id="cron"),
        pytest.param({"timezone": "europe/berlin"}, id="timezone"),
        pytest.param({"payload": {"n": (1.0,)}}, id="payload"),
        pytest.param({"name": " daily "}, id="name"),
    ],
)
def test_the_same_in_other_words_is_unchanged(fields: dict[str, Any], scheduler: FakeScheduler) -> None:
    scheduler.sync([DAILY])
    assert changes(scheduler.sync([replace(DAILY, **fields)])) == {"unchanged": ["daily"]}


def test_enabled_is_left_alone_unless_declared(scheduler: FakeScheduler) -> None:
    scheduler.sync([DAILY])
    scheduler.update(scheduler.list()[0].id, enabled=False).raise_for_error()
    assert changes(scheduler.sync([DAILY])) == {"unchanged": ["daily"]}
    assert changes(scheduler.sync([replace(DAILY, enabled=True)])) == {"updated": ["daily"]}
    assert scheduler.list()[0].enabled


def test_prune_deletes_what_has_another_name(scheduler: FakeScheduler) -> None:
    scheduler.create("POST /api/run", "0 1 * * *").raise_for_error()
    scheduler.create("POST /api/run", "0 2 * * *", name="old").raise_for_error()
    assert changes(scheduler.sync([DAILY])) == {"created": ["daily"]}
    assert changes(scheduler.sync([DAILY], prune=True, dry_run=True)) == {
        "unchanged": ["daily"],
        "deleted": ["old"],
    }
    assert changes(scheduler.sync([DAILY], prune=True)) == {"unchanged": ["daily"], "deleted": ["old"]}
    assert [schedule.name for schedule in scheduler.list()] == [None, "daily"]


def test_prune_makes_room(scheduler: FakeScheduler) -> None:
    scheduler.limits = replace(scheduler.limits, max_schedules_per_install=1)
    scheduler.sync([replace(DAILY, name="old")])
    assert changes(scheduler.sync([DAILY], prune=True)) == {"created": ["daily"], "deleted": ["old"]}


@pytest.mark.parametrize("reasons", [True, False])
def test_sync_stops_at_the_limit_and_finishes_later(
    reasons: bool, scheduler: FakeScheduler, now: list[datetime]
) -> None:
    scheduler.reasons = reasons
    names = [f"s{number}" for number in range(12)]
    desired = [replace(DAILY, name=name) for name in names]
    report = scheduler.sync(desired)
    assert changes(report) == {"created": names[:10], "remaining": names[10:]}
    assert not report.complete
    report.raise_for_error()  # nothing is refused
    now[0] += timedelta(minutes=1)
    report = scheduler.sync(desired)
    assert changes(report) == {"unchanged": names[:10], "created": names[10:]}
    assert report.complete


def test_refused_schedule_does_not_stop_the_others(scheduler: FakeScheduler) -> None:
    report = scheduler.sync([replace(DAILY, name="wrong", cron="* * * * *"), DAILY])
    text = "Cron too frequent (minimum interval is 5 minutes)"
    assert changes(report) == {"created": ["daily"], "refused": {"wrong": text}}
    assert not report.complete
    with pytest.raises(ScheduleRejected, match="too frequent"):
        report.raise_for_error()


def test_concurrently_created_schedule_is_unchanged(
    scheduler: FakeScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler.sync([DAILY])
    monkeypatch.setattr(FakeScheduler, "list", lambda _self: ())
    assert changes(scheduler.sync([DAILY])) == {"unchanged": ["daily"]}


def test_unavailable_scheduler_raises(scheduler: FakeScheduler) -> None:
    scheduler.fail_with("quota-exceeded")
    with pytest.raises(QuotaExceeded):
        scheduler.sync([DAILY])


@pytest.mark.parametrize(
    ("names", "text"),
    [((" ",), "a declared schedule needs a name"), (("a", "a "), "schedule 'a' is declared twice")],
)
def test_names_identify(names: tuple[str, ...], text: str, scheduler: FakeScheduler) -> None:
    with pytest.raises(ValueError, match=text):
        scheduler.sync([replace(DAILY, name=name) for name in names])
    assert scheduler.list() == ()


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (2.50, 2.5, True),
        (1, 1.0, True),
        (True, 1, False),
        (False, None, False),
        ("1", 1, False),
        ([1, [None]], [1, [None]], True),
        ([1], [1, 2], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({}, [], False),
    ],
)
def test_payloads_compare_as_json(left: Json, right: Json, equal: bool) -> None:
    assert are_equal_values(left, right) is equal
    assert are_equal_values(right, left) is equal


def test_texts_are_the_services() -> None:
    assert str(RateLimited(1)) == RATE_LIMITED_TEXT
    assert str(NameTaken()) == NAME_TAKEN_TEXT
