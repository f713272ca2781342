"""Any two operations at the same time, each held up after each of its AWS calls while the other goes on."""

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import settings

from tests.properties.test_two_systems_commands import (
    WITHOUT_FIRST,
    Command,
    Create,
    Delete,
    Deliver,
    Reconcile,
    Register,
    RunNow,
    Switch,
    Turn,
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
_ON_INSTALLS: dict[str, Command] = {
    "leave the endpoint": Register(0, True, True, WITHOUT_FIRST, disable_missing=True),
    "leave it if unused": Register(0, True, True, WITHOUT_FIRST),
    "ask what leaving it would do": Register(
        0, True, True, WITHOUT_FIRST, disable_missing=True, dry_run=True
    ),
    "switch off": Switch(0, False),
    "switch on": Switch(0, True),
    "pause": Turn(True),
    "resume": Turn(False),
    "run now": RunNow(0, "a"),
}
_BEFORE: dict[str, Command] = {"switch on": Switch(0, False), "resume": Turn(True)}
"""What must come first for the operation to do anything."""
_RIVALS = ("create", "move", "uninstall", "deliver", "pause")
"""Those that each operation on whole installs meets while EventBridge answers, and each other one, and itself, also
while it does not; at length, all meet all."""
_NAMED = (
    {"create with a key"},
    {"create with a key", "create with the same key"},
    {"delete"},
    {"disable the install", "register"},
)
"""Of `docs/reliability.md`: the answer of EventBridge that is lost is also the first."""
_ALL = {**_COMMANDS, **_ON_INSTALLS}
_FIRST = Create(0, None, 0, None, 0, True)
_LONGEST = 9
"""More AWS calls than any of the operations makes here."""
_AT_LENGTH = settings.get_current_profile_name() == "nightly"
_STEPS = range(1, _LONGEST) if _AT_LENGTH else (2, 3, 4)
_STEPS_HELD = range(1, 12) if _AT_LENGTH else (2, 3)
_OTHERS = (3, _LONGEST) if _AT_LENGTH else (_LONGEST,)
_BEGINNINGS = ["from settled", "from a change whose function died"] if _AT_LENGTH else ["from settled"]
_FAULTS: dict[str, dict[int, Fault]] = {
    "quiet": {},
    "LOST at 1": {1: Fault.LOST},
    "LOST at 0": {0: Fault.LOST},
}
"""Of one call of EventBridge."""
if _AT_LENGTH:
    _TIMER_FAULTS = (Fault.LOST, Fault.REFUSED, Fault.KILLED_AFTER)
    _FAULTS |= {f"{fault.name} at {at}": {at: fault} for at in (0, 1) for fault in _TIMER_FAULTS}


def _pairs() -> Iterator[tuple[str, str, str]]:
    for first, second, fault in product(_ALL, _ALL, _FAULTS):
        of_schedules = first in _COMMANDS and second in _COMMANDS
        named = {first, second} in _NAMED
        telling = named or first in _RIVALS or second in _RIVALS or first == second
        wanted = {"quiet": telling or of_schedules, "LOST at 1": telling and of_schedules, "LOST at 0": named}
        if _AT_LENGTH or wanted[fault]:
            yield first, second, fault


@pytest.mark.parametrize("others", _OTHERS)
@pytest.mark.parametrize("beginning", _BEGINNINGS)
@pytest.mark.parametrize(("first", "second", "fault"), list(_pairs()))
def test_two_at_the_same_time(first: str, second: str, fault: str, beginning: str, others: int) -> None:
    """With room for one schedule more, and for three writes a minute, or one after the change that died."""
    left = beginning != "from settled"
    for steps in _STEPS:
        systems = TwoSystems(writes_per_minute=3, schedules=2)
        systems.do([_FIRST], Plan(), 0)
        if left:
            systems.do([Update(0, 3, None, "keep", False)], Plan(faults={2: Fault.KILLED_AFTER}), 0)
        for name in {first, second} & _BEFORE.keys():
            systems.do([_BEFORE[name]], Plan(), 0)
        turns = [(0, steps), (1, others), (0, _LONGEST), (1, _LONGEST)]
        plan = Plan(turns, timer_faults=_FAULTS[fault])
        systems.do([_ALL[first], _ALL[second]], plan, 61 if left else 0)
        systems.end()


_KEYED = _COMMANDS["create with a key"]
_ANEW: dict[str, list[Command]] = {
    "as it was": [Register(0, True, True, 1), _KEYED],
    "disabled": [Register(0, False, True, 1)],
    "without the endpoint": [Register(0, True, True, WITHOUT_FIRST), Switch(0, False), Switch(0, True)],
    "and switched off": [Register(0, True, True, 1), Switch(0, False)],
}


@pytest.mark.parametrize("anew", _ANEW)
@pytest.mark.parametrize("held", _ALL)
def test_an_operation_is_held_up_while_its_install_is_removed_and_registered_anew(
    held: str, anew: str
) -> None:
    """The same request with its key is made to the earlier install, to the new one, and again in the end."""
    for steps in _STEPS_HELD:
        systems = TwoSystems(writes_per_minute=5, schedules=4)
        systems.do([_KEYED], Plan(), 0)
        meanwhile = [Uninstall(0), *_ANEW[anew]]
        turns = [(0, steps), *((1, 99) for _ in meanwhile), (0, 99)]
        systems.do([_ALL[held], *meanwhile], Plan(turns), 0)
        systems.do([_KEYED], Plan(), 0)
        systems.end()
