"""Moving an install to another version, and what becomes of schedules whose endpoint that has not."""

from dataclasses import replace
from typing import Any

import pytest
from scheduling.domain.errors import RemapFailed, Unavailable, ValidationFailed
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import SkipReason
from scheduling.operations.installs.register import PutResult
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule, list_schedules
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws_calls import Call, lost
from tests.support.world import ADMIN, PUT, World, changed, next_fire_of, on_both, registration_body, wanted

pytestmark = on_both
DISABLE = replace(PUT, disable_missing=True)
DRY_RUN = replace(PUT, dry_run=True)


def version(number: int, *endpoints: tuple[str, str]) -> dict[str, Any]:
    declared = [{"method": method, "path": path, "handler": "h"} for method, path in endpoints]
    manifest = {**registration_body()["manifest"], "version": f"{number}.0.0", "api": {"endpoints": declared}}
    return {"versionId": f"version-{number}", "manifest": manifest}


LACKS_SYNC = version(2, ("GET", "/api/both"), ("POST", "/api/both"))


def outage_of_timers(call: Call) -> None:
    if call.service == "scheduler":
        raise lost()


def listed(registered: PutResult) -> list[str]:
    return [schedule.id for schedule in registered.disabled_schedules]


def test_only_what_lacks_its_endpoint_is_disabled_and_tells_why(world: World, install_id: InstallId) -> None:
    gone = create_schedule(world.services, install_id, wanted(payload=[1]))
    kept = create_schedule(world.services, install_id, wanted(endpoint="GET /api/both"))

    registered = world.put(install_id, DISABLE, **LACKS_SYNC)

    assert listed(registered) == [gone.id]
    after = get_schedule(world.services, install_id, gone.id)
    assert after.definition == replace(gone.definition, enabled=False)
    assert after.disabled_reason == "Version version-2 has no endpoint POST /api/sync"
    assert (after.revision, after.changed_by) == (2, ADMIN)
    assert get_schedule(world.services, install_id, kept.id).definition.enabled
    assert set(world.timers()) == {kept.id}
    assert all("pendingSince" not in row and "removedEndpoints" not in row for row in world.rows(install_id))


def test_disabled_stays_disabled(world: World, install_id: InstallId) -> None:
    off = create_schedule(world.services, install_id, wanted(enabled=False))
    world.put(install_id, DISABLE, **LACKS_SYNC)

    world.put(install_id, PUT)  # back to the version that has it

    shown = get_schedule(world.services, install_id, off.id)
    assert not shown.definition.enabled
    assert world.timers() == {}


def test_a_schedule_is_enabled_again_once_its_endpoint_is_there(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    world.put(install_id, DISABLE, **LACKS_SYNC)

    with pytest.raises(ValidationFailed) as refusal:
        update_schedule(world.services, install_id, schedule.id, changed(enabled=True))
    assert refusal.value.field_errors == {"endpoint": "Endpoint not found or not schedulable"}

    renamed = update_schedule(world.services, install_id, schedule.id, changed(name="renamed"))
    assert renamed.disabled_reason == "Version version-2 has no endpoint POST /api/sync"
    world.put(install_id, PUT)
    enabled = update_schedule(world.services, install_id, schedule.id, changed(enabled=True))
    assert (enabled.definition.enabled, enabled.disabled_reason) == (True, None)
    assert set(world.timers()) == {schedule.id}


def test_another_endpoint_ends_the_reason(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    world.put(install_id, DISABLE, **LACKS_SYNC)

    other = update_schedule(world.services, install_id, schedule.id, changed(endpoint="GET /api/both"))

    assert (other.definition.enabled, other.disabled_reason) == (False, None)


def test_the_same_again_lists_the_same_and_changes_nothing(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    world.put(install_id, DISABLE, **LACKS_SYNC)
    before = world.rows(install_id)

    again = world.put(install_id, DISABLE, **LACKS_SYNC)

    assert (again.changed, listed(again)) == (False, [schedule.id])
    assert world.rows(install_id) == before


def test_a_dry_run_says_what_would_be_and_writes_nothing(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    before = world.rows(install_id)
    world.calls.made.clear()

    told = world.put(install_id, replace(DISABLE, dry_run=True), **LACKS_SYNC)
    with pytest.raises(RemapFailed):
        world.put(install_id, DRY_RUN, **LACKS_SYNC)
    new = world.put(InstallId("new"), DRY_RUN)

    assert (listed(told), told.changed, told.install.version_id) == ([schedule.id], True, "version-2")
    assert (new.new, new.changed) == (True, True)
    assert set(world.calls.operations()) == {"BatchGetItem", "Query"}
    assert world.rows(install_id) == before
    assert world.rows(InstallId("new")) == []


def test_while_timers_cannot_be_removed_nothing_of_them_is_run_nor_shown(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    world.calls.before = outage_of_timers
    world.put(install_id, DISABLE, **LACKS_SYNC)

    shown = list_schedules(world.services, install_id).schedules
    assert [each.definition.enabled for each in shown] == [False]
    assert execute_fire(world.services, world.runner, next_fire_of(world, schedule)) is SkipReason.DISABLED
    world.calls.before = None
    world.advance(seconds=61)
    reconcile(world.services)

    assert world.timers() == {}


def test_the_owner_may_change_what_the_move_has_not_reached_yet(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())

    def stop_behind_the_move(call: Call) -> None:
        if call.operation == "Query" and moved:
            raise lost()
        if call.operation == "TransactWriteItems":
            moved.append(call)

    moved: list[Call] = []
    world.calls.before = stop_behind_the_move
    world.put(install_id, DISABLE, **LACKS_SYNC)
    world.calls.before = None

    assert get_schedule(world.services, install_id, schedule.id).revision == 2
    renamed = update_schedule(
        world.services, install_id, schedule.id, changed(name="renamed"), if_match=frozenset({2})
    )
    assert (renamed.definition.enabled, renamed.definition.name) == (False, "renamed")
    assert world.timers() == {}


def test_the_next_move_waits_for_one_that_is_not_finished(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    world.calls.before = outage_of_timers
    world.put(install_id, DISABLE, **LACKS_SYNC)

    with pytest.raises(Unavailable):
        world.put(install_id, PUT)
    world.calls.before = None
    world.put(install_id, PUT)

    assert not get_schedule(world.services, install_id, schedule.id).definition.enabled
    assert world.timers() == {}


def test_a_create_that_read_the_old_version_is_judged_by_the_new_one(
    world: World, install_id: InstallId
) -> None:
    def move(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            world.calls.before = None
            world.put(install_id, DISABLE, **LACKS_SYNC)

    world.calls.before = move

    with pytest.raises(ValidationFailed, match="Endpoint not found or not schedulable"):
        create_schedule(world.services, install_id, wanted())
    assert world.kinds(install_id, "schedule") == []
