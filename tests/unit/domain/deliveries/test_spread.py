"""The window after its scheduled time within which a schedule fires, and what counts from its end."""

from dataclasses import replace
from datetime import timedelta

import pytest
from scheduling.domain.deliveries.decision import (
    Decision,
    Execute,
    ExecuteNewest,
    ExecuteNominal,
    OccurrenceState,
    Skip,
    decide_delivery,
)
from scheduling.domain.deliveries.delivery import Delivery, DeliveryResult
from scheduling.domain.deliveries.spread import find_spread, spread_minutes
from scheduling.domain.fire_events import FireEvent
from scheduling.domain.install import Limits
from scheduling.domain.runs import Fire, Run, RunStatus, SkipReason, Trigger
from scheduling.domain.schedule import Schedule

from tests.unit.builders import NOW, fire, install, schedule

HOURLY = schedule(cron="0 * * * *", spread_minutes=15, timer_since=NOW - timedelta(days=1))
STALE = Skip(SkipReason.STALE_REVISION, "The schedule no longer fires at this time")
MANUAL = fire(trigger=Trigger.MANUAL, scheduled_time="2026-11-23T09:07:00.000Z")


@pytest.mark.parametrize(
    ("row", "default", "minutes"),
    [
        pytest.param(schedule(), 0, 0, id="none"),
        pytest.param(schedule(), 15, 15, id="the stack's"),
        pytest.param(schedule(spread_minutes=0), 15, 0, id="none of its own"),
        pytest.param(schedule(spread_minutes=60), 15, 60, id="its own"),
        pytest.param(schedule(cron="*/10 * * * *"), 15, 9, id="the stack's, cut to fit the rule"),
        pytest.param(schedule(cron="* * * * *"), 15, 0, id="no room in the rule"),
        pytest.param(schedule(cron="0 * * * *", spread_minutes=60), 0, 59, id="its own, of a changed row"),
        pytest.param(schedule(cron="at(2026-12-24T09:00)"), 60, 60, id="one-time"),
        pytest.param(schedule(cron="0 9 L * *"), 15, 0, id="a rule of another release"),
        pytest.param(schedule(spread_minutes=15, unreadable="cron is missing"), 15, 0, id="unreadable"),
    ],
)
def test_a_spread_is_less_than_the_smallest_gap(row: Schedule, default: int, minutes: int) -> None:
    assert spread_minutes(row, Limits(default_spread_minutes=default)) == minutes


def decide(of: Fire, *, minute: int, row: Schedule = HOURLY, run: Run | None = None) -> Decision:
    now = NOW + timedelta(minutes=minute)
    delivery = Delivery(event=FireEvent(fire=of), accepted_at=now)
    return decide_delivery(delivery, OccurrenceState(install=install(), schedule=row, run=run), Limits(), now)


@pytest.mark.parametrize(
    ("minute", "expected"),
    [
        pytest.param(0, Execute(), id="at its time"),
        pytest.param(15, Execute(), id="at the end of its window"),
        pytest.param(74, Execute(), id="while the next one is in its window"),
        pytest.param(75, ExecuteNewest("2026-11-23T10:00:00Z"), id="once the next one's window is over"),
    ],
)
def test_an_occurrence_is_superseded_once_the_window_of_a_newer_one_is_over(
    minute: int, expected: Decision
) -> None:
    assert decide(fire(), minute=minute) == expected


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        pytest.param(fire(), Execute(), id="the time of the rule"),
        pytest.param(
            fire(scheduled_time="2026-11-23T09:00:30Z"), ExecuteNominal("2026-11-23T09:00:00Z"), id="seconds"
        ),
        pytest.param(
            fire(scheduled_time="2026-11-23T09:15:00Z"), ExecuteNominal("2026-11-23T09:00:00Z"), id="its end"
        ),
        pytest.param(fire(scheduled_time="2026-11-23T09:15:01Z"), Execute(), id="beyond it"),
        pytest.param(
            fire(scheduled_time="2026-11-23T09:07:00Z", timer_revision=0), STALE, id="another timer"
        ),
        pytest.param(MANUAL, Execute(), id="manual"),
    ],
)
def test_an_occurrence_is_named_by_the_time_of_its_rule(of: Fire, expected: Decision) -> None:
    assert decide(of, minute=15) == expected


def test_a_message_within_the_window_and_the_hour_after_it_is_no_redrive() -> None:
    row = replace(HOURLY, definition=replace(HOURLY.definition, cron="0 9 * * *", spread_minutes=60))
    dead = Run(
        scheduled_time="2026-11-23T09:00:00Z",
        status=RunStatus.ERROR,
        attempt=3,
        started_at=NOW,
        retryable=True,
    )
    assert decide(fire(), minute=135, row=row, run=dead) != Execute()
    assert decide(fire(), minute=136, row=row, run=dead) == Execute()


@pytest.mark.parametrize(
    ("row", "minute", "lateness"),
    [(schedule(), 7, 7), (schedule(), -1, -1), (HOURLY, 15, 0), (HOURLY, 17, 2)],
    ids=["without spread", "early", "in the window", "after it"],
)
def test_lateness_counts_from_the_end_of_the_window(row: Schedule, minute: int, lateness: int) -> None:
    now = NOW + timedelta(minutes=minute)
    delivery = Delivery(event=FireEvent(fire=fire()), accepted_at=now)
    result = DeliveryResult(delivery=delivery, delivered_at=now, spread=find_spread(row, Limits()))
    assert result.lateness == timedelta(minutes=lateness)
