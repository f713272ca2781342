"""Pairs of concurrent operations, each suspended after each of its AWS calls while the other continues."""

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import settings

from tests.properties.two_systems.commands import (
    WITHOUT_FIRST,
    Command,
    Create,
    Delete,
    Deliver,
    DeliverMessage,
    Reconcile,
    Redrive,
    Register,
    RunNow,
    SetInstallEnabled,
    SetTenantPaused,
    Uninstall,
    Update,
)
from tests.properties.two_systems.driver import TwoSystems
from tests.support.faults.interleaving import Fault, InterleavingPlan

_NINE_OCLOCK = "2026-11-23T09:00:00Z"
_COMMANDS: dict[str, Command] = {
    "create": Create(0, None, 0, "x", 1, True),
    "create with a key": Create(0, "a", 0, None, 1, True),
    "create with the same key": Create(0, "a", 1, None, 1, True),
    "update": Update(0, 2, None, "x", True),
    "disable": Update(0, None, False, "keep", False),
    "delete": Delete(0, False),
    "disable the install": Register(0, False, True, 1),
    "register": Register(0, True, True, 2),
    "uninstall": Uninstall(0),
    "deliver": Deliver(0, _NINE_OCLOCK, "current", "success"),
    "reconcile": Reconcile(),
}
_ON_INSTALLS: dict[str, Command] = {
    "move without the endpoint": Register(0, True, True, WITHOUT_FIRST, disable_missing=True),
    "move if endpoint unused": Register(0, True, True, WITHOUT_FIRST),
    "dry run of move": Register(0, True, True, WITHOUT_FIRST, disable_missing=True, dry_run=True),
    "switch off": SetInstallEnabled(0, False),
    "switch on": SetInstallEnabled(0, True),
    "pause": SetTenantPaused(True),
    "resume": SetTenantPaused(False),
    "run now": RunNow(0, "a"),
}
_ON_MESSAGES: dict[str, Command] = {
    "deliver what waits": DeliverMessage(0, "success"),
    "deliver the retry": DeliverMessage(0, "retryable"),
    "deliver after a crash": DeliverMessage(0, "success"),
    "redrive": Redrive(0, "success", marked=True),
    "redrive without the mark": Redrive(0, "retryable", marked=False),
}
_NO_CAPACITY = Deliver(0, _NINE_OCLOCK, "current", "no capacity")
_FAILURE, _NEXT_FAILURE = Deliver(0, _NINE_OCLOCK, "current", "retryable"), DeliverMessage(0, "retryable")
_PREPARATIONS: dict[str, tuple[Command, ...]] = {
    "switch on": (SetInstallEnabled(0, False),),
    "resume": (SetTenantPaused(True),),
    "deliver what waits": (_NO_CAPACITY,),
    "deliver the retry": (_FAILURE,),
    "deliver after a crash": (_FAILURE,),
    "redrive": (_FAILURE, _NEXT_FAILURE, _NEXT_FAILURE),
    "redrive without the mark": (_FAILURE, _NEXT_FAILURE),
}
"""The commands that must precede the operation for it to have an effect."""
_PREPARATION_PLANS = {"deliver after a crash": InterleavingPlan(faults={1: Fault.KILLED_AFTER})}
"""The function dies right after its claim, whose lease is still alive at the operation."""
_PARTNERS_OF_MESSAGES = (
    "update",
    "disable",
    "delete",
    "uninstall",
    "move without the endpoint",
    "deliver",
    "pause",
)
_PARTNERS = ("create", "update", "uninstall", "deliver", "pause")
"""The partners of each operation on installs, without faults, and of each operation on schedules, also with a lost
response; the nightly run pairs all operations with all."""
_DOCUMENTED_PAIRS = (
    {"create with a key"},
    {"create with a key", "create with the same key"},
    {"delete"},
    {"disable the install", "register"},
)
"""The pairs of `docs/reliability.md`: also with EventBridge's first response lost."""
_ALL_COMMANDS = {**_COMMANDS, **_ON_INSTALLS, **_ON_MESSAGES}
_FIRST_CREATE = Create(0, None, 0, None, 0, True)
_MAX_CALLS = 9
"""More AWS calls than any of the operations makes."""
_NIGHTLY = settings.get_current_profile_name() == "nightly"
_STEPS = range(1, _MAX_CALLS) if _NIGHTLY else (2, 3, 4)
"""After how many calls the first operation is suspended; by day, each pair that is not documented has one of them."""
_SUSPENDED_STEPS = range(1, 12) if _NIGHTLY else (2, 3)
_OTHERS = (3, _MAX_CALLS) if _NIGHTLY else (_MAX_CALLS,)
_STARTING_STATES = ["synced", "change of a killed function"] if _NIGHTLY else ["synced"]
_FAULTS: dict[str, dict[int, Fault]] = {
    "quiet": {},
    "RESPONSE_LOST at 1": {1: Fault.RESPONSE_LOST},
    "RESPONSE_LOST at 0": {0: Fault.RESPONSE_LOST},
}
"""By number of the EventBridge call."""
if _NIGHTLY:
    _TIMER_FAULTS = (Fault.RESPONSE_LOST, Fault.PERMANENTLY_REFUSED, Fault.KILLED_AFTER)
    _FAULTS |= {f"{fault.name} at {at}": {at: fault} for at in (0, 1) for fault in _TIMER_FAULTS}


def _pairs() -> Iterator[tuple[str, str, str]]:
    for first, second, fault in product(_ALL_COMMANDS, _ALL_COMMANDS, _FAULTS):
        on_schedules = first in _COMMANDS and second in _COMMANDS
        documented = {first, second} in _DOCUMENTED_PAIRS
        selected = documented or first in _PARTNERS or second in _PARTNERS or first == second
        if first in _ON_MESSAGES or second in _ON_MESSAGES:
            redriven_twice = first == "redrive" and second in _ON_MESSAGES
            selected = first == second or redriven_twice or bool({first, second} & {*_PARTNERS_OF_MESSAGES})
        included = {
            "quiet": selected or on_schedules,
            "RESPONSE_LOST at 1": selected and on_schedules,
            "RESPONSE_LOST at 0": documented,
        }
        if _NIGHTLY or included[fault]:
            yield first, second, fault


def _select_steps(first: str, second: str, fault: str) -> Sequence[int]:
    """Return the steps of a pair; neighbours in the table of pairs have different ones."""
    if _NIGHTLY or {first, second} in _DOCUMENTED_PAIRS:
        return _STEPS
    names = list(_ALL_COMMANDS)
    position = names.index(first) + names.index(second) + list(_FAULTS).index(fault)
    return [_STEPS[position % len(_STEPS)]]


@pytest.mark.parametrize("others", _OTHERS)
@pytest.mark.parametrize("starting_state", _STARTING_STATES)
@pytest.mark.parametrize(("first", "second", "fault"), list(_pairs()))
def test_concurrent_pair(first: str, second: str, fault: str, starting_state: str, others: int) -> None:
    """The quota has room for one more schedule, the rate limit for three writes, or one after the killed change."""
    starts_pending = starting_state != "synced"
    for steps in _select_steps(first, second, fault):
        systems = TwoSystems(writes_per_minute=3, schedules=2)
        systems.run_commands([_FIRST_CREATE], InterleavingPlan(), 0)
        if starts_pending:
            systems.run_commands(
                [Update(0, 3, None, "keep", False)], InterleavingPlan(faults={2: Fault.KILLED_AFTER}), 0
            )
        for name in sorted({first, second} & _PREPARATIONS.keys()):
            for command in _PREPARATIONS[name]:
                systems.run_commands([command], _PREPARATION_PLANS.get(name, InterleavingPlan()), 0)
        choices = [(0, steps), (1, others), (0, _MAX_CALLS), (1, _MAX_CALLS)]
        plan = InterleavingPlan(choices, timer_faults=_FAULTS[fault])
        systems.run_commands([_ALL_COMMANDS[first], _ALL_COMMANDS[second]], plan, 61 if starts_pending else 0)
        systems.finish()


_CREATE_WITH_KEY = _COMMANDS["create with a key"]
_REINSTALLATIONS: dict[str, list[Command]] = {
    "as it was": [Register(0, True, True, 1), _CREATE_WITH_KEY],
    "disabled": [Register(0, False, True, 1)],
    "without the endpoint": [
        Register(0, True, True, WITHOUT_FIRST),
        SetInstallEnabled(0, False),
        SetInstallEnabled(0, True),
    ],
    "and switched off": [Register(0, True, True, 1), SetInstallEnabled(0, False)],
}


@pytest.mark.parametrize("reinstallation", _REINSTALLATIONS)
@pytest.mark.parametrize("suspended", [*_COMMANDS, *_ON_INSTALLS])
def test_operation_is_suspended_while_its_install_is_recreated(suspended: str, reinstallation: str) -> None:
    """The same request with its key goes to the earlier install, to the new one, and again at the end."""
    for steps in _SUSPENDED_STEPS:
        systems = TwoSystems(writes_per_minute=5, schedules=4)
        systems.run_commands([_CREATE_WITH_KEY], InterleavingPlan(), 0)
        meanwhile = [Uninstall(0), *_REINSTALLATIONS[reinstallation]]
        choices = [(0, steps), *((1, 99) for _ in meanwhile), (0, 99)]
        systems.run_commands([_ALL_COMMANDS[suspended], *meanwhile], InterleavingPlan(choices), 0)
        systems.run_commands([_CREATE_WITH_KEY], InterleavingPlan(), 0)
        systems.finish()
