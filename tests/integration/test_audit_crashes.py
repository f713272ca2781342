"""Whatever an operation was stopped at, and however it was ended: what there is has been told."""

import pytest
from scheduling.operations.reconcile import reconcile

from tests.support.audit_listener import Listener
from tests.support.crashes import OPERATIONS, WAYS, attempt, cases
from tests.support.world import new_world


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_who_has_heard_all_events_knows_what_there_is(name: str, way: str) -> None:
    with new_world(aws="memory") as world:
        assert world.memory
        listener = Listener(world.memory)
        for case, told in cases(world, OPERATIONS[name], way):
            listener.assert_heard()
            if told != "done":
                attempt(case, OPERATIONS[name])
            world.advance(seconds=61)
            assert reconcile(world.services).failed == 0
            listener.assert_heard()
