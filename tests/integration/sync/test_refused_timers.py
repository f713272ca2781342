"""EventBridge finds a timer invalid, or refuses it for another reason: what callers get, and what stays."""

from collections.abc import Callable

import pytest
from scheduling.api.callback import error_response
from scheduling.api.problems import problem_response
from scheduling.domain.errors import RulesViolated, ScheduleNotFound, SchedulingError, Unavailable
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_schedules
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, Killed, client_error, refuse_zone
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.world import (
    TABLE,
    World,
    aws_client,
    create_input,
    on_moto_and_memory,
    update_input,
)

pytestmark = on_moto_and_memory
ZONE = "America/Coyhaique"
"""A zone that tzdata has and that the tests let EventBridge refuse."""


def refuse_all(code: str) -> Callable[[Call], None]:
    def refuse(call: Call) -> None:
        if call.service == "scheduler":
            raise client_error(code, call.operation)

    return refuse


def store_zone(schedule: Schedule, zone: str) -> None:
    """Store the zone as an earlier release did."""
    aws_client("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"INSTALL#{schedule.install_id}"}, "sk": {"S": f"SCHEDULE#{schedule.id}"}},
        UpdateExpression="SET #zone = :zone",
        ExpressionAttributeNames={"#zone": "timezone"},
        ExpressionAttributeValues={":zone": {"S": zone}},
    )


def assert_zone_is_reported(error: SchedulingError) -> None:
    assert error.field_errors == {"timezone": "Invalid timezone"}
    assert problem_response(error)["statusCode"] == 400
    assert error_response(error, rule_error_status=400)["statusCode"] == 400
    assert error_response(error, rule_error_status=200)["statusCode"] == 200


def test_refused_zone_of_a_create_is_reported_and_leaves_nothing(world: World, install_id: InstallId) -> None:
    world.calls.before = refuse_zone(ZONE)

    with pytest.raises(RulesViolated) as refusal:
        create_schedule(world.services, install_id, create_input(timezone=ZONE, name="nightly"))

    assert_zone_is_reported(refusal.value)
    assert [row["type"] for row in world.scan_rows(install_id)] == ["install"]
    assert_consistent(world)


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        pytest.param({}, {"timezone": ZONE}, id="the zone"),
        pytest.param({}, {"timezone": ZONE, "cron": "5 * * * *", "name": "new"}, id="zone and others"),
        pytest.param({"timezone": ZONE, "enabled": False}, {"enabled": True}, id="enabled with the zone"),
    ],
)
def test_refused_zone_of_an_update_is_reported_and_changes_nothing(
    world: World, install_id: InstallId, stored: dict[str, object], sent: dict[str, object]
) -> None:
    schedule = create_schedule(world.services, install_id, create_input(**stored))
    world.calls.before = refuse_zone(ZONE)

    with pytest.raises(RulesViolated) as refusal:
        update_schedule(world.services, install_id, schedule.id, update_input(**sent))

    assert_zone_is_reported(refusal.value)
    after = get_schedule(world.services, install_id, schedule.id)
    assert (after.definition, after.pending) == (schedule.definition, False)
    assert_consistent(world)


@pytest.mark.parametrize(
    ("code", "zone"),
    [
        pytest.param("AccessDeniedException", ZONE, id="denied"),
        pytest.param("ValidationException", "UTC", id="invalid, and UTC is never at fault"),
        pytest.param(
            "ValidationException", ZONE, id="invalid in UTC, too, as a role that may not be assumed"
        ),
    ],
)
def test_refusal_for_another_reason_is_an_internal_error(
    world: World, install_id: InstallId, code: str, zone: str
) -> None:
    world.calls.before = refuse_all(code)

    with pytest.raises(SchedulingError, match=r"^Schedule not created: ") as refusal:
        create_schedule(world.services, install_id, create_input(timezone=zone))

    assert refusal.value.field_errors == {}
    assert problem_response(refusal.value)["statusCode"] == 500
    assert list_schedules(world.services, install_id).schedules == []


def test_role_that_may_not_be_assumed_is_logged_for_the_operator(
    world: World, install_id: InstallId, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = create_schedule(world.services, install_id, create_input(timezone=ZONE))
    before = world.read_timers()
    world.calls.before = refuse_all("ValidationException")

    with pytest.raises(SchedulingError, match=r"^Schedule not updated: ") as refusal:
        update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))
    world.calls.before = None

    assert refusal.value.field_errors == {}
    assert "EventBridge refuses the target or the role of timers" in caplog.text
    assert world.read_timers() == before


@pytest.mark.parametrize("operation", ["CreateSchedule", "DeleteSchedule"])
def test_outage_while_the_zone_is_tried_in_utc(world: World, install_id: InstallId, operation: str) -> None:
    """Without an answer to the other timer, nobody knows whose fault it is; what is left of it, the sweep deletes."""
    refuse_in_zone = refuse_zone(ZONE)

    def refuse(call: Call) -> None:
        refuse_in_zone(call)
        is_probe = call.service == "scheduler" and len(call.arguments["Name"]) > 36
        if is_probe and call.operation == operation:
            raise client_error("ThrottlingException", call.operation)

    world.calls.before = refuse
    expected = Unavailable if operation == "CreateSchedule" else RulesViolated

    with pytest.raises(expected) as refusal:
        create_schedule(world.services, install_id, create_input(timezone=ZONE))

    assert type(refusal.value) is expected
    world.calls.before = None
    states = [timer["State"] for timer in world.read_timers().values()]
    assert states == ([] if operation == "CreateSchedule" else ["DISABLED"])


def test_refused_deletion_is_never_the_zones_fault(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input(timezone=ZONE))
    world.calls.before = refuse_all("ValidationException")

    with pytest.raises(SchedulingError, match=r"^Schedule not deleted: ") as refusal:
        delete_schedule(world.services, install_id, schedule.id)

    assert refusal.value.field_errors == {}


def test_stored_zone_that_is_refused_by_now_can_be_read_changed_and_deleted(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    store_zone(schedule, "EST")

    assert get_schedule(world.services, install_id, schedule.id).definition.timezone == "EST"
    renamed = update_schedule(world.services, install_id, schedule.id, update_input(name="renamed"))
    assert (renamed.definition.name, renamed.definition.timezone) == ("renamed", "EST")
    with pytest.raises(RulesViolated) as refusal:
        update_schedule(world.services, install_id, schedule.id, update_input(timezone="EST"))
    assert_zone_is_reported(refusal.value)
    update_schedule(world.services, install_id, schedule.id, update_input(enabled=False))
    update_schedule(world.services, install_id, schedule.id, update_input(enabled=True, timezone="UTC"))
    store_zone(schedule, "EST")
    delete_schedule(world.services, install_id, schedule.id)
    assert_consistent(world)


class TestAbandonedChange:
    """A function has died between its write of the row and its call of EventBridge, which refuses the change."""

    @pytest.fixture
    def schedule(self, world: World, install_id: InstallId) -> Schedule:
        def kill(call: Call) -> None:
            if call.operation == "UpdateSchedule":
                raise Killed

        schedule = create_schedule(world.services, install_id, create_input(name="nightly"))
        world.calls.before = kill
        with pytest.raises(Killed):
            update_schedule(world.services, install_id, schedule.id, update_input(timezone=ZONE))
        world.calls.before = refuse_zone(ZONE)
        return schedule

    def test_is_left_alone_while_its_function_may_run(self, world: World, schedule: Schedule) -> None:
        world.advance(seconds=59)

        with pytest.raises(Unavailable, match=r"^Schedule not updated: an earlier change"):
            update_schedule(
                world.services, schedule.install_id, schedule.id, update_input(timezone="Asia/Tokyo")
            )
        with pytest.raises(Unavailable, match=r"^Schedule not deleted: an earlier change"):
            delete_schedule(world.services, schedule.install_id, schedule.id)

    def test_can_be_corrected(self, world: World, schedule: Schedule) -> None:
        world.advance(seconds=60)
        assert reconcile(world.services).synced == 0

        with pytest.raises(RulesViolated) as refusal:
            update_schedule(world.services, schedule.install_id, schedule.id, update_input(payload=[1]))
        assert_zone_is_reported(refusal.value)
        after = update_schedule(
            world.services, schedule.install_id, schedule.id, update_input(timezone="Asia/Tokyo")
        )

        assert (after.definition.timezone, after.definition.payload, after.pending) == (
            "Asia/Tokyo",
            None,
            False,
        )
        assert_consistent(world)

    def test_can_be_deleted(self, world: World, schedule: Schedule) -> None:
        world.advance(seconds=60)

        delete_schedule(world.services, schedule.install_id, schedule.id)

        with pytest.raises(ScheduleNotFound):
            get_schedule(world.services, schedule.install_id, schedule.id)
        assert_consistent(world)

    def test_stays_in_the_way_while_eventbridge_does_not_respond(
        self, world: World, schedule: Schedule
    ) -> None:
        world.advance(seconds=60)
        world.calls.before = refuse_all("ThrottlingException")

        with pytest.raises(Unavailable, match=r"^Schedule not deleted: an earlier change"):
            delete_schedule(world.services, schedule.install_id, schedule.id)


def test_row_of_an_abandoned_disable_is_not_deleted_before_its_timer(
    world: World, install_id: InstallId
) -> None:
    schedule = create_schedule(world.services, install_id, create_input())

    def kill(call: Call) -> None:
        if call.operation == "DeleteSchedule":
            raise Killed

    world.calls.before = kill
    with pytest.raises(Killed):
        update_schedule(world.services, install_id, schedule.id, update_input(enabled=False))
    refusals = [client_error("AccessDeniedException", "DeleteSchedule")]

    def refuse_once(call: Call) -> None:
        if call.operation == "DeleteSchedule" and refusals:
            raise refusals.pop()

    world.calls.before = refuse_once
    world.advance(seconds=60)
    delete_schedule(world.services, install_id, schedule.id)

    assert world.read_timers() == {}
    assert_consistent(world)
