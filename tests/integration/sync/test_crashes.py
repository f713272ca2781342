"""Each operation, with each fault at each of its AWS calls: it was applied or not, as it has reported.

`make crashes` writes the reported and the actual results to `docs/crashes.md`; these tests compare them.
"""

import pickle
import re
from pathlib import Path

import pytest
from scheduling.operations.schedules.create import create_schedule

from tests.support.faults.crash_operations import (
    OPERATIONS,
    CrashOperation,
    delete_install_if_exists,
    is_fully_moved,
    move_to_version_without_endpoint,
    new_case,
)
from tests.support.faults.crash_table import applied_after_reconcile, list_outcomes, render_section
from tests.support.faults.crashes import FAULTS, attempt_operation, inject_fault, run_fault_cases
from tests.support.oracles.event_replica import EventReplica
from tests.support.stacks.fires import execute_fire
from tests.support.stacks.world import create_input, new_world

CRASH_TABLE_PAGE = Path(__file__).parents[3] / "docs" / "crashes.md"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_reported_result_is_true(name: str, fault: str) -> None:
    for reported, applied in list_outcomes(name, fault):
        if reported != "open":
            assert applied == (reported == "done")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_retry_succeeds_and_events_match_table_throughout(name: str, fault: str) -> None:
    with new_world(aws="memory") as world:
        assert world.memory
        for case, reported in run_fault_cases(world, OPERATIONS[name], fault):
            audit = EventReplica(world.memory)
            audit.assert_matches_table()
            if reported != "done":
                assert attempt_operation(case, OPERATIONS[name]) == "done"
            assert applied_after_reconcile(case, OPERATIONS[name])
            audit.assert_matches_table()


@pytest.mark.parametrize("fault", FAULTS)
def test_occurrence_runs_again_only_if_its_outcome_was_not_written(fault: str) -> None:
    """It never runs again once a success is in the history."""
    with new_world(aws="memory") as world:
        for case, _ in run_fault_cases(world, OPERATIONS["execute"], fault):
            call_count = len(world.runner.fires)
            succeeded = OPERATIONS["execute"].is_applied(case)

            attempt_operation(case, OPERATIONS["execute"])
            attempt_operation(case, OPERATIONS["execute"])

            assert world.runner.fires[call_count:] == ([] if succeeded else [case.fire])
            assert OPERATIONS["execute"].is_applied(case)


@pytest.mark.parametrize("name", OPERATIONS)
def test_documented_table_matches_outcomes(name: str) -> None:
    documented = re.search(rf"## {name}\n.*?(?=\n## |\Z)", CRASH_TABLE_PAGE.read_text(), re.DOTALL)
    assert documented
    assert documented.group().strip() == render_section(name).strip()


def test_interrupted_install_delete_is_finished_by_the_next_and_repeatable() -> None:
    with new_world(aws="memory") as world:
        for case, _ in run_fault_cases(world, OPERATIONS["delete the install"], "killed after"):
            delete_install_if_exists(case)
            delete_install_if_exists(case)
            assert world.scan_rows(case.install_id) == []


MOVE = OPERATIONS["move to a version without the endpoint"]


@pytest.mark.parametrize("fault", FAULTS)
def test_interrupted_move_is_visible_for_all_schedules_or_none(fault: str) -> None:
    """Their owner and the executor see the same at once, not only in the end."""
    with new_world(aws="memory") as world:
        for case, _ in run_fault_cases(world, MOVE, fault):
            moved = is_fully_moved(case)
            call_count = len(world.runner.fires)
            execute_fire(world.services, world.runner, case.fire)
            assert len(world.runner.fires) - call_count == (0 if moved else 1)


def test_fifty_schedules_beyond_one_transaction_move_all_or_none() -> None:
    """5 MB of payloads, where a transaction takes 4; stopped at the first seven, every 21st, and the last calls."""
    payload = ["x" * 99_000]
    with new_world(aws="memory") as world:
        case = new_case(world, CrashOperation(lambda _: None, is_fully_moved))
        for number in range(49):
            create_schedule(
                world.services, case.install_id, create_input(name=f"schedule {number}", payload=payload)
            )
        assert world.memory
        before = pickle.dumps((world.memory.tables, world.memory.timers))
        world.calls.recorded.clear()
        move_to_version_without_endpoint(case)
        length = len(world.calls.recorded)
        assert length > 200

        for number in (*range(1, 8), *range(8, length, 21), length):
            world.memory.tables, world.memory.timers = pickle.loads(before)  # noqa: S301 - pickled by this test
            inject_fault(world.calls, number, "killed after")
            attempt_operation(case, MOVE)
            world.calls.before = world.calls.after = None
            is_fully_moved(case)
            applied_after_reconcile(case, MOVE)
