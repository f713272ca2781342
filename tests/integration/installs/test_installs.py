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

from tests.support.aws.calls import Call, fail_timer_calls, lost_response_error
from tests.support.stacks.world import (
    ADMIN,
    World,
    create_input,
    on_moto_and_memory,
    once_on_moto,
    read_timer_input,
    registration_body,
)

pytestmark = [on_moto_and_memory, once_on_moto]


def create_manifest(*endpoints: tuple[str, str], version: str = "2.0.0") -> dict[str, object]:
    declared = [{"method": method, "path": path, "handler": "h"} for method, path in endpoints]
    return {**registration_body()["manifest"], "version": version, "api": {"endpoints": declared}}


def test_repeated_registration_changes_nothing(world: World, install_id: InstallId) -> None:
    before = world.scan_rows(install_id)
    world.calls.recorded.clear()

    world.register_install(install_id)

    assert set(world.calls.operation_names()) == {"BatchGetItem"}
    assert world.scan_rows(install_id) == before


def test_an_install_never_changes_its_tenant(world: World, install_id: InstallId) -> None:
    with pytest.raises(InstallConflict, match="never changes its tenant"):
        world.register_install(install_id, tenantId="tenant-2")


def test_a_version_never_changes_its_manifest(world: World, install_id: InstallId) -> None:
    with pytest.raises(InstallConflict, match="manifest never changes"):
        world.register_install(install_id, manifest=create_manifest(("POST", "/api/other")))


def test_a_capability_outside_the_manifest_is_not_granted(world: World) -> None:
    with pytest.raises(ValidationFailed, match=r"Not in the manifest: cap:storage\.kv"):
        world.register_install(grantedCapabilities=[" CAP:Storage.KV "])


def test_unknown_capabilities_are_ignored(world: World) -> None:
    install_id = world.register_install(grantedCapabilities=["cap:unheard.of", " Cap:Scheduler.Manage "])

    install, _ = get_install(world.services, install_id)
    assert sorted(install.granted_capabilities) == [
        "cap:context.read",
        "cap:log.emit",
        "cap:scheduler.manage",
        "cap:user.read",
    ]


def test_install_without_capability_is_not_manageable(world: World) -> None:
    install_id = world.register_install(grantedCapabilities=[])

    with pytest.raises(CapabilityDenied):
        list_schedules(world.services, install_id)


def test_disabling_removes_every_timer_and_enabling_restores_them(
    world: World, install_id: InstallId
) -> None:
    schedules = [create_schedule(world.services, install_id, create_input()) for _ in range(3)]
    disabled_schedule = create_schedule(world.services, install_id, create_input(enabled=False))

    world.register_install(install_id, enabled=False)
    assert world.read_timers() == {}
    with pytest.raises(InstallNotFound):
        list_schedules(world.services, install_id)

    world.register_install(install_id)
    assert set(world.read_timers()) == {schedule.id for schedule in schedules}
    assert disabled_schedule.id not in world.read_timers()
    rows = {s.id: s for s in list_schedules(world.services, install_id).schedules}
    assert all(read_timer_input(world, s)["revision"] == rows[s.id].timer_revision for s in schedules)


def test_disabling_during_an_outage_is_finished_by_the_reconciler(
    world: World, install_id: InstallId
) -> None:
    create_schedule(world.services, install_id, create_input())

    world.calls.before = fail_timer_calls
    world.register_install(install_id, enabled=False)
    world.calls.before = None
    world.advance(seconds=61)
    reconcile(world.services)

    assert world.read_timers() == {}
    assert all("pendingSince" not in row for row in world.scan_rows(install_id))


def test_move_without_a_used_endpoint_changes_nothing(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    before = world.scan_rows(install_id)

    with pytest.raises(RemapFailed) as refusal:
        world.register_install(
            install_id, versionId="version-2", manifest=create_manifest(("GET", "/api/sync"))
        )

    assert refusal.value.missing == [(schedule.id, "POST /api/sync")]
    assert world.scan_rows(install_id) == before


def test_create_concurrent_with_move_check_is_detected(world: World, install_id: InstallId) -> None:
    def slip_in(call: Call) -> None:
        if call.operation == "Query":
            world.calls.after = None
            create_schedule(world.services, install_id, create_input())

    world.calls.after = slip_in

    with pytest.raises(RemapFailed):
        world.register_install(
            install_id, versionId="version-2", manifest=create_manifest(("GET", "/api/sync"))
        )


def test_uninstall_deletes_every_row(world: World, install_id: InstallId) -> None:
    for number in range(5):
        create_schedule(
            world.services, install_id, create_input(name=f"schedule {number}", enabled=number != 2)
        )
    other = world.register_install()
    other_schedule = create_schedule(world.services, other, create_input(name="schedule 1"))

    delete_install(world.services, install_id, actor=ADMIN)

    assert world.scan_rows(install_id) == []
    assert set(world.read_timers()) == {other_schedule.id}
    with pytest.raises(InstallNotFound):
        delete_install(world.services, install_id, actor=ADMIN)


@pytest.mark.parametrize("finish_uninstall", ["call again", "reconciler", "register again"])
def test_interrupted_uninstall_is_resumed(world: World, install_id: InstallId, finish_uninstall: str) -> None:
    for _ in range(3):
        create_schedule(world.services, install_id, create_input())
    deleted = []

    def fail(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            deleted.append(call)
            if len(deleted) > 1:
                raise lost_response_error()

    world.calls.before = fail
    with pytest.raises(Unavailable):
        delete_install(world.services, install_id, actor=ADMIN)
    world.calls.before = None
    with pytest.raises(InstallNotFound):
        list_schedules(world.services, install_id)
    world.advance(seconds=61)

    if finish_uninstall == "call again":
        delete_install(world.services, install_id, actor=ADMIN)
    elif finish_uninstall == "reconciler":
        reconcile(world.services)
    else:
        world.register_install(install_id)

    assert world.read_timers() == {}
    assert world.scan_rows_of_type(install_id, "schedule") == []


def test_create_during_uninstall_leaves_nothing(world: World, install_id: InstallId) -> None:
    def uninstall(call: Call) -> None:
        if call.operation == "CreateSchedule":
            world.calls.before = None
            delete_install(world.services, install_id, actor=ADMIN)

    world.calls.before = uninstall
    create_schedule(world.services, install_id, create_input())

    assert world.scan_rows(install_id) == []
    assert world.read_timers() == {}
