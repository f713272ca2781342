"""The sweep checks its parts in invocations of their own: several at once, in any order, whatever becomes of each."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Barrier, Lock
from typing import Any

import pytest
from scheduling.api.sweep_parts import check_part_event, count_repairs, format_part, parse_result
from scheduling.domain.errors import PartFailed, Unavailable, UnreadableItem
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import PartResult, SweepPart, SweepPhase, SweepState
from scheduling.operations.maintenance import sweep as sweep_module
from scheduling.operations.maintenance.sweep import TIME_BUDGET, sweep
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.services import Services

from tests.integration.maintenance.sweeps import DAY, delete_timer
from tests.support.aws.calls import Call, client_error
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.functions import Context, deploy_functions, load_function
from tests.support.stacks.world import World, create_input, new_world


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world with eight installs, whose schedules have lost their timers; the sweep is due, in parts of two."""
    monkeypatch.setattr(sweep_module, "INSTALLS_OF_PART", 2)
    with new_world(aws="memory") as world:
        sweep(world.services, DAY)
        for _ in range(8):
            delete_timer(create_schedule(world.services, world.register_install(), create_input()))
        world.advance(hours=25)
        yield world


@dataclass
class Invocations:
    """Checks parts as the function does, through its events; records them."""

    services: Services
    parts: list[SweepPart] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def __call__(self, part: SweepPart) -> PartResult:
        with self.lock:
            self.parts.append(part)
        result = check_part_event(self.services, format_part(part))
        assert result is not None
        return parse_result(result)

    def checked_ids(self, phase: SweepPhase) -> list[str]:
        return sorted(item_id for part in self.parts if part.phase is phase for item_id in part.ids)


def read_state(world: World) -> SweepState:
    state = world.services.sweeps.read_sweep_state()
    assert state is not None
    return state


def read_schedules(world: World) -> list[Schedule]:
    install_ids, _ = world.services.sweeps.read_install_ids(None, 50)
    return [
        schedule for each in install_ids for schedule in world.services.sweeps.read_partition(each).schedules
    ]


def test_each_item_is_in_one_part_and_every_repair_is_counted(world: World) -> None:
    invocations = Invocations(world.services)

    repairs = sweep(world.services, DAY, invocations)

    schedules = read_schedules(world)
    assert repairs["missing timer"] == 8
    assert invocations.checked_ids(SweepPhase.INSTALLS) == sorted(each.install_id for each in schedules)
    assert invocations.checked_ids(SweepPhase.TIMERS) == sorted(each.id for each in schedules)
    assert max(len(part.ids) for part in invocations.parts if part.phase is SweepPhase.INSTALLS) == 2
    assert read_state(world).repairs == repairs
    assert_consistent(world)


def test_parts_are_checked_at_once(world: World) -> None:
    """Each waits for the three others."""
    barrier = Barrier(4, timeout=10)
    invocations = Invocations(world.services)

    def run_part(part: SweepPart) -> PartResult:
        if part.phase is SweepPhase.INSTALLS:
            barrier.wait()
        return invocations(part)

    assert sweep(world.services, DAY, run_part)["missing timer"] == 8


def test_a_part_that_fails_stops_no_other_and_its_item_is_found(world: World) -> None:
    invocations = Invocations(world.services)
    harmful = read_schedules(world)[0].install_id

    def run_part(part: SweepPart) -> PartResult:
        if harmful in part.ids:
            raise PartFailed("Runtime exited")
        return invocations(part)

    reported: list[UnreadableItem] = []
    services = replace(world.services, report_unreadable=reported.append)
    repairs = sweep(services, DAY, run_part)

    assert (repairs["missing timer"], repairs["unreadable"]) == (7, 1)
    assert [str(item) for item in reported] == [f"install {harmful} cannot be used: its check failed"]
    assert read_state(world).phase is None
    assert read_state(world).repairs["unreadable"] == 1


def test_a_part_that_fails_when_the_time_is_over_is_passed_over(world: World) -> None:
    """It would fail in the next call, too, and so in each."""
    seconds = [0.0]
    reported: list[UnreadableItem] = []
    services = replace(world.services, monotonic=lambda: seconds[0], report_unreadable=reported.append)

    def run_part(_part: SweepPart) -> PartResult:
        seconds[0] = TIME_BUDGET + 1
        raise PartFailed("Read timeout")

    sweep(services, DAY, run_part)
    seconds[0] = 0.0
    repairs = sweep(services, DAY, Invocations(services))

    assert all(item.id.endswith(" and 1 more") for item in reported)
    assert repairs["missing timer"] == 8 - 2 * len(reported)


@pytest.mark.parametrize("failing", [1, 4], ids=["one invocation", "all invocations"])
def test_parts_that_cannot_be_invoked_are_checked_by_the_caller(world: World, failing: int) -> None:
    invocations = Invocations(world.services)
    refusals = Counter[str]()

    def run_part(part: SweepPart) -> PartResult:
        if len(refusals) < failing:
            refusals[part.ids[0]] += 1
            raise Unavailable("TooManyRequestsException")
        return invocations(part)

    repairs = sweep(world.services, DAY, run_part)

    assert repairs["missing timer"] == 8
    assert read_state(world).phase is None
    assert_consistent(world)


def test_a_part_out_of_time_is_continued_by_the_next_call(world: World) -> None:
    """The position is that of the parts that are complete up to it, though later ones are complete as well."""
    seconds = [0.0]
    services = replace(world.services, monotonic=lambda: seconds[0])
    invocations = Invocations(services)
    first_ids, _ = services.sweeps.read_install_ids(None, 2)

    def run_part(part: SweepPart) -> PartResult:
        if part.ids == first_ids:
            result = invocations(replace(part, ids=part.ids[:1]))
            seconds[0] = TIME_BUDGET + 1
            return result
        return invocations(part)

    first_repairs = sweep(services, DAY, run_part)
    position = read_state(world)
    seconds[0] = 0.0
    second_repairs = sweep(services, DAY, invocations)

    assert position.cursor == first_ids[0]
    assert position.repairs == first_repairs
    assert first_repairs["missing timer"] + second_repairs["missing timer"] == 8
    assert read_state(world).repairs == first_repairs + second_repairs


def test_throttled_parts_are_checked_again_fewer_at_once(world: World) -> None:
    invocations = Invocations(world.services)
    throttled = Counter[str]()

    def throttle(call: Call) -> None:
        if call.operation == "GetSchedule" and not throttled[call.arguments["Name"]]:
            throttled[call.arguments["Name"]] += 1
            raise client_error("ThrottlingException")

    world.calls.before = throttle
    repairs = sweep(world.services, DAY, invocations)

    assert repairs["missing timer"] == 8
    assert read_state(world).phase is None
    assert_consistent(world)


def test_throttling_without_end_ends_with_the_time(world: World) -> None:
    def throttle(call: Call) -> None:
        if call.operation == "GetSchedule":
            raise client_error("ThrottlingException")

    world.calls.before = throttle
    repairs = sweep(world.services, DAY, Invocations(world.services))
    position = read_state(world)
    world.calls.before = None

    assert repairs["missing timer"] == 0
    assert (position.phase, position.cursor) == (SweepPhase.INSTALLS, None)
    assert sweep(world.services, DAY, Invocations(world.services))["missing timer"] == 8


def test_repairs_of_parts_under_way_are_counted_when_another_sweep_takes_over(world: World) -> None:
    invocations = Invocations(world.services)
    overtaking = Lock()
    others: list[Counter[str]] = []

    def run_part(part: SweepPart) -> PartResult:
        with overtaking:
            if not others:
                others.append(sweep(world.services, DAY))
        return invocations(part)

    repairs = sweep(world.services, DAY, run_part)

    assert repairs["missing timer"] + others[0]["missing timer"] == 8
    assert_consistent(world)


def test_function_invokes_itself_for_each_part_and_counts_the_whole(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    events: list[dict[str, Any]] = []
    with deploy_functions(world):
        handler = load_function("reconcile").handler

        def invoke(event: dict[str, Any]) -> object:
            events.append(event)
            return handler(event, Context())

        world.calls.invoke = invoke
        result = handler({"detail-type": "Scheduled Event"}, Context())

    invocations = [call.arguments for call in world.calls.recorded if call.operation == "Invoke"]
    assert result["repaired"]["missing timer"] == 8
    assert [event["sweepPart"]["phase"] for event in events] == ["installs"] * 4 + ["timers"]
    assert {each["FunctionName"] for each in invocations} == {Context.invoked_function_arn}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    repaired = [line["DriftRepaired"] for line in lines if "DriftRepaired" in line]
    assert repaired == [[8]]


def test_runs_that_the_sweep_ends_count_as_failed_and_not_as_drift() -> None:
    counts = {
        name: value for name, (_, value) in count_repairs(Counter({"lost message": 2, "missed": 1})).items()
    }
    assert counts == {"MissedFires": 1, "DriftRepaired": 0, "FinishedOccurrences": 2, "FailedOccurrences": 2}


def test_other_events_are_no_parts(world: World) -> None:
    assert check_part_event(world.services, {"detail-type": "Scheduled Event"}) is None
