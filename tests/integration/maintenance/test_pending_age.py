"""How long the oldest pending row has waited, which the reconciler reports and an alarm uses."""

import json

import pytest
from scheduling.domain.ids import InstallId
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule

from tests.support.aws.calls import Call, client_error
from tests.support.faults.cases import create_second_schedule, kill_at, new_case
from tests.support.stacks.functions import Context, deploy_functions, load_function
from tests.support.stacks.world import World, create_input, on_moto_and_memory

pytestmark = on_moto_and_memory


def throttle_timers(call: Call) -> None:
    if call.service == "scheduler":
        raise client_error("ThrottlingException")


def test_no_pending_rows_means_zero_age(world: World, install_id: InstallId) -> None:
    create_schedule(world.services, install_id, create_input())
    world.advance(hours=1)

    assert reconcile(world.services).oldest_age.total_seconds() == 0


def test_pending_age_grows_until_the_row_is_synced(world: World) -> None:
    kill_at("CreateSchedule", create_second_schedule)(new_case(world))
    world.calls.before = throttle_timers
    ages = []
    for _ in range(3):
        world.advance(minutes=6)
        ages.append(reconcile(world.services).oldest_age.total_seconds())
    world.calls.before = None
    reconcile(world.services)

    assert ages == [360, 720, 1080]
    assert reconcile(world.services).oldest_age.total_seconds() == 0


def test_reconcile_emits_the_metric_of_the_alarm(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "the-stack")
    kill_at("CreateSchedule", create_second_schedule)(new_case(world))
    world.advance(minutes=11)
    with deploy_functions(world):
        load_function("reconcile").handler({}, Context())

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (metrics,) = [line for line in lines if "OldestPendingSeconds" in line]
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("ExtensionScheduler", [["service"]])
    assert metrics["service"] == "the-stack"
    assert metrics["OldestPendingSeconds"] == [660]
