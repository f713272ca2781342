"""A write whose response is lost, while others write before its function can read: its reported result is true."""

from collections.abc import Callable

import pytest
from scheduling.domain.errors import Unavailable, UnconfirmedChange
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import RunStatus, SkipReason, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, client_error, lost_response_error
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.fires import execute_fire, next_hourly_fire
from tests.support.stacks.world import (
    ADMIN,
    TENANT,
    World,
    create_input,
    on_moto_and_memory,
    once_on_moto,
    update_input,
)

pytestmark = [on_moto_and_memory, once_on_moto]
_WRITES = {"PutItem", "UpdateItem", "TransactWriteItems"}


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, create_input())


def lose_first_write_response(world: World, meanwhile: Callable[[], object]) -> None:
    """Lose the response of the first write; do `meanwhile` before its function reads the row."""

    def lose_response(call: Call) -> None:
        if call.operation in _WRITES:
            world.calls.after = None
            meanwhile()
            raise lost_response_error()

    world.calls.after = lose_response


def prevent_first_write(world: World, meanwhile: Callable[[], object]) -> None:
    """Keep the first write from DynamoDB; do `meanwhile` before its function reads the row."""

    def prevent(call: Call) -> None:
        if call.operation in _WRITES:
            world.calls.before = None
            meanwhile()
            raise client_error("ThrottlingException")

    world.calls.before = prevent


def test_update_built_upon_by_others_is_reported_uncertain(world: World, schedule: Schedule) -> None:
    def update_again() -> None:
        assert get_schedule(world.services, schedule.install_id, schedule.id).definition.payload == "[1]"
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(name="other"))

    lose_first_write_response(world, update_again)

    with pytest.raises(UnconfirmedChange, match="it may still take effect"):
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(payload=[1]))
    assert get_schedule(world.services, schedule.install_id, schedule.id).definition.payload == "[1]"


def test_update_of_a_since_deleted_schedule_is_reported_uncertain(world: World, schedule: Schedule) -> None:
    lose_first_write_response(
        world, lambda: delete_schedule(world.services, schedule.install_id, schedule.id)
    )

    with pytest.raises(UnconfirmedChange):
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(payload=[1]))


def test_write_that_never_reached_the_table_is_reported_unavailable(world: World, schedule: Schedule) -> None:
    prevent_first_write(world, lambda: None)

    with pytest.raises(Unavailable) as failure:
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(payload=[1]))
    assert not isinstance(failure.value, UnconfirmedChange)


def test_switch_reverted_by_others_is_reported_uncertain(world: World, install_id: InstallId) -> None:
    def switch_enabled(*, enabled: bool) -> object:
        return set_install_enabled(world.services, install_id, enabled=enabled, actor=ADMIN)

    lose_first_write_response(world, lambda: switch_enabled(enabled=True))

    with pytest.raises(UnconfirmedChange):
        switch_enabled(enabled=False)


def test_pause_ended_by_others_is_reported_uncertain(world: World) -> None:
    world.register_install()

    def set_paused(*, paused: bool) -> object:
        return set_tenant_paused(world.services, TENANT, paused=paused, actor=ADMIN)

    lose_first_write_response(world, lambda: set_paused(paused=False))

    with pytest.raises(UnconfirmedChange):
        set_paused(paused=True)
    assert_consistent(world)


def test_uninstall_finished_by_a_registration_is_reported_uncertain(world: World, schedule: Schedule) -> None:
    lose_first_write_response(world, lambda: world.register_install(schedule.install_id))

    with pytest.raises(UnconfirmedChange):
        delete_install(world.services, schedule.install_id, actor=ADMIN)
    assert world.scan_rows_of_type(schedule.install_id, "schedule") == []


def test_registration_deleted_since_is_reported_uncertain(world: World) -> None:
    install_id = InstallId("install-new")
    lose_first_write_response(world, lambda: delete_install(world.services, install_id, actor=ADMIN))

    with pytest.raises(UnconfirmedChange):
        world.register_install(install_id)


def test_change_whose_rollback_is_uncertain_is_not_reported_as_made(world: World, schedule: Schedule) -> None:
    """EventBridge refuses, the response to the rollback is lost, and others update what was rolled back."""

    def refuse(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            world.calls.before = None
            lose_first_write_response(world, update_again)
            raise client_error("ValidationException")

    def update_again() -> None:
        other = update_schedule(world.services, schedule.install_id, schedule.id, update_input(name="other"))
        assert other.definition.cron == "0 * * * *"

    world.calls.before = refuse

    with pytest.raises(UnconfirmedChange):
        update_schedule(world.services, schedule.install_id, schedule.id, update_input(cron="5 * * * *"))
    assert get_schedule(world.services, schedule.install_id, schedule.id).definition.cron == "0 * * * *"
    assert_consistent(world)


@pytest.mark.parametrize("action", ["disabled", "deleted", "switched off", "paused"])
def test_schedule_stopped_during_uncertain_claim_does_not_run(
    world: World, schedule: Schedule, action: str
) -> None:
    services, ids = world.services, (schedule.install_id, schedule.id)
    stop_actions: dict[str, Callable[[], object]] = {
        "disabled": lambda: update_schedule(services, *ids, update_input(enabled=False)),
        "deleted": lambda: delete_schedule(services, *ids),
        "switched off": lambda: set_install_enabled(
            services, schedule.install_id, enabled=False, actor=ADMIN
        ),
        "paused": lambda: set_tenant_paused(services, TENANT, paused=True, actor=ADMIN),
    }
    fire = next_hourly_fire(world, schedule)
    lose_first_write_response(world, stop_actions[action])

    result = execute_fire(services, world.runner, fire)

    assert result is (SkipReason.UNKNOWN_SCHEDULE if action == "deleted" else SkipReason.DISABLED)
    assert world.runner.fires == []
    (run,) = services.runs.read_run_page(*ids, before=None, limit=10).runs
    assert (run.status, run.scheduled_time) == (RunStatus.SKIPPED, format_time(world.clock[0]))


def test_uncertain_claim_runs_once_if_still_allowed(world: World, schedule: Schedule) -> None:
    fire = next_hourly_fire(world, schedule)
    renamed = update_input(name="renamed")
    lose_first_write_response(
        world, lambda: update_schedule(world.services, schedule.install_id, schedule.id, renamed)
    )

    execute_fire(world.services, world.runner, fire)
    assert execute_fire(world.services, world.runner, fire) is SkipReason.DUPLICATE
    assert world.runner.fires == [fire]
