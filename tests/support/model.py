"""What callers were told, and every state that it allows; nothing here knows how the service works."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Literal

Told = Literal["done", "open", "no schedule", "no install", "refused"]
"""`open`: it was done or it was not; `refused`: it was not, for a reason that says nothing of the state."""

UNKNOWN = "?"


@dataclass(frozen=True)
class Defined:
    """What a caller sets of a schedule; `payload` as the table holds it."""

    cron: str
    enabled: bool
    name: str | None
    payload: str


@dataclass(frozen=True)
class State:
    """Where one subject, the create of a certain body in a certain install, may stand.

    `born` is the id that the create gave, until the install is gone and with it the memory of the create.
    """

    install: Literal["on", "off", "absent"] = "absent"
    born: str | None = None
    defined: Defined | None = None


@dataclass(frozen=True)
class Step:
    """One operation, and what its caller was told; `answer` is the definition in the answer, or in the create."""

    kind: Literal["create", "update", "delete", "register", "uninstall"]
    install: int
    told: Told
    subject: str = ""
    schedule_id: str = UNKNOWN
    answer: Defined | None = None
    changes: Mapping[str, object] = field(default_factory=dict)
    on: bool = True

    def leads(self, state: State) -> set[State]:
        """The states in which what was told leaves a subject in that state; none where it cannot be true."""
        if self.told == "refused":
            return {state}
        if self.told == "no install":
            known = state.install == "absent" if self.kind == "uninstall" else state.install != "on"
            return {state} if known else set()
        if self.told == "no schedule":
            return {state} if state.defined is None or state.born != self.schedule_id else set()
        done = self._applied(state)
        return done | {state} if self.told == "open" else done

    def _applied(self, state: State) -> set[State]:
        if self.kind == "register":
            return {replace(state, install="on" if self.on else "off")}
        if self.kind == "uninstall":
            return {State()}  # of an absent one too: its removal, told or not, may still have been under way
        if state.install != "on":
            return set()
        if self.kind == "create":
            return self._created(state)
        if state.defined is None or state.born not in (self.schedule_id, UNKNOWN):
            return set()
        state = replace(state, born=self.schedule_id)
        if self.kind == "delete":
            return {replace(state, defined=None)}
        after = replace(state.defined, **self.changes)  # type: ignore[type-var]
        return {replace(state, defined=after)} if self.answer in (None, after) else set()

    def _created(self, state: State) -> set[State]:
        if state.born is None:
            return {replace(state, born=self.schedule_id, defined=self.answer)}
        if UNKNOWN in (state.born, self.schedule_id):
            known = state.born if self.schedule_id == UNKNOWN else self.schedule_id
            return {replace(state, born=known)}
        return {state} if state.born == self.schedule_id else set()


class Model:
    """All states that what was told allows, for each subject of each install."""

    def __init__(self) -> None:
        self._installs: dict[int, set[State]] = {}
        self._subjects: dict[tuple[int, str], set[State]] = {}
        self.known: list[tuple[int, str, str]] = []
        """Install, subject and id of what was told to be created."""

    def allows(self, install: int, subject: str) -> set[State]:
        """Where the subject may stand."""
        return self._subjects.get((install, subject), set())

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
                start = {State(install=each.install) for each in self._states(step.install)}
                self._subjects.setdefault((step.install, step.subject), start)
            if step.kind == "create" and step.told == "done":
                found = (step.install, step.subject, step.schedule_id)
                if found not in self.known:
                    self.known.append(found)
        for install, subject in list(self._subjects):
            own = [each for each in steps if each.install == install and each.subject in ("", subject)]
            before = self._subjects[install, subject]
            self._subjects[install, subject] = _after(before, own, f"{subject} of install {install}")
        for install in {step.install for step in steps}:
            whole = [each for each in steps if each.install == install and not each.subject]
            self._installs[install] = _after(self._states(install), whole, f"install {install}")

    def _states(self, install: int) -> set[State]:
        return self._installs.get(install, {State()})


def _after(states: set[State], steps: Sequence[Step], subject: str) -> set[State]:
    if not steps:
        return states
    found: set[State] = set()
    for order in permutations(steps):
        reached = states
        for step in order:
            reached = {after for state in reached for after in step.leads(state)}
        found |= reached
    assert found, f"{subject}: no order of {steps} leads from {states} to what was told"
    return found
