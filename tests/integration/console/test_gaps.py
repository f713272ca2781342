"""The periods that a lane shades, from what the service records: by whom, from when to when, at every zoom."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from scheduling.domain.exact_json import Number
from scheduling.domain.runs import Run, RunStatus, Trigger, format_manual_time, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.maintenance.parts import sweep_install
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.update import update_schedule

from scheduling_admin.console.reads import read_lane
from scheduling_admin.console.svg.lane import describe_gap
from scheduling_admin.console.timeline.gaps import Gap, GapCause
from scheduling_admin.console.timeline.lanes import Lane
from scheduling_admin.console.timeline.marks import MarkKind
from scheduling_admin.console.timeline.window import TimeWindow
from tests.support.oracles.audit import Audit
from tests.support.stacks.admin_cli import execute_at
from tests.support.stacks.console import ConsoleClient
from tests.support.stacks.fires import execute_fire, fire_one_time
from tests.support.stacks.world import (
    BUS,
    GROUP,
    PUT_OPTIONS,
    TENANT,
    World,
    aws_client,
    create_input,
    registration_body,
    update_input,
)

ALICE = "admin:arn:aws:sts::123456789012:assumed-role/support/alice"
BOB = "admin:arn:aws:iam::123456789012:user/bob"
Publish = Callable[[], object]
Story = Callable[[World, Schedule, Publish], Schedule]


@pytest.fixture
def audit(world: World, audit: Audit) -> Audit:
    del world  # started before
    aws_client("events").create_event_bus(Name=BUS)
    return audit


def set_enabled(world: World, schedule: Schedule, *, enabled: bool, actor: str) -> None:
    update_schedule(
        world.services, schedule.install_id, schedule.id, update_input(enabled=enabled), actor=actor
    )


def at(world: World, text: str) -> None:
    world.clock[0] = datetime.fromisoformat(f"2026-11-23T{text}:00Z")


def stop(change: Callable[[World, Schedule, bool, str], object], *, again: bool) -> Story:
    """Stop at 10:30 and start at 12:30; with `again`, stop at 13:30 for good."""

    def play(world: World, schedule: Schedule, publish: Publish) -> Schedule:
        steps = [("10:30", False, ALICE), ("12:30", True, BOB), ("13:30", False, ALICE)]
        for time, active, actor in steps if again else steps[:2]:
            at(world, time)
            change(world, schedule, active, actor)
            publish()
        return schedule

    return play


def change_schedule(world: World, schedule: Schedule, active: bool, actor: str) -> None:
    set_enabled(world, schedule, enabled=active, actor=actor)


def change_install(world: World, schedule: Schedule, active: bool, actor: str) -> None:
    set_install_enabled(world.services, schedule.install_id, enabled=active, actor=actor)


def change_tenant(world: World, _: Schedule, active: bool, actor: str) -> None:
    set_tenant_paused(world.services, TENANT, paused=not active, actor=actor)


def change_grants(world: World, schedule: Schedule, active: bool, _: str) -> None:
    world.register_install(
        schedule.install_id, grantedCapabilities=["cap:scheduler.manage"] if active else []
    )


def fail_until_paused(world: World, schedule: Schedule, _: Publish) -> Schedule:
    update_schedule(
        world.services,
        schedule.install_id,
        schedule.id,
        update_input(pauseAfterFailures=Number("2")),
        actor=BOB,
    )
    for hour in (10, 11):
        execute_at(world, schedule, hour, status=RunStatus.ERROR, http_status=404, error="no")
    return schedule


def run_once(world: World, schedule: Schedule, _: Publish) -> Schedule:
    once = create_schedule(world.services, schedule.install_id, create_input(cron="at(2026-11-23T11:00)"))
    execute_fire(world.services, world.runner, fire_one_time(world, once))
    return once


def create_at_noon(world: World, schedule: Schedule, _: Publish) -> Schedule:
    at(world, "12:10")
    return create_schedule(world.services, schedule.install_id, create_input())


def create_disabled(world: World, schedule: Schedule, _: Publish) -> Schedule:
    at(world, "12:10")
    return create_schedule(world.services, schedule.install_id, create_input(enabled=False))


def lose_timer(world: World, schedule: Schedule, _: Publish) -> Schedule:
    execute_at(world, schedule, 10)
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=schedule.id)
    return schedule


def lose_endpoint(world: World, schedule: Schedule, _: Publish) -> Schedule:
    at(world, "11:10")
    manifest = {**registration_body()["manifest"], "version": "2.0.0", "api": {"endpoints": []}}
    options = replace(PUT_OPTIONS, disable_missing=True)
    world.put_install(schedule.install_id, options, versionId="version-2", manifest=manifest)
    return schedule


def repair_timer(world: World, schedule: Schedule, publish: Publish) -> Schedule:
    lose_timer(world, schedule, publish)
    at(world, "11:30")
    send_fire = world.services.queue.send_fire
    run_now(world.services, send_fire, schedule.install_id, schedule.id, None, actor=BOB)
    at(world, "13:20")
    sweep_install(world.services, schedule.install_id, Counter())
    return schedule


UNKNOWN_START = "It is drawn from the first occurrence without a run."
STOPPED = "from 10:30 to 12:30. {} was {} by support/alice, until a change by user/bob."
STORIES: dict[str, tuple[Story, list[str]]] = {
    "schedule": (
        stop(change_schedule, again=False),
        [f"Disabled, {STOPPED.format('The schedule', 'disabled')}"],
    ),
    "schedule, again": (
        stop(change_schedule, again=True),
        [
            f"Disabled, {STOPPED.format('The schedule', 'disabled')}",
            "Disabled, since 13:30. The schedule was disabled by support/alice.",
        ],
    ),
    "install, again": (
        stop(change_install, again=True),
        [
            f"Install disabled, {STOPPED.format('The install', 'disabled')}",
            "Install disabled, since 13:30. The install was disabled by support/alice.",
        ],
    ),
    "tenant, again": (
        stop(change_tenant, again=True),
        [
            f"Tenant paused, {STOPPED.format('The tenant', 'paused')}",
            "Tenant paused, since 13:30. The tenant was paused by support/alice.",
        ],
    ),
    "capability, again": (
        stop(change_grants, again=True),
        [
            "Not granted, from 10:30 to 12:30. The install was not granted cap:scheduler.manage by role/platform, "
            "until a change by role/platform.",
            "Not granted, since 13:30. The install was not granted cap:scheduler.manage by role/platform.",
        ],
    ),
    "paused after failures": (
        fail_until_paused,
        ["Disabled, since 11:00. The service has disabled the schedule: paused after failures."],
    ),
    "endpoint removed": (
        lose_endpoint,
        [
            "Disabled, since 11:10. The service has disabled the schedule: "
            "Version version-2 has no endpoint POST /api/sync."
        ],
    ),
    "one-time": (
        run_once,
        ["Completed, since 11:00. Its only time has passed, and its occurrence is finished."],
    ),
    "created": (create_at_noon, []),
    "created disabled": (
        create_disabled,
        ["Disabled, since 12:10. The schedule was disabled by the extension."],
    ),
    "timer repaired": (
        repair_timer,
        [
            "No timer, until 13:20. EventBridge had no timer, but the schedule should have had one. "
            f"The sweep repaired it. {UNKNOWN_START}"
        ],
    ),
    "no timer": (
        lose_timer,
        [f"No timer, since an unknown time. EventBridge has no timer for the schedule. {UNKNOWN_START}"],
    ),
}
WITHOUT_CHANGES: dict[str, list[str]] = {
    "schedule": [],
    "schedule, again": ["Disabled, since 13:30. It is disabled, by support/alice."],
    "tenant, again": [
        f"Tenant paused, since an unknown time. The tenant is paused, by support/alice. {UNKNOWN_START}"
    ],
    "paused after failures": [
        "Disabled, since 11:00. The service has disabled the schedule: paused after failures."
    ],
    "endpoint removed": [
        "Disabled, since an unknown time. The service has disabled the schedule: "
        f"Version version-2 has no endpoint POST /api/sync. {UNKNOWN_START}"
    ],
    "one-time": ["Completed, since 11:00. Its only time has passed, and its occurrence is finished."],
}


def read_around(console: ConsoleClient, schedule: Schedule, hours: int = 0, span: str = "24h") -> Lane:
    now = console.session.now
    window = TimeWindow(span, now + timedelta(hours=hours), now)
    return read_lane(console.session, schedule.install_id, schedule.id, window)


def list_gaps(lane: Lane) -> list[Gap]:
    return [gap for gap in lane.gaps if gap.cause is not GapCause.NOT_CREATED]


def describe(gaps: list[Gap]) -> list[str]:
    return [describe_gap(gap, lambda moment: f"{moment:%H:%M}") for gap in gaps]


@pytest.mark.parametrize("name", STORIES)
def test_what_stopped_a_schedule_is_shaded_in_every_window(
    world: World, audit: Audit, console: ConsoleClient, schedule: Schedule, name: str
) -> None:
    story, expected = STORIES[name]
    audit.publish_new_events()
    at(world, "09:30")
    schedule = story(world, schedule, audit.publish_new_events)
    audit.publish_new_events()
    at(world, "15:10")
    gaps = list_gaps(read_around(console, schedule))
    assert describe(gaps) == expected
    for hours, span in ((0, "6h"), (0, "7d"), (-3, "6h"), (-18, "6h"), (-300, "24h"), (9, "6h")):
        lane = read_around(console, schedule, hours, span)
        window = lane.window
        visible = [
            each
            for each in gaps
            if each.start < window.end and not (each.end_known and each.end <= window.start)
        ]
        if not gaps or gaps[-1].start_known:  # others are drawn from an occurrence of the window
            assert describe(list_gaps(lane)) == describe(visible), (hours, span)
        stopped = any(not each.end_known for each in gaps)
        assert bool(lane.list_marks(MarkKind.UPCOMING)) is (not stopped and window.end > window.now)


@pytest.mark.parametrize("name", WITHOUT_CHANGES)
def test_without_kept_changes_a_lane_shows_what_the_table_has(
    world: World, console: ConsoleClient, schedule: Schedule, name: str
) -> None:
    at(world, "09:30")
    schedule = STORIES[name][0](world, schedule, list)
    at(world, "15:10")
    assert describe(list_gaps(read_around(console, schedule))) == WITHOUT_CHANGES[name]


def test_what_was_before_a_schedule_is_shaded(
    world: World, console: ConsoleClient, schedule: Schedule
) -> None:
    at(world, "15:10")
    for hours in (0, -10, -100):
        (gap,) = read_around(console, schedule, hours).gaps
        assert describe([gap]) == [
            "Not created yet, until 09:00. The schedule was created at 2026-11-23T09:00:00Z."
        ]
    assert read_around(console, schedule, 48).gaps == []


def test_a_manual_run_and_a_backfill_do_not_end_a_pause(
    world: World, console: ConsoleClient, schedule: Schedule
) -> None:
    execute_at(world, schedule, 10)
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=schedule.id)
    at(world, "13:00")
    for trigger, time in ((Trigger.MANUAL, "13:00"), (Trigger.BACKFILL, "12:00")):
        moment = datetime.fromisoformat(f"2026-11-23T{time}:00Z")
        scheduled_time = format_manual_time(moment) if trigger is Trigger.MANUAL else format_time(moment)
        run = Run(
            scheduled_time=scheduled_time,
            trigger=trigger,
            status=RunStatus.SUCCESS,
            attempt=1,
            started_at=world.clock[0],
        )
        world.services.runs.record_run(schedule, run)
    at(world, "15:10")
    lane = read_around(console, schedule)
    (gap,) = list_gaps(lane)
    assert (gap.cause, f"{gap.start:%H:%M}") == (GapCause.NO_TIMER, "11:00")
    assert [mark.started_at for mark in lane.list_marks(MarkKind.SUCCESS)] == [None, None, None]
