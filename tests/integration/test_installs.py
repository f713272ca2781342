import pytest
from scheduling.domain.errors import (
    CapabilityDenied,
    InstallConflict,
    InstallNotFound,
    RemapFailed,
    Unavailable,
    ValidationFailed,
)
from scheduling.domain.ids import InstallId
from scheduling.operations.installs.register import get_install
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import list_schedules

from tests.support.aws_calls import Call, lost
from tests.support.world import ADMIN, World, on_both, registration_body, timer_input, wanted

pytestmark = on_both


def manifest(*endpoints: tuple[str, str], version: str = "2.0.0") -> dict[str, object]:
    declared = [{"method": method, "path": path, "handler": "h"} for method, path in endpoints]
    return {**registration_body()["manifest"], "version": version, "api": {"endpoints": declared}}


def test_the_same_registration_again_changes_nothing(world: World, install_id: InstallId) -> None:
    before = world.rows(install_id)
    world.calls.made.clear()

    world.register(install_id)

    assert set(world.calls.operations()) == {"BatchGetItem"}
    assert world.rows(install_id) == before


def test_an_install_never_changes_its_tenant(world: World, install_id: InstallId) -> None:
    with pytest.raises(InstallConflict, match="never changes its tenant"):
        world.register(install_id, tenantId="tenant-2")


def test_a_version_never_changes_its_manifest(world: World, install_id: InstallId) -> None:
    with pytest.raises(InstallConflict, match="manifest never changes"):
        world.register(install_id, manifest=manifest(("POST", "/api/other")))


def test_a_capability_outside_the_manifest_is_not_granted(world: World) -> None:
    with pytest.raises(ValidationFailed, match=r"Not in the manifest: cap:storage\.kv"):
        world.register(grantedCapabilities=[" CAP:Storage.KV "])


def test_unknown_capabilities_are_dropped(world: World) -> None:
    install_id = world.register(grantedCapabilities=["cap:unheard.of", " Cap:Scheduler.Manage "])

    install, _ = get_install(world.services, install_id)
    assert sorted(install.granted_capabilities) == [
        "cap:context.read",
        "cap:log.emit",
        "cap:scheduler.manage",
        "cap:user.read",
    ]


def test_without_the_capability_nothing_is_managed(world: World) -> None:
    install_id = world.register(grantedCapabilities=[])

    with pytest.raises(CapabilityDenied):
        list_schedules(world.services, install_id)


def test_disabling_stops_every_timer_and_enabling_sets_them_again(
    world: World, install_id: InstallId
) -> None:
    schedules = [create_schedule(world.services, install_id, wanted()) for _ in range(3)]
    off = create_schedule(world.services, install_id, wanted(enabled=False))

    world.register(install_id, enabled=False)
    assert world.timers() == {}
    with pytest.raises(InstallNotFound):
        list_schedules(world.services, install_id)

    world.register(install_id)
    assert set(world.timers()) == {schedule.id for schedule in schedules}
    assert off.id not in world.timers()
    rows = {s.id: s for s in list_schedules(world.services, install_id).schedules}
    assert all(timer_input(world, s)["revision"] == rows[s.id].timer_revision for s in schedules)


def test_disabling_during_an_outage_is_finished_by_the_reconciler(
    world: World, install_id: InstallId
) -> None:
    create_schedule(world.services, install_id, wanted())

    def fail(call: Call) -> None:
        if call.service == "scheduler":
            raise lost()

    world.calls.before = fail
    world.register(install_id, enabled=False)
    world.calls.before = None
    world.advance(seconds=61)
    reconcile(world.services)

    assert world.timers() == {}
    assert all("pendingSince" not in row for row in world.rows(install_id))


def test_moving_to_a_version_without_a_used_endpoint_is_refused_whole(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    before = world.rows(install_id)

    with pytest.raises(RemapFailed) as refusal:
        world.register(install_id, versionId="version-2", manifest=manifest(("GET", "/api/sync")))

    assert refusal.value.missing == [(schedule.id, "POST /api/sync")]
    assert world.rows(install_id) == before


def test_a_create_between_look_and_move_is_seen(world: World, install_id: InstallId) -> None:
    def slip_in(call: Call) -> None:
        if call.operation == "Query":
            world.calls.after = None
            create_schedule(world.services, install_id, wanted())

    world.calls.after = slip_in

    with pytest.raises(RemapFailed):
        world.register(install_id, versionId="version-2", manifest=manifest(("GET", "/api/sync")))


def test_deleting_removes_every_trace(world: World, install_id: InstallId) -> None:
    for number in range(5):
        create_schedule(world.services, install_id, wanted(name=f"schedule {number}", enabled=number != 2))
    other = world.register()
    kept = create_schedule(world.services, other, wanted(name="schedule 1"))

    delete_install(world.services, install_id, actor=ADMIN)

    assert world.rows(install_id) == []
    assert set(world.timers()) == {kept.id}
    with pytest.raises(InstallNotFound):
        delete_install(world.services, install_id, actor=ADMIN)


@pytest.mark.parametrize("finish", ["call again", "reconciler", "register again"])
def test_a_deletion_that_stopped_half_way_is_taken_up_again(
    world: World, install_id: InstallId, finish: str
) -> None:
    for _ in range(3):
        create_schedule(world.services, install_id, wanted())
    deleted = []

    def fail(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            deleted.append(call)
            if len(deleted) > 1:
                raise lost()

    world.calls.before = fail
    with pytest.raises(Unavailable):
        delete_install(world.services, install_id, actor=ADMIN)
    world.calls.before = None
    with pytest.raises(InstallNotFound):
        list_schedules(world.services, install_id)
    world.advance(seconds=61)

    if finish == "call again":
        delete_install(world.services, install_id, actor=ADMIN)
    elif finish == "reconciler":
        reconcile(world.services)
    else:
        world.register(install_id)

    assert world.timers() == {}
    assert world.kinds(install_id, "schedule") == []


def test_a_create_under_way_while_its_install_is_deleted_leaves_nothing(
    world: World, install_id: InstallId
) -> None:
    def uninstall(call: Call) -> None:
        if call.operation == "CreateSchedule":
            world.calls.before = None
            delete_install(world.services, install_id, actor=ADMIN)

    world.calls.before = uninstall
    create_schedule(world.services, install_id, wanted())

    assert world.rows(install_id) == []
    assert world.timers() == {}
