"""What the audit tells of runs, by the rows that they write, and what it never tells."""

import io
import json
from contextlib import suppress
from datetime import timedelta

import pytest
from scheduling.api.triggers import audit_logger
from scheduling.domain.errors import RunFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Fire, Outcome, RunStatus, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.audit import Audit
from tests.support.world import ADMIN, TENANT, World, changed, on_both, wanted

pytestmark = on_both
SECRETS = {"payload": "the payload", "config": "the configuration", "envelope": "the envelope"}
DAY = timedelta(hours=24)
SUCCESS = Outcome(status=RunStatus.SUCCESS, http_status=200)
UNAVAILABLE = Outcome(status=RunStatus.ERROR, http_status=503, error="not now", retryable=True)
REFUSED = Outcome(status=RunStatus.ERROR, http_status=400, error="no")


@pytest.fixture
def schedule(world: World, audit: Audit, install_id: InstallId) -> Schedule:
    schedule = create_schedule(world.services, install_id, wanted(name="hourly", payload=[1]))
    audit.told()
    return schedule


def run(world: World, schedule: Schedule, outcome: Outcome, *, replay: bool = False) -> None:
    """The occurrence of ten o'clock, once."""
    world.advance(seconds=60)
    world.runner.outcome = outcome
    fire = Fire(
        install_id=schedule.install_id,
        schedule_id=schedule.id,
        revision=schedule.timer_revision,
        scheduled_time="2026-11-23T10:00:00Z",
        replay=replay,
    )
    with suppress(RunFailed):
        execute_fire(world.services, world.runner, fire)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        pytest.param([SUCCESS], [], id="success"),
        pytest.param([UNAVAILABLE, UNAVAILABLE], [], id="to be tried again"),
        pytest.param([UNAVAILABLE, UNAVAILABLE, SUCCESS], [], id="success in the end"),
        pytest.param([UNAVAILABLE] * 5, ["RunFailed by system at 3"], id="three times"),
        pytest.param([REFUSED, REFUSED], ["RunFailed by system at 1"], id="refused"),
    ],
)
def test_failed_for_good(
    world: World, audit: Audit, schedule: Schedule, outcomes: list[Outcome], expected: list[str]
) -> None:
    for outcome in outcomes:
        run(world, schedule, outcome)

    assert audit.names() == expected


def test_what_a_failure_shows(world: World, audit: Audit, schedule: Schedule) -> None:
    run(world, schedule, REFUSED)

    (event,) = audit.told()
    assert (event.detail["tenantId"], event.detail["scheduleId"]) == (TENANT, schedule.id)
    shown = event.detail["after"]
    assert (shown["scheduledTime"], shown["httpStatus"], shown["error"]) == (
        "2026-11-23T10:00:00Z",
        400,
        "no",
    )


def test_a_replay_that_fails_too_is_a_failure_of_its_own(
    world: World, audit: Audit, schedule: Schedule
) -> None:
    for _ in range(3):
        run(world, schedule, UNAVAILABLE)
    audit.told()

    run(world, schedule, UNAVAILABLE, replay=True)
    assert audit.names() == ["RunFailed by system at 4"]

    run(world, schedule, SUCCESS, replay=True)
    assert audit.names() == []


def test_missed(world: World, audit: Audit, schedule: Schedule) -> None:
    sweep(world.services, DAY)
    for hour in range(22):
        world.clock[0] = schedule.created_at + timedelta(hours=hour + 1)
        fire = Fire(
            install_id=schedule.install_id,
            schedule_id=schedule.id,
            revision=1,
            scheduled_time=format_time(world.clock[0]),
        )
        execute_fire(world.services, world.runner, fire)
    world.advance(hours=10)

    assert sweep(world.services, DAY)["missed"] == 2

    events = audit.told()
    assert [str(event) for event in events] == ["RunMissed by system at 0"] * 2
    assert [event.detail["after"]["scheduledTime"] for event in events] == [
        "2026-11-24T08:00:00Z",
        "2026-11-24T09:00:00Z",
    ]


def test_nothing_of_a_payload_a_configuration_or_a_secret_is_told_or_logged(
    world: World, audit: Audit, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(audit_logger.registered_handler, "stream", log)
    update_schedule(
        world.services, schedule.install_id, schedule.id, changed(payload={"n": SECRETS["payload"]})
    )
    run(world, schedule, REFUSED)
    config, envelope = {"n": SECRETS["config"]}, {"n": SECRETS["envelope"]}
    world.register(schedule.install_id, config=config, secretEnvelope=envelope)
    delete_install(world.services, schedule.install_id, actor=ADMIN)

    events = audit.told()

    for secret in SECRETS.values():
        assert secret in str(audit.seen)
        assert secret not in str([event.detail for event in events])
        assert secret not in log.getvalue()
    assert [str(event) for event in events] == [
        "ScheduleUpdated by host_api",
        "RunFailed by system at 1",
        "InstallChanged by admin",
        "InstallDeleted by admin",
        "ScheduleDeleted by admin",
    ]
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["message"], line["detail"]) for line in lines] == [
        (event.name, event.detail) for event in events
    ]
