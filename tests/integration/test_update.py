import pytest
from scheduling.domain.errors import (
    NameTaken,
    PreconditionFailed,
    ScheduleNotFound,
    Unavailable,
    ValidationFailed,
)
from scheduling.domain.ids import InstallId
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws_calls import Call, lost, refused
from tests.support.world import World, changed, on_both, registration_body, timer_input, wanted

pytestmark = on_both


def test_the_timer_follows_with_its_revision(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())

    update_schedule(
        world.services, install_id, schedule.id, changed(cron="*/5 * * * *", timezone="Asia/Tokyo")
    )

    timer = world.timers()[schedule.id]
    assert timer["ScheduleExpressionTimezone"] == "Asia/Tokyo"
    assert timer["ScheduleExpression"] == "cron(0,5,10,15,20,25,30,35,40,45,50,55 * * * ? *)"
    assert timer_input(world, schedule)["revision"] == 2


def test_what_the_timer_does_not_show_leaves_it_alone(world: World, install_id: InstallId) -> None:
    """A fire that is on its way keeps its revision, so a change of payload at that moment loses no occurrence."""
    schedule = create_schedule(world.services, install_id, wanted())
    world.calls.made.clear()

    update_schedule(world.services, install_id, schedule.id, changed(payload=[1], name="renamed"))

    assert world.calls.operations() == ["BatchGetItem", "TransactWriteItems"]
    assert timer_input(world, schedule)["revision"] == 1


def test_an_update_makes_four_calls(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted(name="old"))
    world.calls.made.clear()

    update_schedule(world.services, install_id, schedule.id, changed(cron="5 * * * *", name="new"))

    assert world.calls.operations() == [
        "BatchGetItem",
        "TransactWriteItems",
        "UpdateSchedule",
        "TransactWriteItems",
    ]
    assert [row["sk"] for row in world.kinds(install_id, "name")] == ["UNIQUE#new"]


def test_disabling_removes_the_timer_and_enabling_makes_it_again(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())

    update_schedule(world.services, install_id, schedule.id, changed(enabled=False))
    assert world.timers() == {}

    update_schedule(world.services, install_id, schedule.id, changed(enabled=True))
    assert timer_input(world, schedule)["revision"] == 3


def test_null_clears_name_and_payload_and_absence_keeps_them(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted(name="nightly", payload={"a": 1}))

    update_schedule(world.services, install_id, schedule.id, changed(cron="5 * * * *"))
    kept = get_schedule(world.services, install_id, schedule.id).definition
    assert (kept.name, kept.payload) == ("nightly", '{"a":1}')

    update_schedule(world.services, install_id, schedule.id, changed(name=None, payload=None))
    cleared = get_schedule(world.services, install_id, schedule.id).definition
    assert (cleared.name, cleared.payload) == (None, None)
    create_schedule(world.services, install_id, wanted(name="nightly"))


def test_a_name_of_another_schedule_is_refused(world: World, install_id: InstallId) -> None:
    create_schedule(world.services, install_id, wanted(name="taken"))
    schedule = create_schedule(world.services, install_id, wanted(name="mine"))

    with pytest.raises(NameTaken):
        update_schedule(world.services, install_id, schedule.id, changed(name="taken"))
    with pytest.raises(ValidationFailed) as refused:
        update_schedule(world.services, install_id, schedule.id, changed(name="taken", timezone="x"))
    assert list(refused.value.field_errors) == ["timezone", "name"]
    update_schedule(world.services, install_id, schedule.id, changed(name="mine"))


def test_if_match_admits_the_current_revision_only(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())

    update_schedule(world.services, install_id, schedule.id, changed(enabled=False), if_match=frozenset({1}))
    with pytest.raises(PreconditionFailed):
        update_schedule(
            world.services, install_id, schedule.id, changed(enabled=True), if_match=frozenset({1})
        )


def test_a_broken_rule_changes_nothing(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    before = world.rows(install_id)

    with pytest.raises(ValidationFailed):
        update_schedule(world.services, install_id, schedule.id, changed(cron="* * * * *", enabled=False))

    assert world.rows(install_id) == before


def test_another_installs_schedule_is_not_found_and_not_changed(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    before = world.rows(install_id)
    other = world.register(tenantId="tenant-2")

    with pytest.raises(ScheduleNotFound):
        update_schedule(world.services, other, schedule.id, changed(enabled=False))

    assert world.rows(install_id) == before


@pytest.mark.parametrize("failure", [refused("ThrottlingException"), lost(), refused("ValidationException")])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_not_updated_means_just_that(
    world: World, install_id: InstallId, failure: Exception, moment: str
) -> None:
    schedule = create_schedule(world.services, install_id, wanted(name="old"))
    definition = get_schedule(world.services, install_id, schedule.id).definition

    def fail(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            raise failure

    setattr(world.calls, moment, fail)
    with pytest.raises(Exception, match=r"^Schedule not updated: "):
        update_schedule(world.services, install_id, schedule.id, changed(cron="5 * * * *", name="new"))
    setattr(world.calls, moment, None)
    world.advance(seconds=61)
    reconcile(world.services)

    after = get_schedule(world.services, install_id, schedule.id)
    assert after.definition == definition
    assert world.timers()[schedule.id]["ScheduleExpression"] == "cron(0 * * * ? *)"
    assert timer_input(world, schedule)["revision"] == after.timer_revision
    assert [row["sk"] for row in world.kinds(install_id, "name")] == ["UNIQUE#old"]


def test_an_update_finishes_what_a_dead_one_left_before_it_builds_on_it(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, wanted())

    def die(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            raise KeyboardInterrupt

    world.calls.before = die
    with pytest.raises(KeyboardInterrupt):
        update_schedule(world.services, install_id, schedule.id, changed(cron="5 * * * *"))
    world.calls.before = None
    assert len(world.kinds(install_id, "schedule")[0]["pendingSince"]) > 0

    update_schedule(world.services, install_id, schedule.id, changed(payload=[1]))

    assert world.timers()[schedule.id]["ScheduleExpression"] == "cron(5 * * * ? *)"
    assert "pendingSince" not in world.kinds(install_id, "schedule")[0]


def test_the_timer_ends_as_the_row_says_when_a_slow_writer_comes_last(
    world: World, install_id: InstallId
) -> None:
    """The first update stalls before its call of EventBridge, while a second helps it, and goes further."""
    schedule = create_schedule(world.services, install_id, wanted())
    overtaken: list[Call] = []

    def overtake(call: Call) -> None:
        if call.operation == "UpdateSchedule" and not overtaken:
            overtaken.append(call)
            update_schedule(world.services, install_id, schedule.id, changed(cron="10 * * * *"))

    world.calls.before = overtake
    update_schedule(world.services, install_id, schedule.id, changed(cron="5 * * * *"))

    row = get_schedule(world.services, install_id, schedule.id)
    assert row.definition.cron == "10 * * * *"
    assert world.timers()[schedule.id]["ScheduleExpression"] == "cron(10 * * * ? *)"
    assert timer_input(world, schedule)["revision"] == row.timer_revision


def test_an_update_during_an_outage_does_not_build_on_what_may_be_taken_back(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, wanted())

    def die(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            raise KeyboardInterrupt

    def fail(call: Call) -> None:
        if call.service == "scheduler":
            raise lost()

    world.calls.before = die
    with pytest.raises(KeyboardInterrupt):
        update_schedule(world.services, install_id, schedule.id, changed(cron="5 * * * *"))
    world.calls.before = fail

    with pytest.raises(Unavailable, match=r"^Schedule not updated: an earlier change"):
        update_schedule(world.services, install_id, schedule.id, changed(payload=[1]))


def test_a_change_is_not_taken_back_to_an_endpoint_that_the_version_moved_to_lacks(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, wanted())
    manifest = registration_body()["manifest"]
    both = [endpoint for endpoint in manifest["api"]["endpoints"] if endpoint["path"] == "/api/both"]

    def move_and_refuse(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            world.calls.before = None
            world.register(
                install_id,
                versionId="version-2",
                manifest={**manifest, "version": "2.0.0", "api": {"endpoints": both}},
            )
            raise refused("ValidationException")

    world.calls.before = move_and_refuse
    update_schedule(
        world.services, install_id, schedule.id, changed(endpoint="POST /api/both", cron="5 * * * *")
    )

    after = get_schedule(world.services, install_id, schedule.id)
    assert (after.definition.endpoint, after.pending) == ("POST /api/both", False)
    assert timer_input(world, schedule)["revision"] == after.timer_revision


def test_a_lost_answer_leaves_no_timer_to_an_install_that_was_disabled_meanwhile(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, wanted())

    def disable(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            world.calls.before = None
            world.register(install_id, enabled=False)
            world.calls.after = lose

    def lose(call: Call) -> None:
        if call.operation == "CreateSchedule":
            world.calls.after = None
            raise lost()

    world.calls.before = disable
    update_schedule(world.services, install_id, schedule.id, changed(cron="5 * * * *"))

    assert world.timers() == {}
