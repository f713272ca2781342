"""Random operations, concurrent and with faults: the state of both systems must match the results that callers got.

Each rule runs one to three operations. Several operations interleave at every AWS call; any call may be prevented,
lost, repeated, or the last one of its function. `tests.support.oracles.reference_model` holds the expected state.
"""

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.properties.two_systems.commands import (
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

_INSTALL = st.sampled_from([0, 0, 0, 1])
_TARGET = st.sampled_from([0, 0, 0, 1, 2, 3])
_NAME = st.sampled_from([None, "x", "y"])
_MINUTE = st.integers(0, 3)
_ENDPOINT = st.sampled_from([0, 0, 1])
_TIME = st.sampled_from(["2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"])
_CREATE = st.builds(
    Create,
    _INSTALL,
    st.sampled_from([None, None, "a", "b"]),
    st.integers(0, 1),
    _NAME,
    _MINUTE,
    st.booleans(),
    _ENDPOINT,
)
_UPDATE = st.builds(
    Update,
    _TARGET,
    st.none() | _MINUTE,
    st.none() | st.booleans(),
    st.just("keep") | _NAME,
    st.booleans(),
    st.none() | _ENDPOINT,
)
_DELETE = st.builds(Delete, _TARGET, st.sampled_from([False] * 7 + [True]))
_VERSION = st.integers(0, 5)
_REGISTER = st.builds(
    Register,
    _INSTALL,
    st.sampled_from([True, True, False]),
    st.sampled_from([True] * 5 + [False]),
    _VERSION,
    st.booleans(),
    st.sampled_from([False] * 5 + [True]),
)
_SET_INSTALL_ENABLED = st.builds(SetInstallEnabled, _INSTALL, st.booleans())
_SET_TENANT_PAUSED = st.builds(SetTenantPaused, st.booleans())
_RUN_NOW = st.builds(RunNow, _TARGET, st.sampled_from([None, "a", "a"]))
_OUTCOME = st.sampled_from(["success", "success", "retryable", "retryable", "no capacity", "final"])
_DELIVER = st.builds(
    Deliver,
    _TARGET,
    _TIME,
    st.sampled_from(["current", "current", "current", "manual", "stale", "unknown"]),
    _OUTCOME,
)
_DELIVER_MESSAGE = st.builds(DeliverMessage, st.integers(0, 3), _OUTCOME, st.booleans())
_REDRIVE = st.builds(Redrive, st.integers(0, 2), _OUTCOME, st.booleans())
_UNINSTALL = st.builds(Uninstall, _INSTALL)
_RECONCILE = st.builds(Reconcile)
_COMMAND: st.SearchStrategy[Command] = st.one_of(
    *(_CREATE, _CREATE, _UPDATE, _UPDATE, _DELETE, _RUN_NOW, _DELIVER, _DELIVER),
    *(_DELIVER_MESSAGE, _DELIVER_MESSAGE, _REDRIVE),
    *(_REGISTER, _REGISTER, _SET_INSTALL_ENABLED, _SET_TENANT_PAUSED, _UNINSTALL, _RECONCILE),
)


def _concurrent(*commands: st.SearchStrategy[Command]) -> st.SearchStrategy[list[Command]]:
    return st.lists(st.one_of(*commands), min_size=2, max_size=3)


_NEWEST = st.just(0)
_UPDATE_NEWEST = st.builds(Update, _NEWEST, _MINUTE, st.none() | st.booleans(), _NAME, st.booleans())
_FIRST = st.just(0)
_CREATE_FIRST = st.builds(
    Create,
    _FIRST,
    st.sampled_from([None, "a"]),
    st.integers(0, 1),
    st.sampled_from([None, "x"]),
    _MINUTE,
    st.just(True),
)
_REGISTER_FIRST = st.builds(Register, _FIRST, st.booleans(), st.just(True), _VERSION, st.booleans())
_PLATFORM = (_REGISTER_FIRST, st.builds(SetInstallEnabled, _FIRST, st.booleans()), _SET_TENANT_PAUSED)
_RUN_NEWEST = st.builds(RunNow, _NEWEST, st.just("a"))
_CONCURRENT_COMMANDS = st.one_of(
    _concurrent(_CREATE_FIRST),
    _concurrent(_UPDATE_NEWEST, _UPDATE_NEWEST, st.builds(Delete, _NEWEST, st.just(False)), _RECONCILE),
    _concurrent(_UPDATE_NEWEST, _REGISTER_FIRST, _DELIVER, _RECONCILE),
    _concurrent(*_PLATFORM, _RECONCILE),
    _concurrent(*_PLATFORM, _CREATE_FIRST, _UPDATE_NEWEST, _RUN_NEWEST, _DELIVER),
    st.tuples(st.builds(Uninstall, _FIRST), _REGISTER_FIRST, _CREATE_FIRST | _UPDATE_NEWEST).map(list),
    st.tuples(st.builds(Uninstall, _FIRST) | _REGISTER_FIRST, _CREATE_FIRST | _UPDATE_NEWEST).map(list),
    _concurrent(_DELIVER, _DELIVER_MESSAGE, _REDRIVE),
    _concurrent(_DELIVER_MESSAGE, _REDRIVE, _UPDATE_NEWEST, _REGISTER_FIRST),
    _DELIVER_MESSAGE.map(lambda command: [command, command]),
    _concurrent(_COMMAND),
)
_FAULT = st.sampled_from(list(Fault))
_NO_FAULTS: st.SearchStrategy[dict[int, Fault]] = st.just({})
_FAULTS = _NO_FAULTS | _NO_FAULTS | st.dictionaries(st.integers(0, 11), _FAULT, max_size=2)
_TIMER_FAULTS = _NO_FAULTS | _NO_FAULTS | st.dictionaries(st.integers(0, 2), _FAULT, max_size=3)
_CHOICES = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, 1, 2, 3, 4, 6, 12])), max_size=10)
_PLAN = st.builds(InterleavingPlan, _CHOICES, _FAULTS, _TIMER_FAULTS)
_SEQUENTIAL_PLAN = st.builds(InterleavingPlan, st.just(()), _FAULTS, _TIMER_FAULTS)
_WAIT = st.sampled_from([0, 0, 0, 61])


class TwoSystemsMachine(RuleBasedStateMachine):
    """The table and EventBridge Scheduler under operations on two installs of one tenant."""

    def __init__(self) -> None:
        super().__init__()
        self.systems: TwoSystems | None = None

    @initialize(writes_per_minute=st.sampled_from([1000, 1000, 2]), schedules=st.sampled_from([2, 4]))
    def start(self, writes_per_minute: int, schedules: int) -> None:
        self.systems = TwoSystems(writes_per_minute, schedules)

    @rule(command=_COMMAND, plan=_SEQUENTIAL_PLAN, wait=_WAIT)
    def run_one(self, command: Command, plan: InterleavingPlan, wait: int) -> None:
        assert self.systems
        self.systems.run_commands([command], plan, wait)

    @rule(commands=_CONCURRENT_COMMANDS, plan=_PLAN, wait=_WAIT)
    def run_concurrently(self, commands: Sequence[Command], plan: InterleavingPlan, wait: int) -> None:
        assert self.systems
        self.systems.run_commands(commands, plan, wait)

    def teardown(self) -> None:
        if self.systems:
            self.systems.finish()


TestTwoSystems = TwoSystemsMachine.TestCase
TestTwoSystems.settings = settings(stateful_step_count=16)
