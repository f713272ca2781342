"""After a restore of the table, the sweep makes EventBridge match, and registrations bring the installs up to date."""

import pickle
from collections.abc import Iterator

import pytest
from scheduling.domain.errors import SchedulingError
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.integration.maintenance.sweeps import DAY, run_sweep
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.world import GROUP, World, aws_client, create_input, new_world, update_input


@pytest.fixture
def world() -> Iterator[World]:
    with new_world(aws="memory") as memory_world:
        sweep(memory_world.services, DAY)
        yield memory_world


def back_up_table(world: World) -> bytes:
    assert world.memory
    return pickle.dumps(world.memory.tables)


def restore_table(world: World, backup: bytes) -> None:
    """Replace the table's rows; timers, queues and secrets stay as they are."""
    assert world.memory
    world.memory.tables = pickle.loads(backup)  # noqa: S301 (dumped above)


def test_sweep_after_a_restore_makes_the_timers_match(world: World) -> None:
    install_id = world.register_install()
    changed = create_schedule(world.services, install_id, create_input(name="changed", cron="0 9 * * *"))
    deleted = create_schedule(world.services, install_id, create_input(name="deleted"))
    disabled = create_schedule(world.services, install_id, create_input(name="disabled"))
    backup = back_up_table(world)
    update_schedule(world.services, install_id, changed.id, update_input(cron="5 10 * * *"))
    delete_schedule(world.services, install_id, deleted.id)
    update_schedule(world.services, install_id, disabled.id, update_input(enabled=False))
    create_schedule(world.services, install_id, create_input(name="created"))
    restore_table(world, backup)

    repairs = run_sweep(world)

    assert sum(repairs.values()) >= 4
    group = aws_client("scheduler").list_schedules(GroupName=GROUP)["Schedules"]
    assert {timer["Name"] for timer in group} == {changed.id, deleted.id, disabled.id}
    assert_consistent(world)


def test_schedules_of_a_restored_table_can_be_changed_and_created_again(world: World) -> None:
    install_id = world.register_install()
    schedule = create_schedule(world.services, install_id, create_input(name="kept"))
    backup = back_up_table(world)
    delete_schedule(world.services, install_id, schedule.id)
    create_schedule(world.services, install_id, create_input(name="created"))
    restore_table(world, backup)
    run_sweep(world)

    update_schedule(world.services, install_id, schedule.id, update_input(cron="5 10 * * *"))
    create_schedule(world.services, install_id, create_input(name="created"))
    with pytest.raises(SchedulingError, match="Schedule name already in use"):
        create_schedule(world.services, install_id, create_input(name="kept"))

    assert_consistent(world)


def test_registering_again_after_a_restore_moves_installs_to_their_version(world: World) -> None:
    present = {"versionId": "version-2", "contentHash": "sha256:" + "2" * 64}
    install_id = world.register_install()
    create_schedule(world.services, install_id, create_input())
    backup = back_up_table(world)
    world.register_install(install_id, **present)
    later = world.register_install()
    restore_table(world, backup)
    run_sweep(world)

    for each in (install_id, later):
        world.register_install(each, **present)
        install = world.services.installs.read_install(each)
        assert install
        assert (install.version_id, install.content_hash) == ("version-2", present["contentHash"])
    assert_consistent(world)
