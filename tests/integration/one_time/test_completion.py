from datetime import UTC, datetime, timedelta

import pytest
from scheduling.domain.errors import NameTaken, QuotaExceeded, RulesViolated, ScheduleNotFound
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Execution, Fire, Outcome, Run, RunStatus, SkipReason, Trigger
from scheduling.domain.schedule import Schedule
from scheduling.operations.runs.deliver import deliver_occurrence
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_schedules
from scheduling.operations.schedules.update import update_schedule

from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.fires import (
    PlayedQueue,
    create_fire,
    delivery_from_message,
    execute_fire,
    fire_one_time,
    list_history,
)
from tests.support.stacks.functions import Context, deploy_functions, http_event, load_function
from tests.support.stacks.world import (
    ADMIN,
    DEAD_LETTER_QUEUE_URL,
    FakeRunner,
    World,
    create_input,
    on_moto_and_memory,
    registration_body,
    update_input,
)

pytestmark = on_moto_and_memory

AT = "at(2026-11-23T10:00)"
TIME = "2026-11-23T10:00:00Z"
FAILED = Outcome(status=RunStatus.ERROR, http_status=503, error="The extension answered 503", retryable=True)
REFUSED = Outcome(status=RunStatus.ERROR, http_status=404, error="The extension answered 404")


@pytest.fixture
def schedule(world: World, install_id: InstallId) -> Schedule:
    return create_schedule(world.services, install_id, create_input(cron=AT, name="once"))


def run_once(world: World, schedule: Schedule) -> Run | SkipReason:
    fire = fire_one_time(world, schedule)
    world.calls.recorded.clear()
    return execute_fire(world.services, world.runner, fire)


def read(world: World, schedule: Schedule) -> Schedule:
    return get_schedule(world.services, schedule.install_id, schedule.id)


def read_count(world: World, install_id: InstallId) -> int:
    install = world.services.installs.read_install(install_id)
    assert install is not None
    return install.schedule_count


def test_the_timer_is_eventbridges_and_deletes_itself(world: World, schedule: Schedule) -> None:
    timer = world.read_timers()[schedule.id]
    assert (timer["ScheduleExpression"], timer["ActionAfterCompletion"]) == (
        "at(2026-11-23T10:00:00)",
        "DELETE",
    )


def test_the_end_of_its_run_completes_it(world: World, schedule: Schedule) -> None:
    run_once(world, schedule)

    assert world.calls.operation_names() == ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"]
    completed = read(world, schedule)
    assert (completed.definition.enabled, completed.disabled_reason) == (False, "completed")
    assert (completed.revision, completed.changed_by, completed.pending) == (2, "system", False)
    assert completed.expires_at == world.clock[0] + timedelta(days=30)
    assert completed.last_run
    assert completed.last_run.status == "success"
    assert read_count(world, schedule.install_id) == 0
    assert world.scan_rows_of_type(schedule.install_id, "name") == []


def test_a_name_and_a_place_are_free_after_completion(world: World, schedule: Schedule) -> None:
    run_once(world, schedule)

    other = create_schedule(world.services, schedule.install_id, create_input(name="once"))
    assert other.definition.name == "once"
    assert read_count(world, schedule.install_id) == 1
    assert read(world, schedule).definition.name == "once"
    assert_consistent(world)


def test_a_run_that_will_be_retried_completes_nothing(world: World, schedule: Schedule) -> None:
    world.runner.outcome = FAILED
    run_once(world, schedule)
    assert read(world, schedule).definition.enabled is True

    PlayedQueue(world).deliver_for(minutes=10)

    (run,) = list_history(world, schedule)
    assert (run.attempt, run.failed_permanently) == (3, True)
    assert read(world, schedule).completed
    assert len(world.list_sent_messages(DEAD_LETTER_QUEUE_URL)) == 1
    assert_consistent(world)


def test_a_refusal_of_the_extension_completes_it(world: World, schedule: Schedule) -> None:
    world.runner.outcome = REFUSED
    run_once(world, schedule)
    assert read(world, schedule).completed


def test_a_replay_of_a_completed_one_runs(world: World, schedule: Schedule) -> None:
    world.runner.outcome = FAILED
    run_once(world, schedule)
    queue = PlayedQueue(world)
    queue.deliver_for(minutes=10)
    completed = read(world, schedule)
    (letter,) = world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
    world.runner.outcome = Outcome(status=RunStatus.SUCCESS, http_status=200)

    deliver_occurrence(world.services, world.runner, delivery_from_message(letter, world.clock[0]))

    (run,) = list_history(world, schedule)
    assert (run.status, run.attempt) == (RunStatus.SUCCESS, 4)
    after = read(world, schedule)
    assert (after.revision, after.expires_at) == (completed.revision, completed.expires_at)
    assert read_count(world, schedule.install_id) == 0


def test_a_second_delivery_of_a_completed_one_is_a_duplicate(world: World, schedule: Schedule) -> None:
    run_once(world, schedule)
    fire = create_fire(schedule, TIME)
    assert execute_fire(world.services, world.runner, fire) is SkipReason.DUPLICATE


def test_a_completed_one_runs_now(world: World, schedule: Schedule) -> None:
    run_once(world, schedule)
    fires: list[Fire] = []
    run_now(
        world.services,
        lambda fire, _: fires.append(fire),
        schedule.install_id,
        schedule.id,
        None,
        actor=ADMIN,
    )
    (fire,) = fires

    run = execute_fire(world.services, world.runner, fire)

    assert isinstance(run, Run)
    assert (run.status, run.trigger) == (RunStatus.SUCCESS, Trigger.MANUAL)
    assert read(world, schedule).completed


def test_a_manual_run_completes_nothing(world: World, schedule: Schedule) -> None:
    fires: list[Fire] = []
    run_now(
        world.services,
        lambda fire, _: fires.append(fire),
        schedule.install_id,
        schedule.id,
        None,
        actor=ADMIN,
    )
    execute_fire(world.services, world.runner, fires[0])
    assert read(world, schedule).definition.enabled is True


def test_the_occurrence_of_an_earlier_rule_completes_nothing(world: World, schedule: Schedule) -> None:
    change = update_input(cron="at(2026-11-23T12:00)")
    update_schedule(world.services, schedule.install_id, schedule.id, change)
    world.clock[0] = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

    assert (
        execute_fire(world.services, world.runner, create_fire(schedule, TIME)) is SkipReason.STALE_REVISION
    )
    assert read(world, schedule).definition.enabled is True


def test_a_rule_that_its_owner_changes_during_the_run_is_not_completed(
    world: World, schedule: Schedule
) -> None:
    class Changing(FakeRunner):
        def __call__(self, execution: Execution) -> Outcome:
            change = update_input(cron="at(2026-11-23T12:00)")
            update_schedule(world.services, schedule.install_id, schedule.id, change)
            return super().__call__(execution)

    fire = fire_one_time(world, schedule)
    execute_fire(world.services, Changing(), fire)

    changed = read(world, schedule)
    assert (changed.definition.enabled, changed.definition.cron) == (True, "at(2026-11-23T12:00)")
    assert changed.last_run
    assert changed.last_run.status == "success"
    assert_consistent(world)


def test_a_name_that_its_owner_changes_during_the_run_is_freed(world: World, schedule: Schedule) -> None:
    class Renaming(FakeRunner):
        def __call__(self, execution: Execution) -> Outcome:
            change = update_input(name="another")
            update_schedule(world.services, schedule.install_id, schedule.id, change)
            return super().__call__(execution)

    fire = fire_one_time(world, schedule)
    execute_fire(world.services, Renaming(), fire)

    assert read(world, schedule).completed
    assert_consistent(world)


def test_an_occurrence_that_is_skipped_completes_it(world: World, schedule: Schedule) -> None:
    fire = fire_one_time(world, schedule)
    world.register_install(schedule.install_id, grantedCapabilities=[])

    assert execute_fire(world.services, world.runner, fire) is SkipReason.CAPABILITY_REVOKED

    world.register_install(schedule.install_id)
    assert read(world, schedule).completed
    assert_consistent(world)


def test_a_completed_one_is_gone_after_the_history(world: World, schedule: Schedule) -> None:
    run_once(world, schedule)
    world.advance(days=29, hours=23)
    assert [each.id for each in list_schedules(world.services, schedule.install_id).schedules] == [
        schedule.id
    ]

    world.advance(hours=1)

    assert list(list_schedules(world.services, schedule.install_id).schedules) == []
    for operation in (
        lambda: read(world, schedule),
        lambda: delete_schedule(world.services, schedule.install_id, schedule.id),
        lambda: update_schedule(world.services, schedule.install_id, schedule.id, update_input(name="x")),
    ):
        with pytest.raises(ScheduleNotFound):
            operation()


def test_a_completed_one_can_be_deleted(world: World, schedule: Schedule) -> None:
    run_once(world, schedule)
    delete_schedule(world.services, schedule.install_id, schedule.id)
    assert read_count(world, schedule.install_id) == 0
    assert_consistent(world)


def test_a_completed_one_does_not_keep_its_install_from_a_version_without_its_endpoint(
    world: World, schedule: Schedule
) -> None:
    run_once(world, schedule)
    endpoints = [{"method": "GET", "path": "/api/both", "handler": "both_get"}]
    manifest = {**registration_body()["manifest"], "api": {"endpoints": endpoints}}
    result = world.put_install(schedule.install_id, versionId="version-2", manifest=manifest)
    assert (result.changed, list(result.disabled_schedules)) == (True, [])
    assert read(world, schedule).completed
    assert_consistent(world)


class TestRevival:
    """A completed schedule whose owner gives it another rule."""

    def test_another_time_enables_it_again(self, world: World, schedule: Schedule) -> None:
        run_once(world, schedule)
        change = update_input(cron="at(2026-11-23T12:00)", enabled=True)
        update_schedule(world.services, schedule.install_id, schedule.id, change)

        revived = read(world, schedule)
        assert (revived.definition.enabled, revived.disabled_reason, revived.expires_at) == (True, None, None)
        assert read_count(world, schedule.install_id) == 1
        assert_consistent(world)

        execute_fire(world.services, world.runner, fire_one_time(world, revived))
        assert read(world, schedule).completed
        assert_consistent(world)

    def test_another_time_alone_makes_it_a_disabled_one(self, world: World, schedule: Schedule) -> None:
        run_once(world, schedule)
        change = update_input(cron="at(2026-11-23T12:00)")
        update_schedule(world.services, schedule.install_id, schedule.id, change)

        disabled = read(world, schedule)
        assert (disabled.definition.enabled, disabled.disabled_reason) == (False, None)
        assert read_count(world, schedule.install_id) == 1
        assert_consistent(world)

    def test_other_fields_leave_it_completed(self, world: World, schedule: Schedule) -> None:
        run_once(world, schedule)
        change = update_input(payload={"a": 1}, name="other", cron="at(2026-11-23T10:00:00)", timezone=None)
        update_schedule(world.services, schedule.install_id, schedule.id, change)

        changed = read(world, schedule)
        assert (changed.completed, changed.definition.name) == (True, "other")
        assert read_count(world, schedule.install_id) == 0
        assert_consistent(world)

    def test_it_cannot_be_enabled_for_a_time_that_has_passed(self, world: World, schedule: Schedule) -> None:
        run_once(world, schedule)
        with pytest.raises(RulesViolated) as raised:
            update_schedule(world.services, schedule.install_id, schedule.id, update_input(enabled=True))
        assert raised.value.field_errors == {"cron": "One-time schedule must be in the future"}

    def test_it_needs_its_name(self, world: World, schedule: Schedule) -> None:
        run_once(world, schedule)
        create_schedule(world.services, schedule.install_id, create_input(name="once"))
        change = update_input(cron="0 9 * * *", enabled=True)
        with pytest.raises(NameTaken):
            update_schedule(world.services, schedule.install_id, schedule.id, change)
        assert_consistent(world)

    @pytest.mark.parametrize("name", ["other", None], ids=["another", "none"])
    def test_it_does_not_need_the_name_that_it_gives_up(
        self, world: World, schedule: Schedule, name: str | None
    ) -> None:
        run_once(world, schedule)
        create_schedule(world.services, schedule.install_id, create_input(name="once"))
        change = update_input(cron="0 9 * * *", enabled=True, name=name)

        revived = update_schedule(world.services, schedule.install_id, schedule.id, change)

        assert (revived.definition.name, revived.definition.enabled, revived.pending) == (name, True, False)
        assert read_count(world, schedule.install_id) == 2
        assert_consistent(world)

    def test_it_needs_a_place(self, world: World, schedule: Schedule) -> None:
        run_once(world, schedule)
        for _ in range(50):
            create_schedule(world.services, schedule.install_id, create_input())
        change = update_input(cron="0 9 * * *", enabled=True)
        with pytest.raises(QuotaExceeded):
            update_schedule(world.services, schedule.install_id, schedule.id, change)
        assert_consistent(world)

        fields = {"cron": "0 9 * * *", "enabled": True}
        event = http_event(fields, installId=schedule.install_id, scheduleId=schedule.id)
        with deploy_functions(world):
            for function in (
                "update",
                "admin_update",
            ):  # whose responses are as docs/openapi.json describes them
                assert load_function(function).handler(event, Context())["statusCode"] == 409


def test_a_large_payload_expires_with_its_schedule(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(cron=AT, payload={"a": "x" * 2000}))
    run_once(world, schedule)
    (row,) = world.scan_rows_of_type(install_id, "schedule")
    (payload_row,) = world.scan_rows_of_type(install_id, "payload")
    expiry = str(int((world.clock[0] + timedelta(days=30)).timestamp()))
    assert (row["expiresAt"], payload_row["expiresAt"]) == (expiry, expiry)

    revive = update_input(cron="at(2026-11-23T12:00)", enabled=True)
    update_schedule(world.services, install_id, schedule.id, revive)

    (payload_row,) = world.scan_rows_of_type(install_id, "payload")
    assert "expiresAt" not in payload_row
    assert_consistent(world)
