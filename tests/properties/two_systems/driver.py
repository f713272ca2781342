"""The service of `test_two_systems`, with the invariants that are checked after each command."""

import json
import logging
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

from scheduling.domain.errors import Unavailable
from scheduling.domain.install import Limits
from scheduling.domain.runs import Outcome
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.maintenance.sweep import sweep

from tests.properties.two_systems.changes import ChangeRunner
from tests.properties.two_systems.commands import (
    INSTALLS,
    Act,
    Command,
    Deliver,
    DeliverMessage,
    Interpreter,
    Reconcile,
    Redrive,
    Register,
)
from tests.properties.two_systems.queue import Queue
from tests.properties.two_systems.runs import FAILED, SUCCEEDED, RunLog
from tests.support.aws.calls import Killed
from tests.support.aws.memory import MemoryAws
from tests.support.aws.memory_expressions import Item
from tests.support.faults.interleaving import CallResult, Fault, Interleaving, InterleavingPlan
from tests.support.oracles.consistency import assert_consistent
from tests.support.oracles.event_replica import assert_events_match_table
from tests.support.oracles.reference_model import (
    UNKNOWN,
    ModelDefinition,
    ModelState,
    ModelStep,
    ReferenceModel,
)
from tests.support.stacks.world import TABLE, new_world

WINDOW = timedelta(seconds=60)
_MAX_DELIVERIES = 200
"""More than the messages of any sequence take until each occurrence is finished."""
_REPAIRED_BY_SWEEP = {"missing timer", "drifted timer", "unneeded timer", "orphaned timer"}
"""A function killed right after it was overtaken at EventBridge cannot detect that; the sweep repairs the timer."""
_InstallState = tuple[tuple[bool, bool, str] | None, bool]
_INSTALL_NUMBERS = {f"INSTALL#{install_id}": number for number, install_id in enumerate(INSTALLS)}


class TwoSystems:
    """One world with two installs of one tenant, both registered."""

    def __init__(self, writes_per_minute: int, schedules: int) -> None:
        self._stack = ExitStack()
        logging.disable()  # most commands have faults, and logging them takes time
        self._stack.callback(logging.disable, logging.NOTSET)
        self._stack.enter_context(patch("scheduling.domain.ids.secrets", _deterministic_secrets()))
        limits = Limits(max_schedules_per_install=schedules, writes_per_minute=writes_per_minute)
        self._limits = limits
        self._world = self._stack.enter_context(new_world(limits, aws="memory"))
        assert self._world.memory
        self._aws: MemoryAws = self._world.memory
        self._model, self._runs = ReferenceModel(len(INSTALLS)), RunLog()
        self._queue = Queue(self._world)
        self._changes = ChangeRunner(self._world, self._model)
        self._accepted: dict[int, list[datetime]] = defaultdict(list)
        self._keys: dict[tuple[int, str], set[str]] = defaultdict(set)
        self._failed = self._killed_in_race = False
        for install in range(len(INSTALLS)):
            self.run_commands(
                [Register(install, enabled=True, granted=True, version=1)], InterleavingPlan(), 0
            )

    def run_commands(self, commands: Sequence[Command], plan: InterleavingPlan, wait: int) -> None:
        """Advance the clock, run the commands concurrently, and check the model and the invariants."""
        self._failed = True
        self._world.advance(seconds=wait)
        prepared = [each for each in map(self._prepare, commands) if each]
        interleaving = Interleaving(self._world.calls, self._aws, plan)
        self._runs.pause = interleaving.yield_control
        kills = {*plan.faults.values(), *plan.timer_faults.values()} & {
            Fault.KILLED_BEFORE,
            Fault.KILLED_AFTER,
        }
        self._killed_in_race = self._killed_in_race or (len(prepared) > 1 and bool(kills))
        results = interleaving.run_actions([act for act, _ in prepared])
        steps = [
            step
            for (_, interpret), result in zip(prepared, results, strict=True)
            if (step := interpret(result))
        ]
        schedule_count = len(self._model.schedules)
        self._model.record_steps(steps)
        self._check_limits(steps, len(self._model.schedules) - schedule_count)
        self._check_keys(steps)
        self._queue.collect_messages()
        self._runs.check_success_counts()
        self._failed = False

    def finish(self) -> None:
        """Reconcile and compare both systems with the model; check nothing after a failed command."""
        with self._stack:
            if self._failed:
                return
            self._world.advance(seconds=61)
            reconcile(self._world.services)
            assert reconcile(self._world.services).failed == 0
            self._finish_occurrences()
            repairs = self._run_sweep()
            assert repairs <= (
                {"missed", "expired run"} | (_REPAIRED_BY_SWEEP if self._killed_in_race else set())
            )
            assert_consistent(self._world)
            self._check_reported_results()
            assert_events_match_table(self._aws)
            self._runs.check_history(self._aws)

    def _finish_occurrences(self) -> None:
        """Let all that is left fail for good, then replay it with success, twice, since SQS may deliver it twice."""
        self._drain_queue(FAILED)
        for _ in range(2):
            self._runs.redrive_dead_letters(self._queue)
            self._drain_queue(SUCCEEDED)

    def _drain_queue(self, outcome: Outcome) -> None:
        """Deliver all messages, and those that they cause, until there is none."""
        self._queue.collect_messages()
        for _ in range(_MAX_DELIVERIES):
            message = self._queue.take_next()
            if message is None:
                self._runs.check_success_counts()
                self._runs.check_nothing_is_lost(self._world, self._queue, self._aws)
                return
            act, interpret = self._runs.deliver(self._world, self._queue, message, outcome)
            interpret(CallResult(act()))
        raise AssertionError("the queue does not become empty")

    def _run_sweep(self) -> set[str]:
        no_interval = timedelta()
        sweep(self._world.services, no_interval)  # the first call only plans the next sweep
        return set(sweep(self._world.services, no_interval))

    def _prepare(self, command: Command) -> tuple[Act, Interpreter] | None:
        match command:
            case Deliver() | DeliverMessage() | Redrive():
                return self._runs.prepare_delivery(self._world, self._queue, self._model, command)
            case Reconcile():
                return lambda: reconcile(self._world.services), _interpret_reconcile
            case _:
                return self._changes.prepare(command)

    def _check_limits(self, steps: Sequence[ModelStep], created: int) -> None:
        counted = Counter(
            item["pk"]["S"]
            for item in self._aws.items_of_type(TABLE, "schedule")
            if item["state"]["S"] != "rolled_back"
        )
        assert all(count <= self._limits.max_schedules_per_install for count in counted.values()), (
            "more schedules than the quota allows"
        )
        now = self._world.clock[0]
        deleted = {
            (step.install, step.schedule_id)
            for step in steps
            if step.kind == "delete" and step.reported == "done"
        }
        updated = [step.install for step in steps if step.kind == "update" and step.reported == "done"]
        for install in (*updated, *(install for install, _ in deleted)):
            self._accepted[install].append(now)
        new = {
            _item_schedule_id(item)
            for item in self._aws.items_of_type(TABLE, "schedule")
            if _item_created_at(item) == now
        }
        for install, _, schedule_id in self._model.schedules[len(self._model.schedules) - created :]:
            if schedule_id in new:  # else the request was applied earlier, without a response
                self._accepted[install].append(now)
        for step in steps:
            if step.kind == "uninstall" and step.reported in ("done", "open"):
                self._accepted[step.install].clear()
        for times in self._accepted.values():
            recent = [time for time in times if time > now - WINDOW]
            assert len(recent) <= self._limits.writes_per_minute, (
                "more writes in a minute than the rate limit allows"
            )

    def _check_keys(self, steps: Sequence[ModelStep]) -> None:
        uninstalled = {
            step.install for step in steps if step.kind == "uninstall" and step.reported in ("done", "open")
        }
        for step in steps:
            if step.kind == "create" and step.reported == "done" and step.entity[0] in "ab":
                self._keys[step.install, step.entity[0]].add(step.entity)
        for (install, key), entities in self._keys.items():
            if install in uninstalled:
                entities.clear()
            assert len(entities) <= 1, f"key {key} created {entities}"

    def _check_reported_results(self) -> None:
        for install in range(len(INSTALLS)):
            actual, allowed = self._read_install_state(install), self._model.possible_states(install)
            assert any(_expected_install_state(state) == actual for state in allowed), (
                f"install {install} is {actual}, but the reported results allow {allowed}"
            )
        rows: dict[tuple[int, str], list[tuple[str, ModelDefinition]]] = defaultdict(list)
        for item in self._aws.items_of_type(TABLE, "schedule"):
            payload = self._read_payload(item)
            entity = json.loads(payload)[0]
            rows[_INSTALL_NUMBERS[item["pk"]["S"]], entity].append(
                (_item_schedule_id(item), _item_definition(item, payload))
            )
        assert rows.keys() <= set(self._model.entities())
        for install, entity in self._model.entities():
            definitions, actual = rows[install, entity], self._read_install_state(install)
            allowed = self._model.possible_states(install, entity)
            assert any(
                _matches_rows(state, definitions) and _expected_install_state(state) == actual
                for state in allowed
            ), (
                f"{entity} of install {install} is {definitions} in {actual}, but the reported results allow {allowed}"
            )

    def _read_payload(self, item: Item) -> str:
        """Return the payload of a schedule's row, which names it by its digest where it has an item of its own."""
        if "payloadDigest" not in item:
            return str(item["payload"]["S"])
        key = (item["pk"]["S"], f"{item['sk']['S']}#PAYLOAD")
        payload_item = self._aws.tables[TABLE].items[key]
        assert payload_item["digest"] == item["payloadDigest"]
        return str(payload_item["payload"]["S"])

    def _read_install_state(self, install: int) -> _InstallState:
        """Return the stored state of the install and its tenant."""
        paused = any(item["paused"]["BOOL"] for item in self._aws.items_of_type(TABLE, "tenant"))
        for item in self._aws.items_of_type(TABLE, "install"):
            if _INSTALL_NUMBERS[item["pk"]["S"]] == install:
                granted = "cap:scheduler.manage" in item["grantedCapabilities"]["SS"]
                return (item["enabled"]["BOOL"], granted, item["versionId"]["S"]), paused
        return None, paused


def _expected_install_state(state: ModelState) -> _InstallState:
    install = state.install
    return (install.enabled, install.granted, install.version) if install else None, state.paused


def _interpret_reconcile(result: CallResult) -> None:
    """Accept an early end, in an outage; the next run continues."""
    if result.error is not None and not isinstance(result.error, (Killed, Unavailable)):
        raise result.error


def _deterministic_secrets() -> SimpleNamespace:
    """Return tokens and ids that are the same when a failing sequence is replayed."""
    generator = random.Random(0)  # noqa: S311 - not used for security
    return SimpleNamespace(
        token_hex=lambda size: f"{generator.getrandbits(size * 8):0{size * 2}x}",
        randbits=generator.getrandbits,
    )


def _matches_rows(state: ModelState, rows: Sequence[tuple[str, ModelDefinition]]) -> bool:
    if state.definition is None or not rows:
        return state.definition is None and not rows
    ((schedule_id, definition),) = rows
    return state.definition == definition and state.created_id in (schedule_id, UNKNOWN)


def _item_schedule_id(item: Item) -> str:
    return str(item["sk"]["S"]).removeprefix("SCHEDULE#")


def _item_created_at(item: Item) -> datetime:
    return datetime.strptime(item["createdAt"]["S"], "%Y-%m-%dT%H:%M:%S.%f%z")


def _item_definition(item: Item, payload: str) -> ModelDefinition:
    name = item.get("name", {}).get("S")
    endpoint = f"{item['endpointMethod']['S']} {item['endpointPath']['S']}"
    return ModelDefinition(endpoint, item["cron"]["S"], item["enabled"]["BOOL"], name, payload)
