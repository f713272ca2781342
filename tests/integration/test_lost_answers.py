"""A write whose answer is lost, while others go on before its function can look: what its caller is told is true."""

from collections.abc import Callable

import pytest
from scheduling.domain.errors import Unavailable, UnconfirmedChange
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import RunStatus, SkipReason, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws_calls import Call, lost, refused
from tests.support.consistency import assert_consistent
from tests.support.world import ADMIN, TENANT, World, changed, next_fire_of, on_both, wanted

pytestmark = on_both
_WRITES = {"PutItem", "UpdateItem", "TransactWriteItems"}


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, wanted())


def lose_the_first_write(world: World, meanwhile: Callable[[], object]) -> None:
    """Its answer is lost; before its function looks, `meanwhile` is done."""

    def lose(call: Call) -> None:
        if call.operation in _WRITES:
            world.calls.after = None
            meanwhile()
            raise lost()

    world.calls.after = lose


def prevent_the_first_write(world: World, meanwhile: Callable[[], object]) -> None:
    """It does not reach DynamoDB; before its function looks, `meanwhile` is done."""

    def prevent(call: Call) -> None:
        if call.operation in _WRITES:
            world.calls.before = None
            meanwhile()
            raise refused("ThrottlingException")

    world.calls.before = prevent


def test_an_update_that_others_have_built_on_is_not_told_as_not_made(
    world: World, schedule: Schedule
) -> None:
    def build_on_it() -> None:
        assert get_schedule(world.services, schedule.install_id, schedule.id).definition.payload == "[1]"
        update_schedule(world.services, schedule.install_id, schedule.id, changed(name="other"))

    lose_the_first_write(world, build_on_it)

    with pytest.raises(UnconfirmedChange, match="it may still take effect"):
        update_schedule(world.services, schedule.install_id, schedule.id, changed(payload=[1]))
    assert get_schedule(world.services, schedule.install_id, schedule.id).definition.payload == "[1]"


def test_an_update_whose_schedule_is_gone_since_is_not_told_as_not_made(
    world: World, schedule: Schedule
) -> None:
    lose_the_first_write(world, lambda: delete_schedule(world.services, schedule.install_id, schedule.id))

    with pytest.raises(UnconfirmedChange):
        update_schedule(world.services, schedule.install_id, schedule.id, changed(payload=[1]))


def test_what_did_not_reach_the_table_is_told_as_not_made(world: World, schedule: Schedule) -> None:
    prevent_the_first_write(world, lambda: None)

    with pytest.raises(Unavailable) as told:
        update_schedule(world.services, schedule.install_id, schedule.id, changed(payload=[1]))
    assert not isinstance(told.value, UnconfirmedChange)


def test_a_switch_that_others_have_turned_back_is_not_told_as_not_made(
    world: World, install_id: InstallId
) -> None:
    def switch(*, enabled: bool) -> object:
        return set_install_enabled(world.services, install_id, enabled=enabled, actor=ADMIN)

    lose_the_first_write(world, lambda: switch(enabled=True))

    with pytest.raises(UnconfirmedChange):
        switch(enabled=False)


def test_a_pause_that_others_have_ended_is_not_told_as_not_made(world: World) -> None:
    world.register()

    def turn(*, paused: bool) -> object:
        return set_tenant_paused(world.services, TENANT, paused=paused, actor=ADMIN)

    lose_the_first_write(world, lambda: turn(paused=False))

    with pytest.raises(UnconfirmedChange):
        turn(paused=True)
    assert_consistent(world)


def test_a_deletion_that_a_registration_has_finished_is_not_told_as_not_made(
    world: World, schedule: Schedule
) -> None:
    lose_the_first_write(world, lambda: world.register(schedule.install_id))

    with pytest.raises(UnconfirmedChange):
        delete_install(world.services, schedule.install_id, actor=ADMIN)
    assert world.kinds(schedule.install_id, "schedule") == []


def test_a_registration_of_which_nothing_is_left_is_not_told_as_not_made(world: World) -> None:
    install_id = InstallId("install-new")
    lose_the_first_write(world, lambda: delete_install(world.services, install_id, actor=ADMIN))

    with pytest.raises(UnconfirmedChange):
        world.register(install_id)


def test_a_change_whose_undo_may_have_been_built_on_is_not_told_as_made(
    world: World, schedule: Schedule
) -> None:
    """EventBridge refuses, the answer to the undo is lost, and others update what was taken back."""

    def refuse(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            world.calls.before = None
            lose_the_first_write(world, build_on_it)
            raise refused("ValidationException")

    def build_on_it() -> None:
        other = update_schedule(world.services, schedule.install_id, schedule.id, changed(name="other"))
        assert other.definition.cron == "0 * * * *"

    world.calls.before = refuse

    with pytest.raises(UnconfirmedChange):
        update_schedule(world.services, schedule.install_id, schedule.id, changed(cron="5 * * * *"))
    assert get_schedule(world.services, schedule.install_id, schedule.id).definition.cron == "0 * * * *"
    assert_consistent(world)


@pytest.mark.parametrize("to", ["disabled", "deleted", "switched off", "paused"])
def test_what_was_stopped_while_the_answer_to_the_claim_was_awaited_is_not_run(
    world: World, schedule: Schedule, to: str
) -> None:
    services, of = world.services, (schedule.install_id, schedule.id)
    stop: dict[str, Callable[[], object]] = {
        "disabled": lambda: update_schedule(services, *of, changed(enabled=False)),
        "deleted": lambda: delete_schedule(services, *of),
        "switched off": lambda: set_install_enabled(
            services, schedule.install_id, enabled=False, actor=ADMIN
        ),
        "paused": lambda: set_tenant_paused(services, TENANT, paused=True, actor=ADMIN),
    }
    fire = next_fire_of(world, schedule)
    lose_the_first_write(world, stop[to])

    told = execute_fire(services, world.runner, fire)

    assert told is (SkipReason.UNKNOWN_SCHEDULE if to == "deleted" else SkipReason.DISABLED)
    assert world.runner.fires == []
    (run,) = services.runs.read_run_page(*of, before=None, limit=10).runs
    assert (run.status, run.scheduled_time) == (RunStatus.SKIPPED, format_time(world.clock[0]))


def test_a_claim_whose_answer_was_lost_is_run_once_where_nothing_speaks_against_it(
    world: World, schedule: Schedule
) -> None:
    fire = next_fire_of(world, schedule)
    renamed = changed(name="renamed")
    lose_the_first_write(
        world, lambda: update_schedule(world.services, schedule.install_id, schedule.id, renamed)
    )

    execute_fire(world.services, world.runner, fire)
    assert execute_fire(world.services, world.runner, fire) is SkipReason.DUPLICATE
    assert world.runner.fires == [fire]
