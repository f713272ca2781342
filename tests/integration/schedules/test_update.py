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

from tests.support.aws.calls import Call, client_error, lost_response_error
from tests.support.stacks.world import (
    World,
    create_input,
    on_moto_and_memory,
    read_timer_input,
    registration_body,
    update_input,
)

pytestmark = on_moto_and_memory


def test_timer_is_updated_with_its_revision(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())

    update_schedule(
        world.services, install_id, schedule.id, update_input(cron="*/5 * * * *", timezone="Asia/Tokyo")
    )

    timer = world.read_timers()[schedule.id]
    assert timer["ScheduleExpressionTimezone"] == "Asia/Tokyo"
    assert timer["ScheduleExpression"] == "cron(0,5,10,15,20,25,30,35,40,45,50,55 * * * ? *)"
    assert read_timer_input(world, schedule)["revision"] == 2


def test_timer_is_unchanged_by_fields_it_does_not_contain(world: World, install_id: InstallId) -> None:
    """A fire in delivery keeps its revision, so that a change of the payload loses no occurrence."""
    schedule = create_schedule(world.services, install_id, create_input())
    world.calls.recorded.clear()

    update_schedule(world.services, install_id, schedule.id, update_input(payload=[1], name="renamed"))

    assert world.calls.operation_names() == ["BatchGetItem", "TransactWriteItems"]
    assert read_timer_input(world, schedule)["revision"] == 1


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        pytest.param({"cron": "0 * * * *"}, {"cron": "00 * * * *"}, id="leading zero"),
        pytest.param({"cron": "0 9 * * 1-5"}, {"cron": "0 9 * * MON-FRI"}, id="names of days"),
        pytest.param({"timezone": "Europe/Berlin"}, {"timezone": "EUROPE/berlin"}, id="zone in another case"),
    ],
)
def test_same_rule_in_other_words_leaves_the_timer_alone(
    world: World, install_id: InstallId, stored: dict[str, str], sent: dict[str, str]
) -> None:
    """An occurrence on its way keeps its revision, and EventBridge is not called."""
    schedule = create_schedule(world.services, install_id, create_input(**stored))
    timers = world.read_timers()
    world.calls.recorded.clear()

    after = update_schedule(world.services, install_id, schedule.id, update_input(**sent))

    assert world.calls.operation_names() == ["BatchGetItem", "TransactWriteItems"]
    assert (after.revision, after.timer_revision, after.pending) == (2, 1, False)
    assert after.definition.cron == sent.get("cron", "0 * * * *")
    assert world.read_timers() == timers


def test_an_update_makes_four_calls(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(name="old"))
    world.calls.recorded.clear()

    update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *", name="new"))

    assert world.calls.operation_names() == [
        "BatchGetItem",
        "TransactWriteItems",
        "UpdateSchedule",
        "TransactWriteItems",
    ]
    assert [row["sk"] for row in world.scan_rows_of_type(install_id, "name")] == ["UNIQUE#new"]


def test_disabling_deletes_the_timer_and_enabling_recreates_it(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())

    update_schedule(world.services, install_id, schedule.id, update_input(enabled=False))
    assert world.read_timers() == {}

    update_schedule(world.services, install_id, schedule.id, update_input(enabled=True))
    assert read_timer_input(world, schedule)["revision"] == 3


def test_null_clears_name_and_payload_and_absence_keeps_them(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(name="nightly", payload={"a": 1}))

    update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))
    unchanged = get_schedule(world.services, install_id, schedule.id).definition
    assert (unchanged.name, unchanged.payload) == ("nightly", '{"a":1}')

    update_schedule(world.services, install_id, schedule.id, update_input(name=None, payload=None))
    cleared = get_schedule(world.services, install_id, schedule.id).definition
    assert (cleared.name, cleared.payload) == (None, None)
    create_schedule(world.services, install_id, create_input(name="nightly"))


def test_a_name_of_another_schedule_is_refused(world: World, install_id: InstallId) -> None:
    create_schedule(world.services, install_id, create_input(name="taken"))
    schedule = create_schedule(world.services, install_id, create_input(name="mine"))

    with pytest.raises(NameTaken):
        update_schedule(world.services, install_id, schedule.id, update_input(name="taken"))
    with pytest.raises(ValidationFailed) as refusal:
        update_schedule(world.services, install_id, schedule.id, update_input(name="taken", timezone="x"))
    assert list(refusal.value.field_errors) == ["timezone", "name"]
    update_schedule(world.services, install_id, schedule.id, update_input(name="mine"))


def test_if_match_admits_the_current_revision_only(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())

    update_schedule(
        world.services, install_id, schedule.id, update_input(enabled=False), if_match=frozenset({1})
    )
    with pytest.raises(PreconditionFailed):
        update_schedule(
            world.services, install_id, schedule.id, update_input(enabled=True), if_match=frozenset({1})
        )


def test_invalid_update_changes_nothing(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    before = world.scan_rows(install_id)

    with pytest.raises(ValidationFailed):
        update_schedule(
            world.services, install_id, schedule.id, update_input(cron="* * * * *", enabled=False)
        )

    assert world.scan_rows(install_id) == before


def test_foreign_schedule_is_not_found_and_not_changed(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    before = world.scan_rows(install_id)
    other = world.register_install(tenantId="tenant-2")

    with pytest.raises(ScheduleNotFound):
        update_schedule(world.services, other, schedule.id, update_input(enabled=False))

    assert world.scan_rows(install_id) == before


@pytest.mark.parametrize(
    "failure",
    [client_error("ThrottlingException"), lost_response_error(), client_error("ValidationException")],
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_refused_update_changes_nothing(
    world: World, install_id: InstallId, failure: Exception, moment: str
) -> None:
    schedule = create_schedule(world.services, install_id, create_input(name="old"))
    definition = get_schedule(world.services, install_id, schedule.id).definition

    def fail(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            raise failure

    setattr(world.calls, moment, fail)
    with pytest.raises(Exception, match=r"^Schedule not updated: "):
        update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *", name="new"))
    setattr(world.calls, moment, None)
    world.advance(seconds=61)
    reconcile(world.services)

    after = get_schedule(world.services, install_id, schedule.id)
    assert after.definition == definition
    assert world.read_timers()[schedule.id]["ScheduleExpression"] == "cron(0 * * * ? *)"
    assert read_timer_input(world, schedule)["revision"] == after.timer_revision
    assert [row["sk"] for row in world.scan_rows_of_type(install_id, "name")] == ["UNIQUE#old"]


def test_update_finishes_a_pending_change_first(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())

    def kill(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            raise KeyboardInterrupt

    world.calls.before = kill
    with pytest.raises(KeyboardInterrupt):
        update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))
    world.calls.before = None
    assert len(world.scan_rows_of_type(install_id, "schedule")[0]["pendingSince"]) > 0

    update_schedule(world.services, install_id, schedule.id, update_input(payload=[1]))

    assert world.read_timers()[schedule.id]["ScheduleExpression"] == "cron(5 * * * ? *)"
    assert "pendingSince" not in world.scan_rows_of_type(install_id, "schedule")[0]


def test_timer_matches_row_when_a_slow_writer_finishes_last(world: World, install_id: InstallId) -> None:
    """The first update stalls before its call of EventBridge, while a second one finishes it and changes more."""
    schedule = create_schedule(world.services, install_id, create_input())
    overtaken: list[Call] = []

    def overtake(call: Call) -> None:
        if call.operation == "UpdateSchedule" and not overtaken:
            overtaken.append(call)
            update_schedule(world.services, install_id, schedule.id, update_input(cron="10 * * * *"))

    world.calls.before = overtake
    update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))

    row = get_schedule(world.services, install_id, schedule.id)
    assert row.definition.cron == "10 * * * *"
    assert world.read_timers()[schedule.id]["ScheduleExpression"] == "cron(10 * * * ? *)"
    assert read_timer_input(world, schedule)["revision"] == row.timer_revision


def test_update_during_outage_does_not_build_on_a_pending_change(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())

    def kill(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            raise KeyboardInterrupt

    def fail(call: Call) -> None:
        if call.service == "scheduler":
            raise lost_response_error()

    world.calls.before = kill
    with pytest.raises(KeyboardInterrupt):
        update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))
    world.calls.before = fail

    with pytest.raises(Unavailable, match=r"^Schedule not updated: an earlier change"):
        update_schedule(world.services, install_id, schedule.id, update_input(payload=[1]))


def test_rollback_does_not_restore_an_endpoint_removed_by_a_move(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    manifest = registration_body()["manifest"]
    both = [endpoint for endpoint in manifest["api"]["endpoints"] if endpoint["path"] == "/api/both"]

    def move_and_refuse(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            world.calls.before = None
            world.register_install(
                install_id,
                versionId="version-2",
                manifest={**manifest, "version": "2.0.0", "api": {"endpoints": both}},
            )
            raise client_error("ValidationException")

    world.calls.before = move_and_refuse
    update_schedule(
        world.services, install_id, schedule.id, update_input(endpoint="POST /api/both", cron="5 * * * *")
    )

    after = get_schedule(world.services, install_id, schedule.id)
    assert (after.definition.endpoint, after.pending) == ("POST /api/both", False)
    assert read_timer_input(world, schedule)["revision"] == after.timer_revision


def test_lost_response_leaves_no_timer_for_a_disabled_install(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())

    def disable(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            world.calls.before = None
            world.register_install(install_id, enabled=False)
            world.calls.after = lose_response

    def lose_response(call: Call) -> None:
        if call.operation == "CreateSchedule":
            world.calls.after = None
            raise lost_response_error()

    world.calls.before = disable
    update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))

    assert world.read_timers() == {}
