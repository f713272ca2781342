"""A model of the results that callers receive and every state that they allow, independent of the implementation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any, Literal

ReportedResult = Literal[
    "done", "open", "refused", "no schedule", "no install", "denied", "no endpoint", "missing", "not runnable"
]
"""`open`: applied or not; `refused`: not applied, for a reason that does not depend on the state."""

UNKNOWN = "?"


@dataclass(frozen=True)
class ModelDefinition:
    """The fields of a schedule that a caller sets; `payload` as stored in the table."""

    endpoint: str
    cron: str
    enabled: bool
    name: str | None
    payload: str


@dataclass(frozen=True)
class ModelInstall:
    """The fields of an install that the platform sets; `endpoints` are those of the version."""

    enabled: bool
    granted: bool
    version: str
    endpoints: frozenset[str]


@dataclass(frozen=True)
class ModelState:
    """A possible state of one entity: the schedule created by one body in one install.

    `created_id` is the id that the create returned; deleting the install clears it together with its idempotency keys.
    `paused` is the state of the tenant; `pending_pause` is its new state while that may not have reached the install.
    """

    install: ModelInstall | None = None
    paused: bool = False
    pending_pause: bool | None = None
    created_id: str | None = None
    definition: ModelDefinition | None = None

    @property
    def with_pause_applied(self) -> "ModelState":
        """The state once the tenant's newest change has reached the install."""
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
        """Whether the schedule should fire."""
        return (
            self.is_manageable and not self.paused and self.definition is not None and self.definition.enabled
        )

    def has_endpoint(self, endpoint: str) -> bool:
        """Return whether the installed version has the endpoint."""
        return self.install is not None and endpoint in self.install.endpoints

    def may_have_schedule(self, schedule_id: str) -> bool:
        """Return whether the schedule of that id may exist."""
        return self.definition is not None and self.created_id in (schedule_id, UNKNOWN)


@dataclass(frozen=True)
class ModelStep:
    """One operation, and the result that its caller received.

    `set_paused` affects all installs. `result` is the definition in the response or in the create, `target_install` the
    install after a register, `switch_on` whether an install or tenant is switched on, `missing_schedules` the schedules
    reported as lacking their endpoint; `repeated` marks a run requested before with the same key.
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
        """Return whether the operation may change that install."""
        return self.kind == "set_paused" or self.install == install

    def next_states(self, state: ModelState) -> set[ModelState]:
        """Return the states that may follow; none if the reported result is impossible in this state."""
        match self.reported:
            case "done":
                return self._states_if_done(state)
            case "open":
                return self._states_if_done(state) | self._states_if_pending(state) | {state}
        return {state} if self._explains_refusal(state) else set()

    def _explains_refusal(self, state: ModelState) -> bool:
        """Return whether the state explains the refusal."""
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
            case "uninstall":  # also of an absent install: an earlier uninstall may not have finished
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
        """Return whether the schedule is reported as missing exactly if it lacks its endpoint."""
        checked_endpoints = self.disable_missing or self._changes_version(state)
        return state.created_id == UNKNOWN or (state.created_id in self.missing_schedules) == (
            checked_endpoints and self._lacks_endpoint(state)
        )


class ReferenceModel:
    """The set of possible states of each entity of each install."""

    def __init__(self, installs: int) -> None:
        self._installs = {install: {ModelState()} for install in range(installs)}
        self._entities: dict[tuple[int, str], set[ModelState]] = {}
        self.schedules: list[tuple[int, str, str]] = []
        """Install, entity and id of each schedule that was reported as created."""

    def possible_states(self, install: int, entity: str = "") -> set[ModelState]:
        """Return the possible states of the entity, or of the install alone, once no change is running."""
        states = self._entities[install, entity] if entity else self._installs[install]
        return {state.with_pause_applied for state in states}

    def entities(self) -> Iterable[tuple[int, str]]:
        """Return all entities of all installs."""
        return self._entities.keys()

    def record_steps(self, steps: Sequence[ModelStep]) -> None:
        """Apply the results of operations that ran concurrently; fail if no order of them explains the results.

        Several concurrent deletes of one schedule may all report success.
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
    assert final_states, f"{label}: no order of {steps} explains the results from {states}"
    return final_states
