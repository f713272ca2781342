"""The events that runs cause by the rows that they write, and what events never contain."""

import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from scheduling.api.triggers import audit_logger
from scheduling.domain.deliveries.delivery import Delivery
from scheduling.domain.errors import NotRunnable
from scheduling.domain.fire_events import FireEvent
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Fire, Outcome, RunStatus, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.runs.deliver import deliver_occurrence
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.oracles.audit import Audit
from tests.support.stacks.fires import execute_fire
from tests.support.stacks.world import (
    ADMIN,
    TABLE,
    TENANT,
    World,
    aws_client,
    create_input,
    on_moto_and_memory,
    once_on_moto,
    update_input,
)

pytestmark = [on_moto_and_memory, once_on_moto]
SECRETS = {"payload": "the payload", "config": "the configuration", "envelope": "the envelope"}
DAY = timedelta(hours=24)
SUCCESS = Outcome(status=RunStatus.SUCCESS, http_status=200)
UNAVAILABLE = Outcome(status=RunStatus.ERROR, http_status=503, error="not now", retryable=True)
REFUSED = Outcome(status=RunStatus.ERROR, http_status=400, error="no")


@pytest.fixture
def schedule(world: World, audit: Audit, install_id: InstallId) -> Schedule:
    schedule = create_schedule(world.services, install_id, create_input(name="hourly", payload=[1]))
    audit.publish_new_events()
    return schedule


def run_occurrence(world: World, schedule: Schedule, outcome: Outcome, *, replay: bool = False) -> None:
    """Run the occurrence of ten o'clock once."""
    world.advance(seconds=60)
    world.runner.outcome = outcome
    fire = Fire(
        install_id=schedule.install_id,
        schedule_id=schedule.id,
        timer_revision=schedule.timer_revision,
        scheduled_time="2026-11-23T10:00:00Z",
        replay=replay,
    )
    world.advance(minutes=3)
    run = world.services.runs.read_fire_snapshot(fire).run
    event = FireEvent(fire=fire, wait_token=run.wait_token if run else None)
    delivery = Delivery(event=event, accepted_at=world.clock[0])
    deliver_occurrence(world.services, world.runner, delivery)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        pytest.param([SUCCESS], [], id="success"),
        pytest.param([UNAVAILABLE, UNAVAILABLE], [], id="to be retried"),
        pytest.param([UNAVAILABLE, UNAVAILABLE, SUCCESS], [], id="success in the third attempt"),
        pytest.param([UNAVAILABLE] * 5, ["RunFailed by system at 3"], id="three failures"),
        pytest.param([REFUSED, REFUSED], ["RunFailed by system at 1"], id="refused"),
    ],
)
def test_permanent_failure_causes_one_event(
    world: World, audit: Audit, schedule: Schedule, outcomes: list[Outcome], expected: list[str]
) -> None:
    for outcome in outcomes:
        run_occurrence(world, schedule, outcome)

    assert audit.publish_new_event_names() == expected


def test_failure_event_has_the_run(world: World, audit: Audit, schedule: Schedule) -> None:
    run_occurrence(world, schedule, REFUSED)

    (event,) = audit.publish_new_events()
    assert (event.detail["tenantId"], event.detail["scheduleId"]) == (TENANT, schedule.id)
    run_json = event.detail["after"]
    assert (run_json["scheduledTime"], run_json["httpStatus"], run_json["error"]) == (
        "2026-11-23T10:00:00Z",
        400,
        "no",
    )


def test_failed_replay_is_a_separate_failure(world: World, audit: Audit, schedule: Schedule) -> None:
    for _ in range(3):
        run_occurrence(world, schedule, UNAVAILABLE)
    audit.publish_new_events()

    run_occurrence(world, schedule, UNAVAILABLE, replay=True)
    assert audit.publish_new_event_names() == ["RunFailed by system at 4"]

    run_occurrence(world, schedule, SUCCESS, replay=True)
    assert audit.publish_new_event_names() == []


def test_missed_occurrence_causes_an_event(world: World, audit: Audit, schedule: Schedule) -> None:
    limits = replace(world.services.limits, max_wait_hours=6)
    services = replace(world.services, limits=limits)
    sweep(services, DAY)
    for hour in range(22):
        world.clock[0] = schedule.created_at + timedelta(hours=hour + 1)
        fire = Fire(
            install_id=schedule.install_id,
            schedule_id=schedule.id,
            timer_revision=1,
            scheduled_time=format_time(world.clock[0]),
        )
        execute_fire(world.services, world.runner, fire)
    world.advance(hours=10)

    assert sweep(services, DAY)["missed"] == 2

    events = audit.publish_new_events()
    assert [str(event) for event in events] == ["RunMissed by system at 0"] * 2
    assert [event.detail["after"]["scheduledTime"] for event in events] == [
        "2026-11-24T08:00:00Z",
        "2026-11-24T09:00:00Z",
    ]


def test_payload_config_and_secrets_are_neither_published_nor_logged(
    world: World, audit: Audit, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(audit_logger.registered_handler, "stream", log)
    update_schedule(
        world.services, schedule.install_id, schedule.id, update_input(payload={"n": SECRETS["payload"]})
    )
    run_occurrence(world, schedule, REFUSED)
    config, envelope = {"n": SECRETS["config"]}, {"ciphertext_b64": SECRETS["envelope"]}
    world.register_install(schedule.install_id, config=config, secretEnvelope=envelope)
    delete_install(world.services, schedule.install_id, actor=ADMIN)

    events = audit.publish_new_events()

    for secret in SECRETS.values():
        assert secret in str(audit.all_records)
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


def test_a_request_to_run_now_is_an_event_of_its_principal_once_per_key(
    world: World, audit: Audit, schedule: Schedule
) -> None:
    send_fire = world.services.queue.send_fire
    for key in ("one", "one", "two", None):
        run_now(world.services, send_fire, schedule.install_id, schedule.id, key, actor=ADMIN)

    events = audit.publish_new_events()
    assert [str(event) for event in events] == ["RunRequested by admin"] * 3
    assert events[0].detail["actor"]["principal"] == ADMIN.partition(":")[2]
    assert events[0].detail["after"] == {"scheduledTime": "2026-11-23T09:00:00.000Z", "trigger": "manual"}
    assert (events[0].detail["tenantId"], events[0].detail["scheduleId"]) == (TENANT, schedule.id)


def test_a_refused_request_to_run_now_is_no_event(world: World, audit: Audit, schedule: Schedule) -> None:
    update_schedule(world.services, schedule.install_id, schedule.id, update_input(enabled=False))
    audit.publish_new_events()

    with pytest.raises(NotRunnable):
        run_now(
            world.services,
            world.services.queue.send_fire,
            schedule.install_id,
            schedule.id,
            None,
            actor=ADMIN,
        )

    assert audit.publish_new_event_names() == []


def test_the_requests_of_an_earlier_release_have_no_event(audit: Audit, schedule: Schedule) -> None:
    key = {"pk": {"S": f"INSTALL#{schedule.install_id}#SCHEDULE#{schedule.id}"}, "sk": {"S": "MANUAL"}}
    window = {"type": {"S": "manualWindow"}, "writeSequence": {"N": "1"}, "writes": {"M": {}}}
    aws_client("dynamodb").put_item(TableName=TABLE, Item={**key, **window})

    assert audit.publish_new_event_names() == []
