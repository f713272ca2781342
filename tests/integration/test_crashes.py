"""Each operation, stopped at each of its AWS calls in each way: it happened or not, as it was told.

`make crashes` writes down what was told and what came of it, in `docs/crashes.md`; here it is held to that.
"""

import pickle
import re
from pathlib import Path

import pytest
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.schedules.create import create_schedule

from tests.support.audit_listener import Listener
from tests.support.crash_table import happened_in_the_end, outcomes, section
from tests.support.crashes import (
    OPERATIONS,
    WAYS,
    Operation,
    all_moved,
    attempt,
    cases,
    move_without_the_endpoint,
    new_case,
    remove_install,
    stop_at,
)
from tests.support.world import new_world, wanted

DOCUMENT = Path(__file__).parents[2] / "docs" / "crashes.md"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_it_happened_or_it_did_not_and_what_was_told_is_true(name: str, way: str) -> None:
    for told, happened in outcomes(name, way):
        if told != "open":
            assert happened == (told == "done")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_whoever_tries_again_succeeds_and_the_audit_tells_what_there_is_at_any_time(
    name: str, way: str
) -> None:
    with new_world(aws="memory") as world:
        assert world.memory
        for case, told in cases(world, OPERATIONS[name], way):
            audit = Listener(world.memory)
            audit.assert_heard()
            if told != "done":
                assert attempt(case, OPERATIONS[name]) == "done"
            assert happened_in_the_end(case, OPERATIONS[name])
            audit.assert_heard()


@pytest.mark.parametrize("way", WAYS)
def test_an_occurrence_is_called_again_only_where_its_outcome_could_not_be_written(way: str) -> None:
    """And never once a success is in the history."""
    with new_world(aws="memory") as world:
        for case, _ in cases(world, OPERATIONS["execute"], way):
            called = len(world.runner.fires)
            succeeded = OPERATIONS["execute"].happened(case)

            attempt(case, OPERATIONS["execute"])
            attempt(case, OPERATIONS["execute"])

            assert world.runner.fires[called:] == ([] if succeeded else [case.fire])
            assert OPERATIONS["execute"].happened(case)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_table_in_the_documents_is_what_comes_of_it(name: str) -> None:
    documented = re.search(rf"## {name}\n.*?(?=\n## |\Z)", DOCUMENT.read_text(), re.DOTALL)
    assert documented
    assert documented.group().strip() == section(name).strip()


def test_a_delete_of_an_install_that_died_is_finished_by_the_next_and_may_be_repeated() -> None:
    with new_world(aws="memory") as world:
        for case, _ in cases(world, OPERATIONS["delete the install"], "killed after"):
            remove_install(case)
            remove_install(case)
            assert world.rows(case.install_id) == []


MOVE = OPERATIONS["move to a version without the endpoint"]


@pytest.mark.parametrize("way", WAYS)
def test_wherever_a_move_stops_all_its_schedules_are_seen_before_it_or_all_after_it(way: str) -> None:
    """Not only in the end: also at once, by their owner and by the executor."""
    with new_world(aws="memory") as world:
        for case, _ in cases(world, MOVE, way):
            moved = all_moved(case)
            called = len(world.runner.fires)
            execute_fire(world.services, world.runner, case.fire)
            assert len(world.runner.fires) - called == (0 if moved else 1)


def test_fifty_schedules_that_no_transaction_could_hold_move_all_or_not_at_all() -> None:
    """5 MB of payloads, where a transaction takes 4; stopped early, at every seventh call, and at the end."""
    payload = ["x" * 99_000]
    with new_world(aws="memory") as world:
        case = new_case(world, Operation(lambda _: None, all_moved))
        for number in range(49):
            create_schedule(
                world.services, case.install_id, wanted(name=f"schedule {number}", payload=payload)
            )
        assert world.memory
        before = pickle.dumps((world.memory.tables, world.memory.timers))
        world.calls.made.clear()
        move_without_the_endpoint(case)
        length = len(world.calls.made)
        assert length > 200

        for number in (*range(1, 8), *range(8, length, 7), length):
            world.memory.tables, world.memory.timers = pickle.loads(before)  # noqa: S301 (its own)
            stop_at(world.calls, number, "killed after")
            attempt(case, MOVE)
            world.calls.before = world.calls.after = None
            all_moved(case)
            happened_in_the_end(case, MOVE)
