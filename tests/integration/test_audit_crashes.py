"""Whatever an operation was stopped at, and however it was ended: what there is has been told."""

import pytest
from scheduling.operations.reconcile import reconcile

from tests.support.audit_listener import assert_heard
from tests.support.crashes import OPERATIONS, WAYS, attempt, cases
from tests.support.world import new_world


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_who_has_heard_all_events_knows_what_there_is(name: str, way: str) -> None:
    with new_world(aws="memory") as world:
        assert world.memory
        for case, told in cases(world, OPERATIONS[name], way):
            assert_heard(world.memory)
            if told != "done":
                attempt(case, OPERATIONS[name])
            world.advance(seconds=61)
            assert reconcile(world.services).failed == 0
            assert_heard(world.memory)
