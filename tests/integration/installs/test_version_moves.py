"""Moving an install to another version, with schedules whose endpoint that version lacks."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from scheduling.domain.errors import RemapFailed, Unavailable, ValidationFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.requests.idempotency import IdempotencyKey
from scheduling.domain.runs import SkipReason
from scheduling.domain.views import schedule_fields
from scheduling.operations.installs.register import PutResult
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule, list_schedules
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, Killed, fail_timer_calls, lost_response_error
from tests.support.stacks.fires import execute_fire, next_hourly_fire
from tests.support.stacks.world import (
    ADMIN,
    PUT_OPTIONS,
    World,
    create_input,
    on_moto_and_memory,
    registration_body,
    update_input,
)

pytestmark = on_moto_and_memory
DISABLE = replace(PUT_OPTIONS, disable_missing=True)
DRY_RUN = replace(PUT_OPTIONS, dry_run=True)


def version_fields(number: int, *endpoints: tuple[str, str]) -> dict[str, Any]:
    declared = [{"method": method, "path": path, "handler": "h"} for method, path in endpoints]
    manifest = {**registration_body()["manifest"], "version": f"{number}.0.0", "api": {"endpoints": declared}}
    return {"versionId": f"version-{number}", "manifest": manifest}


LACKS_SYNC = version_fields(2, ("GET", "/api/both"), ("POST", "/api/both"))


def kill_timer_calls(call: Call) -> None:
    """Kill the function at its first call of EventBridge."""
    if call.service == "scheduler":
        raise Killed


def missing_ids(registered: PutResult) -> list[str]:
    return [schedule.id for schedule in registered.disabled_schedules]


def test_only_schedules_without_endpoint_are_disabled_with_a_reason(
    world: World, install_id: InstallId
) -> None:
    affected = create_schedule(world.services, install_id, create_input(payload=[1]))
    unaffected = create_schedule(world.services, install_id, create_input(endpoint="GET /api/both"))

    registered = world.put_install(install_id, DISABLE, **LACKS_SYNC)

    assert missing_ids(registered) == [affected.id]
    after = get_schedule(world.services, install_id, affected.id)
    assert after.definition == replace(affected.definition, enabled=False)
    assert after.disabled_reason == "Version version-2 has no endpoint POST /api/sync"
    assert (after.revision, after.changed_by) == (2, ADMIN)
    assert get_schedule(world.services, install_id, unaffected.id).definition.enabled
    assert set(world.read_timers()) == {unaffected.id}
    assert all(
        "pendingSince" not in row and "removedEndpoints" not in row for row in world.scan_rows(install_id)
    )


def test_disabled_stays_disabled(world: World, install_id: InstallId) -> None:
    disabled = create_schedule(world.services, install_id, create_input(enabled=False))
    world.put_install(install_id, DISABLE, **LACKS_SYNC)

    world.put_install(install_id, PUT_OPTIONS)  # back to the version that has it

    schedule = get_schedule(world.services, install_id, disabled.id)
    assert not schedule.definition.enabled
    assert world.read_timers() == {}


def test_schedule_can_be_enabled_once_its_endpoint_exists(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    world.put_install(install_id, DISABLE, **LACKS_SYNC)

    with pytest.raises(ValidationFailed) as refusal:
        update_schedule(world.services, install_id, schedule.id, update_input(enabled=True))
    assert refusal.value.field_errors == {"endpoint": "Endpoint not found or not schedulable"}

    renamed = update_schedule(world.services, install_id, schedule.id, update_input(name="renamed"))
    assert renamed.disabled_reason == "Version version-2 has no endpoint POST /api/sync"
    world.put_install(install_id, PUT_OPTIONS)
    enabled = update_schedule(world.services, install_id, schedule.id, update_input(enabled=True))
    assert (enabled.definition.enabled, enabled.disabled_reason) == (True, None)
    assert set(world.read_timers()) == {schedule.id}


def test_new_endpoint_clears_the_disabled_reason(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    world.put_install(install_id, DISABLE, **LACKS_SYNC)

    other = update_schedule(world.services, install_id, schedule.id, update_input(endpoint="GET /api/both"))

    assert (other.definition.enabled, other.disabled_reason) == (False, None)


def test_repeated_move_lists_the_same_and_changes_nothing(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    world.put_install(install_id, DISABLE, **LACKS_SYNC)
    before = world.scan_rows(install_id)

    second = world.put_install(install_id, DISABLE, **LACKS_SYNC)

    assert (second.changed, missing_ids(second)) == (False, [schedule.id])
    assert world.scan_rows(install_id) == before


def test_dry_run_reports_effects_and_writes_nothing(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    before = world.scan_rows(install_id)
    world.calls.recorded.clear()

    result = world.put_install(install_id, replace(DISABLE, dry_run=True), **LACKS_SYNC)
    with pytest.raises(RemapFailed):
        world.put_install(install_id, DRY_RUN, **LACKS_SYNC)
    new = world.put_install(InstallId("new"), DRY_RUN)

    assert (missing_ids(result), result.changed, result.install.version_id) == (
        [schedule.id],
        True,
        "version-2",
    )
    assert (new.new, new.changed) == (True, True)
    assert set(world.calls.operation_names()) == {"BatchGetItem", "Query"}
    assert world.scan_rows(install_id) == before
    assert world.scan_rows(InstallId("new")) == []


def test_disabled_schedules_do_not_run_while_timers_cannot_be_deleted(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    world.calls.before = fail_timer_calls
    world.put_install(install_id, DISABLE, **LACKS_SYNC)

    listed_schedules = list_schedules(world.services, install_id).schedules
    assert [each.definition.enabled for each in listed_schedules] == [False]
    assert (
        execute_fire(world.services, world.runner, next_hourly_fire(world, schedule)) is SkipReason.DISABLED
    )
    world.calls.before = None
    world.advance(seconds=61)
    reconcile(world.services)

    assert world.read_timers() == {}


def test_owner_can_change_schedules_before_propagation(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())

    def interrupt_after_move(call: Call) -> None:
        if call.operation == "Query" and moved:
            raise lost_response_error()
        if call.operation == "TransactWriteItems":
            moved.append(call)

    moved: list[Call] = []
    world.calls.before = interrupt_after_move
    world.put_install(install_id, DISABLE, **LACKS_SYNC)
    world.calls.before = None

    assert get_schedule(world.services, install_id, schedule.id).revision == 2
    renamed = update_schedule(
        world.services, install_id, schedule.id, update_input(name="renamed"), if_match=frozenset({2})
    )
    assert (renamed.definition.enabled, renamed.definition.name) == (False, "renamed")
    assert world.read_timers() == {}


@pytest.mark.parametrize("finished", [False, True], ids=["before propagation", "after it"])
def test_a_repeated_create_returns_its_first_result_after_a_move(
    world: World, install_id: InstallId, finished: bool
) -> None:
    key = IdempotencyKey("key", "hash")
    first = create_schedule(world.services, install_id, create_input(), key)
    world.calls.before = None if finished else kill_timer_calls
    with nullcontext() if finished else pytest.raises(Killed):
        world.put_install(install_id, DISABLE, **LACKS_SYNC)
    world.calls.before = None

    repeated = create_schedule(world.services, install_id, create_input(), key)

    assert schedule_fields(repeated) == schedule_fields(first)
    shown = get_schedule(world.services, install_id, first.id)
    assert shown.disabled_reason == "Version version-2 has no endpoint POST /api/sync"


def test_next_move_waits_for_an_unfinished_one(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    world.calls.before = fail_timer_calls
    world.put_install(install_id, DISABLE, **LACKS_SYNC)

    with pytest.raises(Unavailable):
        world.put_install(install_id, PUT_OPTIONS)
    world.calls.before = None
    world.put_install(install_id, PUT_OPTIONS)

    assert not get_schedule(world.services, install_id, schedule.id).definition.enabled
    assert world.read_timers() == {}


def test_create_based_on_old_version_is_checked_against_the_new_one(
    world: World, install_id: InstallId
) -> None:
    def move(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.calls.before = None
            world.put_install(install_id, DISABLE, **LACKS_SYNC)

    world.calls.before = move

    with pytest.raises(ValidationFailed, match="Endpoint not found or not schedulable"):
        create_schedule(world.services, install_id, create_input())
    assert world.scan_rows_of_type(install_id, "schedule") == []
