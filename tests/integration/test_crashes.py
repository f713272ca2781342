"""Each operation, stopped at each of its AWS calls in each way: it happened or not, as it was told."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
from scheduling.domain.errors import InstallNotFound, ScheduleNotFound, SchedulingError
from scheduling.domain.idempotency import IdempotencyKey
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.create import create
from scheduling.operations.delete import delete
from scheduling.operations.reading import get_schedule
from scheduling.operations.reconcile import reconcile
from scheduling.operations.uninstall import delete_install
from scheduling.operations.update import update

from tests.support.aws_calls import AwsCalls, Call, Killed, lost, refused
from tests.support.consistency import assert_consistent
from tests.support.world import World, changed, new_world, wanted


@dataclass
class Case:
    """One install with one schedule, and one on which to act."""

    world: World
    install_id: InstallId
    schedule: Schedule


@dataclass(frozen=True)
class Operation:
    """What is done, and how to see whether it was."""

    act: Callable[[Case], object]
    happened: Callable[[Case], bool]


def definition(case: Case) -> tuple[str, bool, str | None, str | None]:
    found = get_schedule(case.world.services, case.install_id, case.schedule.id).definition
    return found.cron, found.enabled, found.name, found.payload


def names(case: Case) -> set[str]:
    return {row["sk"] for row in case.world.kinds(case.install_id, "name")}


def exists(case: Case) -> bool:
    return any(row["sk"].endswith(case.schedule.id) for row in case.world.kinds(case.install_id, "schedule"))


def installed(case: Case) -> bool:
    return bool(case.world.kinds(case.install_id, "install"))


def enabled(case: Case) -> bool:
    return bool(case.world.kinds(case.install_id, "install")[0]["enabled"])


def do_create(case: Case) -> object:
    key = IdempotencyKey("key", "hash")
    return create(case.world.services, case.install_id, wanted(name="created"), key)


def do_update(**fields: object) -> Callable[[Case], object]:
    def act(case: Case) -> object:
        return update(case.world.services, case.install_id, case.schedule.id, changed(**fields))

    return act


def do_delete(case: Case) -> None:
    with suppress(ScheduleNotFound):  # a retry, of what is done or will be
        delete(case.world.services, case.install_id, case.schedule.id)


def do_delete_install(case: Case) -> None:
    with suppress(InstallNotFound):
        delete_install(case.world.services, case.install_id)


OPERATIONS = {
    "create": Operation(do_create, lambda case: "UNIQUE#created" in names(case)),
    "update the timer and the name": Operation(
        do_update(cron="5 * * * *", name="after"), lambda case: definition(case)[0] == "5 * * * *"
    ),
    "update the payload": Operation(do_update(payload=[1]), lambda case: definition(case)[3] == "[1]"),
    "disable": Operation(do_update(enabled=False), lambda case: not definition(case)[1]),
    "delete": Operation(do_delete, lambda case: not exists(case)),
    "disable the install": Operation(
        lambda case: case.world.register(case.install_id, enabled=False), lambda case: not enabled(case)
    ),
    "delete the install": Operation(do_delete_install, lambda case: not installed(case)),
}


def stop_at(calls: AwsCalls, number: int, way: str) -> None:
    """Stop the `number`th call from now on in the way named; an outage lasts."""
    seen = 0

    def before(_call: Call) -> None:
        nonlocal seen
        seen += 1
        if way == "killed before" and seen == number:
            raise Killed
        if way == "throttled" and seen == number:
            raise refused("ThrottlingException")
        if way == "outage" and seen >= number:
            raise lost()

    def after(_call: Call) -> None:
        if way == "killed after" and seen == number:
            raise Killed
        if way == "lost" and seen == number:
            raise lost()

    calls.before, calls.after = before, after


def count_calls(world: World, operation: Operation) -> int:
    case = new_case(world)
    world.calls.made.clear()
    operation.act(case)
    return len(world.calls.made)


def new_case(world: World) -> Case:
    install_id = world.register()
    return Case(world, install_id, create(world.services, install_id, wanted(name="before")))


def attempt(case: Case, operation: Operation) -> str:
    """What the caller is told: `done`, `open` (nothing, or not certain), or `not done`."""
    try:
        operation.act(case)
    except Killed:
        return "open"
    except SchedulingError as error:
        return "open" if "may still take effect" in str(error) or "shortly" in str(error) else "not done"
    return "done"


@pytest.mark.parametrize("way", ["killed before", "killed after", "lost", "throttled", "outage"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_it_happened_or_it_did_not_and_what_was_told_is_true(name: str, way: str) -> None:
    operation = OPERATIONS[name]
    with new_world(aws="memory") as world:
        for number in range(1, count_calls(world, operation) + 1):
            for client_retries in (False, True):
                case = new_case(world)
                stop_at(world.calls, number, way)
                told = attempt(case, operation)
                world.calls.before = world.calls.after = None
                at = f"{name}, {way} at call {number}: told {told}"

                if told != "done" and client_retries:
                    told = attempt(case, operation)
                    assert told == "done", at
                world.advance(seconds=61)
                assert reconcile(world.services).failed == 0, at

                assert_consistent(world)
                if told != "open":
                    assert operation.happened(case) == (told == "done"), at
                do_delete_install(case)
