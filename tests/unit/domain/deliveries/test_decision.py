"""The table of what becomes of a delivery, whichever message it is and whatever has happened before."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from scheduling.domain.deliveries.decision import (
    Acknowledge,
    Decision,
    Execute,
    ExecuteNewest,
    GiveUp,
    OccurrenceState,
    Skip,
    Wait,
    close_unrun,
    decide_delivery,
)
from scheduling.domain.deliveries.delivery import Delivery
from scheduling.domain.fire_events import FireEvent
from scheduling.domain.install import CatchUp, Limits
from scheduling.domain.runs import Fire, Run, RunStatus, SkipReason, Trigger
from scheduling.domain.schedule import ScheduleState

from tests.unit.builders import NOW, fire, install, schedule

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
TIME = "2026-11-23T09:00:00Z"
COPY = Acknowledge(SkipReason.DUPLICATE)
MANUAL = fire(trigger=Trigger.MANUAL, scheduled_time="2026-11-23T09:00:00.000Z")
BACKFILL = fire(trigger=Trigger.BACKFILL)
DISABLED = Skip(SkipReason.DISABLED, "The schedule was disabled, its install, or its tenant paused")
OVERLAP = Skip(SkipReason.OVERLAP, "The previous run was still under way")
HOURLY: dict[str, Any] = {"cron": "0 * * * *", "timer_since": NOW - 24 * HOUR}
OTHER: dict[str, Any] = {"running_occurrence": "2026-11-23T08:00:00Z", "lease_expires_at": NOW + 78 * SECOND}


def build_delivery(
    fire: Fire = fire(),  # noqa: B008 - immutable
    *,
    token: str | None = None,
    first_sent_at: datetime | None = None,
    sent_at: datetime | None = None,
    accepted_at: datetime = NOW,
) -> Delivery:
    event = FireEvent(fire=fire, first_sent_at=first_sent_at, sent_at=sent_at, wait_token=token)
    return Delivery(event=event, accepted_at=accepted_at, group="tenant-1")


def run(**fields: Any) -> Run:
    default = Run(scheduled_time=TIME, status=RunStatus.ERROR, attempt=1, started_at=NOW)
    return replace(default, **fields)


def decide(
    delivery: Delivery,
    before: Run | None = None,
    *,
    now: datetime = NOW,
    catch_up: CatchUp = CatchUp.LATEST,
    of_install: dict[str, Any] | None = None,
    **of_schedule: Any,
) -> Decision:
    state = OccurrenceState(
        install=install(**(of_install or {})), schedule=schedule(**of_schedule), run=before
    )
    return decide_delivery(delivery, state, Limits(catch_up=catch_up), now)


FINISHED = [
    pytest.param(run(status=RunStatus.SUCCESS), id="success"),
    pytest.param(run(status=RunStatus.SKIPPED, attempt=0), id="skipped"),
    pytest.param(run(retryable=False), id="refused"),
    pytest.param(run(retryable=True, attempt=3), id="third attempt failed"),
]
RUNNING = run(status=RunStatus.RUNNING, lease_expires_at=NOW + SECOND)
DEAD = replace(RUNNING, lease_expires_at=NOW)
WAITING = run(status=RunStatus.WAITING, attempt=0, wait_token="named", not_before=NOW)
BETWEEN_ATTEMPTS = run(retryable=True, wait_token="named", not_before=NOW)


class TestFirstDelivery:
    def test_is_run(self) -> None:
        assert decide(build_delivery()) == Execute()

    @pytest.mark.parametrize("state", [ScheduleState.DELETING, ScheduleState.ROLLED_BACK])
    def test_of_a_deleted_schedule_is_acknowledged(self, state: ScheduleState) -> None:
        assert decide(build_delivery(), state=state) == Acknowledge(SkipReason.UNKNOWN_SCHEDULE)

    def test_of_no_schedule_or_install_is_acknowledged(self) -> None:
        for state in (
            OccurrenceState(install=install(), schedule=None, run=None),
            OccurrenceState(install=None, schedule=schedule(), run=None),
        ):
            assert decide_delivery(build_delivery(), state, Limits(), NOW) == Acknowledge(
                SkipReason.UNKNOWN_SCHEDULE
            )

    @pytest.mark.parametrize(
        ("of_install", "of_schedule", "expected"),
        [
            pytest.param({"enabled": False}, {}, DISABLED, id="install disabled"),
            pytest.param({"paused": True}, {}, DISABLED, id="tenant paused"),
            pytest.param({"deleting": True}, {}, DISABLED, id="install being deleted"),
            pytest.param({}, {"enabled": False}, DISABLED, id="schedule disabled"),
            pytest.param(
                {"removed_endpoints": frozenset({"POST /api/sync"})}, {}, DISABLED, id="endpoint removed"
            ),
            pytest.param(
                {"granted_capabilities": frozenset()},
                {},
                Skip(SkipReason.CAPABILITY_REVOKED, "The install no longer has cap:scheduler.manage"),
                id="capability revoked",
            ),
            pytest.param(
                {},
                {"timer_revision": 2, "cron": "30 9 * * *"},
                Skip(SkipReason.STALE_REVISION, "The schedule no longer fires at this time"),
                id="another rule without that time",
            ),
            pytest.param(
                {},
                {"timer_revision": 2, "timezone": "Asia/Tokyo"},
                Skip(SkipReason.STALE_REVISION, "The schedule no longer fires at this time"),
                id="another zone without that time",
            ),
            pytest.param(
                {},
                {"timer_revision": 2, "cron": "0 9 L * *"},
                Skip(SkipReason.STALE_REVISION, "The schedule no longer fires at this time"),
                id="a rule that this release cannot read",
            ),
            pytest.param({}, {"timer_revision": 2, "cron": "0,30 9 * * *"}, Execute(), id="that time too"),
            pytest.param({}, {"timer_revision": 2, "cron": "00 9 * * *"}, Execute(), id="in other words"),
            pytest.param(
                {}, {"timer_revision": 2, "cron": "0 18 * * *", "timezone": "Asia/Tokyo"}, Execute(),
                id="the same moment in another zone",
            ),
        ],
    )  # fmt: skip
    def test_that_can_never_run_is_skipped_with_its_reason(
        self, of_install: dict[str, Any], of_schedule: dict[str, Any], expected: Decision
    ) -> None:
        assert decide(build_delivery(), of_install=of_install, **of_schedule) == expected

    def test_of_a_manual_run_has_no_rule(self) -> None:
        assert decide(build_delivery(MANUAL), timer_revision=2, cron="30 9 * * *") == Execute()


class TestBackfill:
    """Deliveries of the message of a backfill, whose row names it by its token until its first attempt."""

    @pytest.mark.parametrize(
        ("replay", "before", "expected"),
        [
            pytest.param(False, WAITING, Execute(), id="first delivery"),
            pytest.param(True, replace(WAITING, attempt=3), Execute(), id="first after three attempts"),
            pytest.param(False, DEAD, Execute(), id="first attempt died"),
            pytest.param(False, run(status=RunStatus.SUCCESS), COPY, id="succeeded"),
            pytest.param(True, run(status=RunStatus.SUCCESS), COPY, id="succeeded after a failure"),
            pytest.param(True, run(status=RunStatus.SKIPPED), COPY, id="skipped"),
            pytest.param(True, run(), COPY, id="failed again"),
            pytest.param(True, run(attempt=4, wait_token="dead letter"), COPY, id="dead-lettered again"),
            pytest.param(False, replace(WAITING, wait_token="newer"), COPY, id="newer backfill"),
        ],
    )
    def test_runs_once(self, replay: bool, before: Run, expected: Decision) -> None:
        delivery = build_delivery(replace(BACKFILL, replay=replay), token="named", sent_at=NOW)
        assert decide(delivery, before) == expected

    def test_the_replay_of_its_dead_letter_runs(self) -> None:
        before = run(attempt=4, wait_token="dead letter")
        for token in (None, "dead letter"):
            delivery = build_delivery(replace(BACKFILL, replay=True), token=token, sent_at=NOW)
            assert decide(delivery, before) == Execute()

    def test_the_message_of_the_timer_gives_way(self) -> None:
        assert decide(build_delivery(), WAITING) == COPY


class TestRowOfTheOccurrence:
    def test_unreadable_one_is_never_run_again(self) -> None:
        damaged = run(retryable=True, unreadable="attempt is malformed")
        assert decide(build_delivery(), damaged) == COPY
        assert decide(build_delivery(fire(replay=True)), damaged) == COPY

    @pytest.mark.parametrize("before", FINISHED)
    def test_finished_one_is_acknowledged(self, before: Run) -> None:
        assert decide(build_delivery(), before) == COPY

    def test_missed_one_is_run_late(self) -> None:
        assert decide(build_delivery(), run(status=RunStatus.MISSED, attempt=0)) == Execute()

    def test_live_lease_is_waited_for(self) -> None:
        assert decide(build_delivery(), RUNNING) == Wait(NOW + SECOND, SkipReason.RUNNING)

    def test_live_lease_is_waited_for_though_the_schedule_is_disabled(self) -> None:
        assert decide(build_delivery(), RUNNING, enabled=False) == Wait(NOW + SECOND, SkipReason.RUNNING)

    def test_dead_attempt_is_taken_over(self) -> None:
        assert decide(build_delivery(), DEAD) == Execute()

    def test_attempt_without_a_lease_is_no_busy_loop(self) -> None:
        assert decide(build_delivery(), replace(RUNNING, lease_expires_at=None)) == Wait(
            NOW + 30 * SECOND, SkipReason.RUNNING
        )

    @pytest.mark.parametrize("enabled", [True, False])
    def test_third_attempt_that_died_is_given_up(self, enabled: bool) -> None:
        decision = decide(build_delivery(), replace(DEAD, attempt=3), enabled=enabled)
        assert decision == GiveUp("The function that ran it died")

    @pytest.mark.parametrize("before", [WAITING, BETWEEN_ATTEMPTS, replace(RUNNING, wait_token="named")])
    @pytest.mark.parametrize("token", [None, "another"])
    def test_message_that_the_row_does_not_name_is_a_copy(self, before: Run, token: str | None) -> None:
        assert decide(build_delivery(token=token), before) == COPY

    @pytest.mark.parametrize("before", [WAITING, BETWEEN_ATTEMPTS])
    def test_message_that_the_row_names_is_run_at_its_time(self, before: Run) -> None:
        assert decide(build_delivery(token="named"), before) == Execute()
        early = replace(before, not_before=NOW + 20 * MINUTE)
        assert decide(build_delivery(token="named"), early) == Wait(NOW + 20 * MINUTE, SkipReason.RUNNING)

    def test_message_may_be_a_second_early(self) -> None:
        before = replace(WAITING, not_before=NOW + SECOND)
        assert decide(build_delivery(token="named"), before) == Execute()

    def test_any_message_counts_where_the_row_names_none(self) -> None:
        assert (
            decide(build_delivery(token="unnamed"), replace(BETWEEN_ATTEMPTS, wait_token=None)) == Execute()
        )


class TestReplay:
    REPLAY = fire(replay=True)

    @pytest.mark.parametrize(
        "before",
        [
            pytest.param(None, id="none"),
            pytest.param(run(retryable=False), id="refused"),
            pytest.param(run(retryable=True, attempt=3), id="third attempt failed"),
            pytest.param(replace(DEAD, attempt=3), id="third attempt died"),
            pytest.param(run(status=RunStatus.MISSED, attempt=0), id="missed"),
            pytest.param(WAITING, id="waiting, its message overdue"),
            pytest.param(BETWEEN_ATTEMPTS, id="between its attempts, its message overdue"),
        ],
    )
    def test_of_what_has_not_succeeded_is_run(self, before: Run | None) -> None:
        assert decide(build_delivery(self.REPLAY), before) == Execute()

    @pytest.mark.parametrize(
        "before",
        [
            pytest.param(run(status=RunStatus.SUCCESS), id="success"),
            pytest.param(run(status=RunStatus.SKIPPED, attempt=0), id="skipped"),
            pytest.param(replace(WAITING, not_before=NOW + MINUTE), id="its message is on its way"),
        ],
    )
    def test_of_what_needs_none_is_acknowledged(self, before: Run) -> None:
        assert decide(build_delivery(self.REPLAY), before) == COPY

    def test_runs_once_for_each_dead_letter(self) -> None:
        failed = run(retryable=True, attempt=3, wait_token="dead letter")
        assert decide(build_delivery(self.REPLAY, token="dead letter"), failed) == Execute()
        failed_again = replace(failed, attempt=4, wait_token="second dead letter")
        assert decide(build_delivery(self.REPLAY, token="dead letter"), failed_again) == COPY

    @pytest.mark.parametrize("before", [None, run(retryable=True, attempt=3)])
    def test_never_gives_way_to_another_occurrence(self, before: Run | None) -> None:
        delivery = build_delivery(self.REPLAY)
        assert decide(delivery, before, now=NOW + 5 * HOUR, **HOURLY) == Execute()
        assert decide(delivery, before, **OTHER) == Wait(NOW + 30 * SECOND, SkipReason.OVERLAP)


class TestRedrive:
    """A message that SQS itself has moved, and that was redriven, has no mark of a replay."""

    REDRIVEN_AT = NOW + 2 * HOUR

    @pytest.mark.parametrize(
        "before",
        [
            pytest.param(run(retryable=True, attempt=3), id="failed"),
            pytest.param(replace(DEAD, attempt=3), id="dead"),
        ],
    )
    def test_of_a_dead_or_failed_run_is_a_replay(self, before: Run) -> None:
        redriven = build_delivery(accepted_at=self.REDRIVEN_AT)
        assert decide(redriven, before, now=self.REDRIVEN_AT) == Execute()

    @pytest.mark.parametrize("before", FINISHED[:2])
    def test_of_a_finished_run_is_acknowledged(self, before: Run) -> None:
        redriven = build_delivery(accepted_at=self.REDRIVEN_AT)
        assert decide(redriven, before, now=self.REDRIVEN_AT) == COPY

    def test_of_a_continuation_is_known_by_its_sender(self) -> None:
        failed = run(retryable=True, attempt=3)
        late = NOW + 30 * HOUR
        assert decide(build_delivery(sent_at=late, accepted_at=late), failed, now=late) == COPY
        assert decide(build_delivery(sent_at=NOW, accepted_at=late), failed, now=late) == Execute()

    def test_late_hand_over_by_eventbridge_is_none(self) -> None:
        late = build_delivery(accepted_at=NOW + HOUR)
        assert decide(late, run(retryable=True, attempt=3), now=NOW + HOUR) == COPY


class TestOverlap:
    def test_with_latest_is_skipped(self) -> None:
        assert decide(build_delivery(), **OTHER) == OVERLAP
        assert decide(build_delivery(MANUAL), **OTHER) == OVERLAP

    def test_with_a_newer_occurrence_is_superseded(self) -> None:
        newer = {**OTHER, "running_occurrence": "2026-11-23T10:00:00Z"}
        assert decide(build_delivery(), **newer) == Skip(
            SkipReason.SUPERSEDED, "Superseded by 2026-11-23T10:00:00Z"
        )
        manual = {**OTHER, "running_occurrence": "2026-11-23T10:00:00.000Z"}
        assert decide(build_delivery(), **manual) == OVERLAP

    def test_of_a_manual_run_with_a_later_one_is_no_replacement(self) -> None:
        later = {**OTHER, "running_occurrence": "2026-11-23T09:00:30.000Z"}
        assert decide(build_delivery(MANUAL), **later) == OVERLAP

    def test_of_a_backfill_waits(self) -> None:
        assert decide(build_delivery(BACKFILL), **OTHER) == Wait(NOW + 30 * SECOND, SkipReason.OVERLAP)

    @pytest.mark.parametrize("before", [DEAD, BETWEEN_ATTEMPTS])
    def test_of_what_had_an_attempt_waits(self, before: Run) -> None:
        assert decide(build_delivery(token="named"), before, **OTHER) == Wait(
            NOW + 30 * SECOND, SkipReason.OVERLAP
        )

    @pytest.mark.parametrize("fire", [fire(), MANUAL])
    def test_with_all_waits_no_longer_than_the_other_may_run(self, fire: Fire) -> None:
        decision = decide(build_delivery(fire), catch_up=CatchUp.ALL, **OTHER)
        assert decision == Wait(NOW + 30 * SECOND, SkipReason.OVERLAP)
        soon = {**OTHER, "lease_expires_at": NOW + 5 * SECOND}
        assert decide(build_delivery(fire), catch_up=CatchUp.ALL, **soon) == Wait(
            NOW + 5 * SECOND, SkipReason.OVERLAP
        )

    def test_with_all_is_given_up_after_the_maximum_wait(self) -> None:
        delivery = build_delivery(first_sent_at=NOW - 72 * HOUR)
        assert decide(delivery, WAITING_NAMELESS, catch_up=CatchUp.ALL, **OTHER) == GiveUp(
            "It waited for other runs of its schedule for 72 hours"
        )

    def test_is_over_when_the_lease_is(self) -> None:
        assert decide(build_delivery(), **{**OTHER, "lease_expires_at": NOW}) == Execute()

    def test_is_none_with_the_occurrence_itself(self) -> None:
        assert decide(build_delivery(), DEAD, **{**OTHER, "running_occurrence": TIME}) == Execute()


WAITING_NAMELESS = replace(WAITING, wait_token=None)


class TestCatchUp:
    def test_late_one_runs_the_newest_in_its_place(self) -> None:
        now = NOW + timedelta(hours=2, minutes=59)
        assert decide(build_delivery(), now=now, **HOURLY) == ExecuteNewest("2026-11-23T11:00:00Z")

    @pytest.mark.parametrize("before", [WAITING_NAMELESS, run(status=RunStatus.MISSED, attempt=0)])
    def test_so_does_one_that_has_only_waited(self, before: Run) -> None:
        assert decide(build_delivery(), before, now=NOW + HOUR, **HOURLY) == ExecuteNewest(
            "2026-11-23T10:00:00Z"
        )

    @pytest.mark.parametrize(
        ("fire", "before"),
        [
            pytest.param(fire(), run(retryable=True), id="had an attempt"),
            pytest.param(fire(), DEAD, id="died"),
            pytest.param(fire(), replace(WAITING_NAMELESS, attempt=1), id="had an attempt before it waited"),
            pytest.param(MANUAL, None, id="manual"),
            pytest.param(fire(replay=True), None, id="replay"),
            pytest.param(BACKFILL, None, id="backfill"),
        ],
    )
    def test_never_superseded(self, fire: Fire, before: Run | None) -> None:
        assert decide(build_delivery(fire), before, now=NOW + 5 * HOUR, **HOURLY) == Execute()

    def test_newest_one_runs_itself(self) -> None:
        assert decide(build_delivery(), now=NOW + 59 * MINUTE, **HOURLY) == Execute()

    def test_nothing_before_the_last_change_supersedes(self) -> None:
        now, changed_at = NOW + 3 * HOUR, NOW + timedelta(hours=2, seconds=1)
        rule = {**HOURLY, "timer_since": changed_at}
        assert decide(build_delivery(), now=now - SECOND, **rule) == Execute()
        assert decide(build_delivery(), now=now, **rule) == ExecuteNewest("2026-11-23T12:00:00Z")
        assert decide(build_delivery(), now=now - SECOND, **{**rule, "timer_since": NOW + 2 * HOUR}) == (
            ExecuteNewest("2026-11-23T11:00:00Z")
        )

    def test_one_of_an_earlier_rule_gives_way_to_the_present_rule(self) -> None:
        rule: dict[str, Any] = {"cron": "0,15 9 * * *", "timer_revision": 2, "timer_since": NOW}
        assert decide(build_delivery(), now=NOW + 20 * MINUTE, **rule) == ExecuteNewest(
            "2026-11-23T09:15:00Z"
        )

    def test_none_is_superseded_with_all(self) -> None:
        assert decide(build_delivery(), now=NOW + 5 * HOUR, catch_up=CatchUp.ALL, **HOURLY) == Execute()

    def test_rule_that_cannot_be_read_has_no_newer_one(self) -> None:
        assert decide(build_delivery(), now=NOW + 5 * HOUR, cron="0 9 L * *") == Execute()


@pytest.mark.parametrize(
    ("before", "status", "error"),
    [
        pytest.param(WAITING, RunStatus.SKIPPED, "reason", id="only waited"),
        pytest.param(run(status=RunStatus.MISSED, attempt=0), RunStatus.SKIPPED, "reason", id="missed"),
        pytest.param(replace(WAITING, attempt=2), RunStatus.ERROR, "reason", id="waited after attempts"),
        pytest.param(run(retryable=True, error="503"), RunStatus.ERROR, "503", id="failed before"),
        pytest.param(DEAD, RunStatus.ERROR, "The function that ran it died", id="died before"),
    ],
)
def test_run_that_can_never_continue_is_closed(before: Run, status: RunStatus, error: str) -> None:
    closed = close_unrun(before, Skip(SkipReason.DISABLED, "reason"))

    assert (closed.status, closed.error, closed.attempt) == (status, error, before.attempt)
    assert (closed.is_final, closed.wait_token, closed.lease_expires_at) == (True, None, None)
