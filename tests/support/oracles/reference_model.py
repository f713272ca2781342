"""What callers were told, and every state that it allows; nothing here knows how the service works."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any, Literal

ReportedResult = Literal[
    "done", "open", "refused", "no schedule", "no install", "denied", "no endpoint", "missing", "not runnable"
]
"""`open`: it was done or it was not; `refused`: it was not, for a reason that says nothing of the state."""

UNKNOWN = "?"


@dataclass(frozen=True)
class ModelDefinition:
    """What a caller sets of a schedule; `payload` as the table holds it."""

    endpoint: str
    cron: str
    enabled: bool
    name: str | None
    payload: str


@dataclass(frozen=True)
class ModelInstall:
    """What the platform says of an install; `endpoints` are the version's."""

    enabled: bool
    granted: bool
    version: str
    endpoints: frozenset[str]


@dataclass(frozen=True)
class ModelState:
    """Where one subject, the create of a certain body in a certain install, may stand.

    `born` is the id that the create gave, until the install is gone and with it the memory of the create. `paused`
    is the tenant; `turning` is to what, where that may not have reached the install yet.
    """

    install: ModelInstall | None = None
    paused: bool = False
    pending_pause: bool | None = None
    created_id: str | None = None
    definition: ModelDefinition | None = None

    @property
    def with_pause_applied(self) -> "ModelState":
        """Once the tenant's newest change has reached the install."""
        return (
            self
            if self.pending_pause is None
            else replace(self, paused=self.pending_pause, pending_pause=None)
        )

    @property
    def is_manageable(self) -> bool:
        """Whether the extension may change its schedules."""
        return self.install is not None and self.install.enabled and self.install.granted

    @property
    def should_fire(self) -> bool:
        """Whether the schedule is to fire."""
        return (
            self.is_manageable and not self.paused and self.definition is not None and self.definition.enabled
        )

    def has_endpoint(self, endpoint: str) -> bool:
        """Whether the installed version has the endpoint."""
        return self.install is not None and endpoint in self.install.endpoints

    def may_have_schedule(self, schedule_id: str) -> bool:
        """Whether the schedule of that id may be there."""
        return self.definition is not None and self.created_id in (schedule_id, UNKNOWN)


@dataclass(frozen=True)
class ModelStep:
    """One operation, and what its caller was told.

    A `turn` is of all installs. `answer` is the definition in the answer, or in the create, `stated` what an install
    is put to, `on` what is switched or turned on, `listed` the schedules said to lack their endpoint; `again` is a
    run that was asked for before by the same key.
    """

    kind: Literal["create", "update", "delete", "register", "set_enabled", "uninstall", "set_paused", "run"]
    install: int
    reported: ReportedResult
    entity: str = ""
    schedule_id: str = UNKNOWN
    result: ModelDefinition | None = None
    changes: Mapping[str, object] = field(default_factory=dict)
    target_install: ModelInstall | None = None
    switch_on: bool = True
    disable_missing: bool = False
    dry_run: bool = False
    missing_schedules: frozenset[str] = frozenset()
    repeated: bool = False

    def affects_install(self, install: int) -> bool:
        """Whether it is of that install."""
        return self.kind == "set_paused" or self.install == install

    def next_states(self, state: ModelState) -> set[ModelState]:
        """The states in which what was told leaves a subject in that state; none where it cannot be true."""
        match self.reported:
            case "done":
                return self._states_if_done(state)
            case "open":
                return self._states_if_done(state) | self._states_if_pending(state) | {state}
        return {state} if self._explains_refusal(state) else set()

    def _explains_refusal(self, state: ModelState) -> bool:
        """Whether the refusal that was told is true of the state."""
        installed = state.install
        match self.reported:
            case "no install":
                hidden = self.kind in ("create", "update", "delete")
                return installed is None or (hidden and not installed.enabled)
            case "denied":
                return installed is not None and not installed.granted
            case "no schedule":
                return state.definition is None or state.created_id != self.schedule_id
            case "no endpoint":
                new_definition = self._new_definition(state)
                return (
                    installed is not None
                    and new_definition is not None
                    and not state.has_endpoint(new_definition.endpoint)
                )
            case "missing":
                return self._changes_version(state) and self._reports_missing(state)
            case "not runnable":
                return state.may_have_schedule(self.schedule_id) and not state.should_fire
        return True

    def _states_if_done(self, state: ModelState) -> set[ModelState]:
        match self.kind:
            case "register":
                return self._states_after_put(state)
            case "uninstall":  # of an absent one too: its removal, told or not, may still have been under way
                return {ModelState(paused=state.with_pause_applied.paused)}
            case "set_paused":
                return {replace(state, paused=self.switch_on, pending_pause=None)}
            case "set_enabled":
                return self._states_after_switch(state)
            case "run":
                may_run = state.should_fire or (self.repeated and state.install is not None)
                return {state} if may_run and state.may_have_schedule(self.schedule_id) else set()
        return self._states_after_owner_change(state) if state.is_manageable else set()

    def _states_after_switch(self, state: ModelState) -> set[ModelState]:
        switched_install = state.install and replace(state.install, enabled=self.switch_on)
        return {replace(state, install=switched_install)} if switched_install else set()

    def _states_after_owner_change(self, state: ModelState) -> set[ModelState]:
        if self.kind == "create":
            return self._states_after_create(state)
        if not state.may_have_schedule(self.schedule_id):
            return set()
        if self.kind == "update":
            return self._states_after_update(state)
        return {replace(state, created_id=self.schedule_id, definition=None)}

    def _states_if_pending(self, state: ModelState) -> set[ModelState]:
        return {replace(state, pending_pause=self.switch_on)} if self.kind == "set_paused" else set()

    def _new_definition(self, state: ModelState) -> ModelDefinition | None:
        if self.kind == "create":
            return self.result
        changes: Any = self.changes
        return replace(state.definition, **changes) if state.definition else None

    def _states_after_create(self, state: ModelState) -> set[ModelState]:
        if state.created_id is None:
            may_exist = self.result is not None and state.has_endpoint(self.result.endpoint)
            return (
                {replace(state, created_id=self.schedule_id, definition=self.result)} if may_exist else set()
            )
        if UNKNOWN in (state.created_id, self.schedule_id):
            schedule_id = state.created_id if self.schedule_id == UNKNOWN else self.schedule_id
            return {replace(state, created_id=schedule_id)}
        return {state} if state.created_id == self.schedule_id else set()

    def _states_after_update(self, state: ModelState) -> set[ModelState]:
        after = self._new_definition(state)
        enables = after is not None and after.enabled and not (state.definition and state.definition.enabled)
        if after is None or (
            ("endpoint" in self.changes or enables) and not state.has_endpoint(after.endpoint)
        ):
            return set()
        updated = replace(state, created_id=self.schedule_id, definition=after)
        return {updated} if self.result in (None, after) else set()

    def _states_after_put(self, state: ModelState) -> set[ModelState]:
        if state.install is None:
            return {state if self.dry_run else replace(state.with_pause_applied, install=self.target_install)}
        changes_version, lacks_endpoint = self._changes_version(state), self._lacks_endpoint(state)
        if (changes_version and lacks_endpoint and not self.disable_missing) or not (
            self.reported == "open" or self._reports_missing(state)
        ):
            return set()
        if self.dry_run:
            return {state}
        disabled = state.definition and replace(
            state.definition, enabled=state.definition.enabled and not (changes_version and lacks_endpoint)
        )
        return {replace(state, install=self.target_install, definition=disabled)}

    def _changes_version(self, state: ModelState) -> bool:
        assert self.target_install
        return state.install is not None and state.install.version != self.target_install.version

    def _lacks_endpoint(self, state: ModelState) -> bool:
        assert self.target_install
        return state.definition is not None and state.definition.endpoint not in self.target_install.endpoints

    def _reports_missing(self, state: ModelState) -> bool:
        """Whether the schedule is listed if it lacks its endpoint, and only then."""
        checked_endpoints = self.disable_missing or self._changes_version(state)
        return state.created_id == UNKNOWN or (state.created_id in self.missing_schedules) == (
            checked_endpoints and self._lacks_endpoint(state)
        )


class ReferenceModel:
    """All states that what was told allows, for each subject of each install."""

    def __init__(self, installs: int) -> None:
        self._installs = {install: {ModelState()} for install in range(installs)}
        self._entities: dict[tuple[int, str], set[ModelState]] = {}
        self.schedules: list[tuple[int, str, str]] = []
        """Install, subject and id of what was told to be created."""

    def possible_states(self, install: int, entity: str = "") -> set[ModelState]:
        """Where the subject, or the install alone, may stand once all is quiet."""
        states = self._entities[install, entity] if entity else self._installs[install]
        return {state.with_pause_applied for state in states}

    def entities(self) -> Iterable[tuple[int, str]]:
        """All subjects of all installs."""
        return self._entities.keys()

    def record_steps(self, steps: Sequence[ModelStep]) -> None:
        """Take in what the callers of operations made at the same time were told.

        Fails where no order of them can have led to it. That a schedule is deleted may be told to several who
        delete it at the same time.
        """
        deleted = {
            each.schedule_id: each for each in steps if (each.kind, each.reported) == ("delete", "done")
        }
        others = [each for each in steps if (each.kind, each.reported) != ("delete", "done")]
        steps = [*others, *deleted.values()]
        for step in steps:
            if step.kind == "create":
                self._entities.setdefault((step.install, step.entity), self._installs[step.install])
                created_schedule = (step.install, step.entity, step.schedule_id)
                if step.reported == "done" and created_schedule not in self.schedules:
                    self.schedules.append(created_schedule)
        for (install, entity), states in self._entities.items():
            entity_steps = [
                each for each in steps if each.affects_install(install) and each.entity in ("", entity)
            ]
            self._entities[install, entity] = _states_after_steps(
                states, entity_steps, f"{entity} of install {install}"
            )
        for install, states in self._installs.items():
            install_steps = [each for each in steps if each.affects_install(install) and not each.entity]
            self._installs[install] = _states_after_steps(states, install_steps, f"install {install}")


def _states_after_steps(states: set[ModelState], steps: Sequence[ModelStep], label: str) -> set[ModelState]:
    if not steps:
        return states
    final_states: set[ModelState] = set()
    for order in permutations(steps):
        reached = states
        for step in order:
            reached = {
                after
                for state in reached
                for each in (state, state.with_pause_applied)
                for after in step.next_states(each)
            }
        final_states |= reached
    assert final_states, f"{label}: no order of {steps} leads from {states} to what was told"
    return final_states
