"""Any two operations at the same time, each held up after each of its AWS calls while the other goes on."""

import pytest
from hypothesis import settings

from tests.properties.test_two_systems_commands import (
    Command,
    Create,
    Delete,
    Deliver,
    Reconcile,
    Register,
    Uninstall,
    Update,
)
from tests.properties.test_two_systems_driver import TwoSystems
from tests.support.interleaving import Fault, Plan

_NINE = "2026-11-23T09:00:00Z"
_COMMANDS: dict[str, Command] = {
    "create": Create(0, None, 0, "x", 1, True),
    "create with a key": Create(0, "a", 0, None, 1, True),
    "create with the same key": Create(0, "a", 1, None, 1, True),
    "move": Update(0, 2, None, "x", True),
    "disable": Update(0, None, False, "keep", False),
    "delete": Delete(0, False),
    "disable the install": Register(0, False, True, 1),
    "register": Register(0, True, True, 2),
    "uninstall": Uninstall(0),
    "deliver": Deliver(0, _NINE, "current", "success"),
    "reconcile": Reconcile(),
}
_FIRST = Create(0, None, 0, None, 0, True)
_LONGEST = 9
"""More AWS calls than any of the operations makes here."""
_AT_LENGTH = settings.get_current_profile_name() == "nightly"
_STEPS = range(1, _LONGEST) if _AT_LENGTH else (2, 3, 4)
_OTHERS = (3, _LONGEST) if _AT_LENGTH else (_LONGEST,)
_BEGINNINGS = ["from settled", "from a change whose function died"] if _AT_LENGTH else ["from settled"]
_FAULTS: dict[str, dict[int, Fault]] = {"quiet": {}, "LOST at 1": {1: Fault.LOST}}
"""Of one call of EventBridge."""
if _AT_LENGTH:
    _TIMER_FAULTS = (Fault.LOST, Fault.REFUSED, Fault.KILLED_AFTER)
    _FAULTS |= {f"{fault.name} at {at}": {at: fault} for at in (0, 1) for fault in _TIMER_FAULTS}


@pytest.mark.parametrize("fault", _FAULTS)
@pytest.mark.parametrize("others", _OTHERS)
@pytest.mark.parametrize("beginning", _BEGINNINGS)
@pytest.mark.parametrize("second", _COMMANDS)
@pytest.mark.parametrize("first", _COMMANDS)
def test_two_at_the_same_time(first: str, second: str, beginning: str, others: int, fault: str) -> None:
    """With room for one schedule more, and for three writes a minute, or one after the change that died."""
    left = beginning != "from settled"
    for steps in _STEPS:
        systems = TwoSystems(writes_per_minute=3, schedules=2)
        systems.do([_FIRST], Plan(), 0)
        if left:
            systems.do([Update(0, 3, None, "keep", False)], Plan(faults={2: Fault.KILLED_AFTER}), 0)
        turns = [(0, steps), (1, others), (0, _LONGEST), (1, _LONGEST)]
        plan = Plan(turns, timer_faults=_FAULTS[fault])
        systems.do([_COMMANDS[first], _COMMANDS[second]], plan, 61 if left else 0)
        systems.end()


def test_an_install_removed_and_registered_again_while_its_removal_is_held_up() -> None:
    for steps in range(1, _LONGEST):
        systems = TwoSystems(writes_per_minute=3, schedules=2)
        systems.do([_FIRST], Plan(), 0)
        turns = [(0, steps), (1, 99), (2, 99), (0, 99)]
        commands: list[Command] = [Uninstall(0), Register(0, True, True, 1), _FIRST]
        systems.do(commands, Plan(turns), 0)
        systems.end()
