"""What callers were told, and every state that it allows; nothing here knows how the service works."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any, Literal

Told = Literal[
    "done", "open", "refused", "no schedule", "no install", "denied", "no endpoint", "missing", "not runnable"
]
"""`open`: it was done or it was not; `refused`: it was not, for a reason that says nothing of the state."""

UNKNOWN = "?"


@dataclass(frozen=True)
class Defined:
    """What a caller sets of a schedule; `payload` as the table holds it."""

    endpoint: str
    cron: str
    enabled: bool
    name: str | None
    payload: str


@dataclass(frozen=True)
class Installed:
    """What the platform says of an install; `endpoints` are the version's."""

    enabled: bool
    granted: bool
    version: str
    endpoints: frozenset[str]


@dataclass(frozen=True)
class State:
    """Where one subject, the create of a certain body in a certain install, may stand.

    `born` is the id that the create gave, until the install is gone and with it the memory of the create. `paused`
    is the tenant; `turning` is to what, where that may not have reached the install yet.
    """

    installed: Installed | None = None
    paused: bool = False
    turning: bool | None = None
    born: str | None = None
    defined: Defined | None = None

    @property
    def turned(self) -> "State":
        """Once the tenant's newest change has reached the install."""
        return self if self.turning is None else replace(self, paused=self.turning, turning=None)

    @property
    def managed(self) -> bool:
        """Whether the extension may change its schedules."""
        return self.installed is not None and self.installed.enabled and self.installed.granted

    @property
    def runs(self) -> bool:
        """Whether the schedule is to fire."""
        return self.managed and not self.paused and self.defined is not None and self.defined.enabled

    def declares(self, endpoint: str) -> bool:
        """Whether the installed version has the endpoint."""
        return self.installed is not None and endpoint in self.installed.endpoints

    def has(self, schedule_id: str) -> bool:
        """Whether the schedule of that id may be there."""
        return self.defined is not None and self.born in (schedule_id, UNKNOWN)


@dataclass(frozen=True)
class Step:
    """One operation, and what its caller was told.

    A `turn` is of all installs. `answer` is the definition in the answer, or in the create, `stated` what an install
    is put to, `on` what is switched or turned on, `listed` the schedules said to lack their endpoint; `again` is a
    run that was asked for before by the same key.
    """

    kind: Literal["create", "update", "delete", "put", "switch", "uninstall", "turn", "run"]
    install: int
    told: Told
    subject: str = ""
    schedule_id: str = UNKNOWN
    answer: Defined | None = None
    changes: Mapping[str, object] = field(default_factory=dict)
    stated: Installed | None = None
    on: bool = True
    disable_missing: bool = False
    dry_run: bool = False
    listed: frozenset[str] = frozenset()
    again: bool = False

    def concerns(self, install: int) -> bool:
        """Whether it is of that install."""
        return self.kind == "turn" or self.install == install

    def leads(self, state: State) -> set[State]:
        """The states in which what was told leaves a subject in that state; none where it cannot be true."""
        match self.told:
            case "done":
                return self._done(state)
            case "open":
                return self._done(state) | self._begun(state) | {state}
        return {state} if self._refused(state) else set()

    def _refused(self, state: State) -> bool:
        """Whether the refusal that was told is true of the state."""
        installed = state.installed
        match self.told:
            case "no install":
                hidden = self.kind in ("create", "update", "delete")
                return installed is None or (hidden and not installed.enabled)
            case "denied":
                return installed is not None and not installed.granted
            case "no schedule":
                return state.defined is None or state.born != self.schedule_id
            case "no endpoint":
                wanted = self._wanted(state)
                return installed is not None and wanted is not None and not state.declares(wanted.endpoint)
            case "missing":
                return self._moves(state) and self._lists(state)
            case "not runnable":
                return state.has(self.schedule_id) and not state.runs
        return True

    def _done(self, state: State) -> set[State]:
        match self.kind:
            case "put":
                return self._put(state)
            case "uninstall":  # of an absent one too: its removal, told or not, may still have been under way
                return {State(paused=state.turned.paused)}
            case "turn":
                return {replace(state, paused=self.on, turning=None)}
            case "switch":
                return self._switched(state)
            case "run":
                runs = state.runs or (self.again and state.installed is not None)
                return {state} if runs and state.has(self.schedule_id) else set()
        return self._done_by_owner(state) if state.managed else set()

    def _switched(self, state: State) -> set[State]:
        on = state.installed and replace(state.installed, enabled=self.on)
        return {replace(state, installed=on)} if on else set()

    def _done_by_owner(self, state: State) -> set[State]:
        if self.kind == "create":
            return self._created(state)
        if not state.has(self.schedule_id):
            return set()
        if self.kind == "update":
            return self._updated(state)
        return {replace(state, born=self.schedule_id, defined=None)}

    def _begun(self, state: State) -> set[State]:
        return {replace(state, turning=self.on)} if self.kind == "turn" else set()

    def _wanted(self, state: State) -> Defined | None:
        if self.kind == "create":
            return self.answer
        changes: Any = self.changes
        return replace(state.defined, **changes) if state.defined else None

    def _created(self, state: State) -> set[State]:
        if state.born is None:
            there = self.answer is not None and state.declares(self.answer.endpoint)
            return {replace(state, born=self.schedule_id, defined=self.answer)} if there else set()
        if UNKNOWN in (state.born, self.schedule_id):
            known = state.born if self.schedule_id == UNKNOWN else self.schedule_id
            return {replace(state, born=known)}
        return {state} if state.born == self.schedule_id else set()

    def _updated(self, state: State) -> set[State]:
        after = self._wanted(state)
        enables = after is not None and after.enabled and not (state.defined and state.defined.enabled)
        if after is None or (("endpoint" in self.changes or enables) and not state.declares(after.endpoint)):
            return set()
        known = replace(state, born=self.schedule_id, defined=after)
        return {known} if self.answer in (None, after) else set()

    def _put(self, state: State) -> set[State]:
        if state.installed is None:
            return {state if self.dry_run else replace(state.turned, installed=self.stated)}
        moves, lacks = self._moves(state), self._lacks(state)
        if (moves and lacks and not self.disable_missing) or not (self.told == "open" or self._lists(state)):
            return set()
        if self.dry_run:
            return {state}
        disabled = state.defined and replace(
            state.defined, enabled=state.defined.enabled and not (moves and lacks)
        )
        return {replace(state, installed=self.stated, defined=disabled)}

    def _moves(self, state: State) -> bool:
        assert self.stated
        return state.installed is not None and state.installed.version != self.stated.version

    def _lacks(self, state: State) -> bool:
        assert self.stated
        return state.defined is not None and state.defined.endpoint not in self.stated.endpoints

    def _lists(self, state: State) -> bool:
        """Whether the schedule is listed if it lacks its endpoint, and only then."""
        looked = self.disable_missing or self._moves(state)
        return state.born == UNKNOWN or (state.born in self.listed) == (looked and self._lacks(state))


class Model:
    """All states that what was told allows, for each subject of each install."""

    def __init__(self, installs: int) -> None:
        self._installs = {install: {State()} for install in range(installs)}
        self._subjects: dict[tuple[int, str], set[State]] = {}
        self.known: list[tuple[int, str, str]] = []
        """Install, subject and id of what was told to be created."""

    def allows(self, install: int, subject: str = "") -> set[State]:
        """Where the subject, or the install alone, may stand once all is quiet."""
        states = self._subjects[install, subject] if subject else self._installs[install]
        return {state.turned for state in states}

    def subjects(self) -> Iterable[tuple[int, str]]:
        """All subjects of all installs."""
        return self._subjects.keys()

    def learn(self, steps: Sequence[Step]) -> None:
        """Take in what the callers of operations made at the same time were told.

        Fails where no order of them can have led to it. That a schedule is deleted may be told to several who
        delete it at the same time.
        """
        deleted = {each.schedule_id: each for each in steps if (each.kind, each.told) == ("delete", "done")}
        others = [each for each in steps if (each.kind, each.told) != ("delete", "done")]
        steps = [*others, *deleted.values()]
        for step in steps:
            if step.kind == "create":
                self._subjects.setdefault((step.install, step.subject), self._installs[step.install])
                found = (step.install, step.subject, step.schedule_id)
                if step.told == "done" and found not in self.known:
                    self.known.append(found)
        for (install, subject), states in self._subjects.items():
            own = [each for each in steps if each.concerns(install) and each.subject in ("", subject)]
            self._subjects[install, subject] = _after(states, own, f"{subject} of install {install}")
        for install, states in self._installs.items():
            whole = [each for each in steps if each.concerns(install) and not each.subject]
            self._installs[install] = _after(states, whole, f"install {install}")


def _after(states: set[State], steps: Sequence[Step], subject: str) -> set[State]:
    if not steps:
        return states
    found: set[State] = set()
    for order in permutations(steps):
        reached = states
        for step in order:
            reached = {
                after for state in reached for each in (state, state.turned) for after in step.leads(each)
            }
        found |= reached
    assert found, f"{subject}: no order of {steps} leads from {states} to what was told"
    return found
