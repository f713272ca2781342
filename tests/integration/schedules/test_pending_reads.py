"""What readers get while EventBridge has not confirmed a change: the desired state, its ETag, and `pending`."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.requests.idempotency import IdempotencyKey
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import get_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, Killed, fail_timer_calls, refuse_zone
from tests.support.stacks.functions import Context, deploy_functions, http_event, load_function
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
Fields = Mapping[str, Any]
_TIMER_WRITES = {"CreateSchedule", "UpdateSchedule", "DeleteSchedule"}


@pytest.fixture(autouse=True)
def deployed_functions(world: World) -> Iterator[None]:
    with deploy_functions(world):
        yield


def call_function(operation: str, body: object = None, **path: str) -> tuple[Fields, Fields]:
    """Return the body and the headers of the response."""
    response = load_function(operation).handler({**http_event(body), "pathParameters": path}, Context())
    return json.loads(response["body"]), response["headers"]


def call_callback(operation: str, schedule: Schedule) -> Fields:
    body = {"operation": operation, "scheduleId": schedule.id}
    return call_function("callback", body, installId=schedule.install_id)[0]


_READS: dict[str, Callable[[Schedule], Fields]] = {
    "callback get": lambda schedule: call_callback("get", schedule)["schedule"],
    "callback list": lambda schedule: call_callback("list", schedule)["schedules"][0],
    "get": lambda schedule: call_function("get", installId=schedule.install_id, scheduleId=schedule.id)[0],
    "list": lambda schedule: call_function("list", installId=schedule.install_id)[0]["schedules"][0],
    "tenant": lambda _: call_function("tenant_schedules", tenantId=TENANT)[0]["schedules"][0],
}


def read_before_timer_write(world: World, read: Callable[[], Any]) -> list[Any]:
    """Read before the next write to EventBridge; the list has the result after it."""
    results: list[Any] = []

    def read_once(call: Call) -> None:
        if call.operation in _TIMER_WRITES and not results:
            results.append(None)
            results[0] = read()

    world.calls.before = read_once
    return results


@pytest.mark.parametrize("read", _READS)
def test_change_in_progress_is_read_as_desired_and_pending(
    world: World, install_id: InstallId, read: str
) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    assert "pending" not in _READS[read](schedule)
    during = read_before_timer_write(world, lambda: _READS[read](schedule))

    update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))

    assert [(fields["cron"], fields["pending"]) for fields in during] == [("5 * * * *", True)]
    after = _READS[read](schedule)
    assert (after["cron"], "pending" in after) == ("5 * * * *", False)


def pause(world: World, _install_id: InstallId) -> None:
    set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)


def disable(world: World, install_id: InstallId) -> None:
    set_install_enabled(world.services, install_id, enabled=False, actor=ADMIN)


@pytest.mark.parametrize("change", [pause, disable])
def test_schedule_whose_install_is_being_stopped_is_pending(
    world: World, install_id: InstallId, change: Callable[[World, InstallId], None]
) -> None:
    """The change is not in the schedule's row yet, and its timer still exists."""
    first, second = (create_schedule(world.services, install_id, create_input()) for _ in range(2))
    idle = create_schedule(world.services, install_id, create_input(enabled=False))

    def read_all() -> list[bool]:
        listed = call_function("tenant_schedules", tenantId=TENANT)[0]["schedules"]
        assert [fields["id"] for fields in listed] == [first.id, second.id, idle.id]
        return ["pending" in fields for fields in listed]

    during = read_before_timer_write(world, read_all)
    change(world, install_id)

    assert during == [[True, True, False]]
    assert read_all() == [False, False, False]


def test_schedule_whose_endpoint_is_being_removed_is_pending(world: World, install_id: InstallId) -> None:
    schedule = create_schedule(world.services, install_id, create_input())
    world.calls.before = fail_timer_calls
    manifest = {"name": "sample", "publisher": "tests", "version": "2.0.0"}
    body = {"tenantId": TENANT, "registryId": "registry-1", "versionId": "version-2", "manifest": manifest}
    event = http_event(
        {**body, "contentHash": "sha256:0", "grantedCapabilities": []},
        query={"onMissingEndpoint": "disable"},
        installId=install_id,
    )

    assert load_function("install_put").handler(event, Context())["statusCode"] == 200

    (fields,) = call_function("tenant_schedules", tenantId=TENANT)[0]["schedules"]
    assert (fields["id"], fields["enabled"], fields["pending"]) == (schedule.id, False, True)


def test_responses_of_create_and_patch_are_confirmed(install_id: InstallId) -> None:
    created, _ = call_function(
        "create", {"endpoint": "POST /api/sync", "cron": "0 * * * *"}, installId=install_id
    )
    patched, _ = call_function(
        "update", {"cron": "5 * * * *"}, installId=install_id, scheduleId=created["id"]
    )

    assert [("pending" in fields, fields["cron"]) for fields in (created, patched)] == [
        (False, "0 * * * *"),
        (False, "5 * * * *"),
    ]


def test_change_that_others_keep_is_pending_in_its_response(world: World, install_id: InstallId) -> None:
    """A move of the install prevents the rollback, and EventBridge does not respond."""
    schedule = create_schedule(world.services, install_id, create_input())

    def move_then_fail(call: Call) -> None:
        if call.operation == "UpdateSchedule":
            world.calls.before = None
            world.register_install(install_id, contentHash="sha256:" + "1" * 64)
            world.calls.before = fail_timer_calls
        fail_timer_calls(call)

    world.calls.before = move_then_fail
    after = update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))

    assert (after.definition.cron, after.pending) == ("5 * * * *", True)
    assert get_schedule(world.services, install_id, schedule.id).pending


def test_repeated_create_is_pending_while_the_first_cannot_be_finished(
    world: World, install_id: InstallId
) -> None:
    """A function has died after it has written the row, and EventBridge refuses the timer ever since."""
    key = IdempotencyKey("key", "hash")

    def kill(call: Call) -> None:
        if call.operation == "CreateSchedule":
            raise Killed

    world.calls.before = kill
    with pytest.raises(Killed):
        create_schedule(world.services, install_id, create_input(timezone="Asia/Tokyo"), key)
    world.calls.before = refuse_zone("Asia/Tokyo")
    world.advance(minutes=2)

    repeated = create_schedule(world.services, install_id, create_input(timezone="Asia/Tokyo"), key)

    assert repeated.pending


def test_no_number_is_used_twice(world: World, install_id: InstallId) -> None:
    """`If-Match` with the number of a change that was rolled back never matches a later change."""
    schedule = create_schedule(world.services, install_id, create_input())

    def read_tag() -> str:
        return str(call_function("get", installId=install_id, scheduleId=schedule.id)[1]["etag"])

    tags = {read_tag(): "0 * * * *"}
    during: list[str] = []

    def read_then_fail(call: Call) -> None:
        if call.operation == "UpdateSchedule" and not during:
            during.append(read_tag())
            fail_timer_calls(call)

    for cron in ("5 * * * *", "10 * * * *"):
        during.clear()
        world.calls.before = read_then_fail
        with pytest.raises(Exception, match=r"^Schedule not updated: "):
            update_schedule(world.services, install_id, schedule.id, update_input(cron=cron))
        assert tags.setdefault(during[0], cron) == cron
        assert tags.setdefault(read_tag(), f"instead of {cron}") == f"instead of {cron}"
    update_schedule(world.services, install_id, schedule.id, update_input(cron="15 * * * *"))

    assert tags.setdefault(read_tag(), "the last") == "the last"
    for tag in list(tags)[:-1]:
        event = http_event(
            {"cron": "20 * * * *"},
            headers={"if-match": tag},
            installId=install_id,
            scheduleId=schedule.id,
        )
        assert load_function("update").handler(event, Context())["statusCode"] == 412
