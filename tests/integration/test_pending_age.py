"""How long the oldest pending row has waited: what the reconciler tells, and the alarm goes by."""

import json

import pytest
from scheduling.domain.ids import InstallId
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule

from tests.support.aws_calls import Call, refused
from tests.support.cases import create_another, killed_at, new_case
from tests.support.functions import Context, deployed, load
from tests.support.world import World, on_both, wanted

pytestmark = on_both


def throttle_timers(call: Call) -> None:
    if call.service == "scheduler":
        raise refused("ThrottlingException")


def test_nothing_pending_is_of_no_age(world: World, install_id: InstallId) -> None:
    create_schedule(world.services, install_id, wanted())
    world.advance(hours=1)

    assert reconcile(world.services).oldest_age.total_seconds() == 0


def test_it_grows_until_the_row_is_settled(world: World) -> None:
    killed_at("CreateSchedule", create_another)(new_case(world))
    world.calls.before = throttle_timers
    ages = []
    for _ in range(3):
        world.advance(minutes=6)
        ages.append(reconcile(world.services).oldest_age.total_seconds())
    world.calls.before = None
    reconcile(world.services)

    assert ages == [360, 720, 1080]
    assert reconcile(world.services).oldest_age.total_seconds() == 0


def test_the_function_tells_it_by_the_name_that_the_alarm_has(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "the-stack")
    killed_at("CreateSchedule", create_another)(new_case(world))
    world.advance(minutes=11)
    with deployed(world):
        load("reconcile").handler({}, Context())

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (metrics,) = [line for line in lines if "_aws" in line]
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("ExtensionScheduler", [["service"]])
    assert metrics["service"] == "the-stack"
    assert metrics["OldestPendingSeconds"] == [660]
