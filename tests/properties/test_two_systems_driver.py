"""The service of `test_two_systems` under its commands, watched for whatever must never be."""

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
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.maintenance.sweep import sweep

from tests.properties.test_two_systems_changes import Changes
from tests.properties.test_two_systems_commands import (
    INSTALLS,
    Act,
    Command,
    Deliver,
    Judge,
    Reconcile,
    Register,
)
from tests.properties.test_two_systems_runs import Runs
from tests.support.audit_listener import assert_heard
from tests.support.aws_calls import Killed
from tests.support.consistency import assert_consistent
from tests.support.interleaving import Fault, Interleaving, Plan, Result
from tests.support.memory_aws import MemoryAws
from tests.support.memory_expressions import Item
from tests.support.model import UNKNOWN, Defined, Model, State, Step
from tests.support.world import TABLE, new_world

WINDOW = timedelta(seconds=60)
_LEFT_TO_THE_SWEEP = {"missing timer", "different timer", "unwanted timer", "orphaned timer"}
"""A function that dies right after it was overtaken at EventBridge can no longer see that it was."""
_Standing = tuple[tuple[bool, bool, str] | None, bool]
_PLACES = {f"INSTALL#{install_id}": place for place, install_id in enumerate(INSTALLS)}


class TwoSystems:
    """One world with two installs of one tenant, both registered."""

    def __init__(self, writes_per_minute: int, schedules: int) -> None:
        self._stack = ExitStack()
        logging.disable()  # faults are the rule here; what is logged of them only costs time
        self._stack.callback(logging.disable, logging.NOTSET)
        self._stack.enter_context(patch("scheduling.domain.ids.secrets", _foreseeable()))
        limits = Limits(max_schedules_per_install=schedules, writes_per_minute=writes_per_minute)
        self._limits = limits
        self._world = self._stack.enter_context(new_world(limits, aws="memory"))
        assert self._world.memory
        self._aws: MemoryAws = self._world.memory
        self._model, self._runs = Model(len(INSTALLS)), Runs()
        self._changes = Changes(self._world, self._model)
        self._accepted: dict[int, list[datetime]] = defaultdict(list)
        self._keys: dict[tuple[int, str], set[str]] = defaultdict(set)
        self._failed = self._died_in_a_race = False
        for install in range(len(INSTALLS)):
            self.do([Register(install, enabled=True, granted=True, version=1)], Plan(), 0)

    def do(self, commands: Sequence[Command], plan: Plan, wait: int) -> None:
        """Let time pass, carry out the commands at the same time, and compare with what may be."""
        self._failed = True
        self._world.advance(seconds=wait)
        made = [each for each in map(self._made, commands) if each]
        interleaving = Interleaving(self._world.calls, self._aws, plan)
        self._runs.pause = interleaving.pause
        died = {*plan.faults.values(), *plan.timer_faults.values()} & {
            Fault.KILLED_BEFORE,
            Fault.KILLED_AFTER,
        }
        self._died_in_a_race = self._died_in_a_race or (len(made) > 1 and bool(died))
        results = interleaving.run([act for act, _ in made])
        steps = [step for (_, judge), result in zip(made, results, strict=True) if (step := judge(result))]
        known = len(self._model.known)
        self._model.learn(steps)
        self._check_limits(steps, len(self._model.known) - known)
        self._check_keys(steps)
        self._runs.check()
        self._failed = False

    def end(self) -> None:
        """Once all is quiet and reconciled, both systems are as was told. Nothing is looked at after a failure."""
        with self._stack:
            if self._failed:
                return
            self._world.advance(seconds=61)
            reconcile(self._world.services)
            assert reconcile(self._world.services).failed == 0
            mended = self._sweep()
            assert mended <= (
                {"missed", "dead run"} | (_LEFT_TO_THE_SWEEP if self._died_in_a_race else set())
            )
            assert_consistent(self._world)
            self._check_told()
            assert_heard(self._aws)
            self._runs.check_history(self._aws)

    def _sweep(self) -> set[str]:
        at_once = timedelta()
        sweep(self._world.services, at_once)  # the first plans the next
        return set(sweep(self._world.services, at_once))

    def _made(self, command: Command) -> tuple[Act, Judge] | None:
        match command:
            case Deliver():
                return self._runs.deliver(self._world, self._model, command)
            case Reconcile():
                return lambda: reconcile(self._world.services), _judge_reconcile
            case _:
                return self._changes.of(command)

    def _check_limits(self, steps: Sequence[Step], created: int) -> None:
        counted = Counter(
            item["pk"]["S"]
            for item in self._aws.items(TABLE, "schedule")
            if item["state"]["S"] != "rolled_back"
        )
        assert all(count <= self._limits.max_schedules_per_install for count in counted.values()), (
            "more schedules than admitted"
        )
        now = self._world.clock[0]
        deleted = {
            (step.install, step.schedule_id)
            for step in steps
            if step.kind == "delete" and step.told == "done"
        }
        updated = [step.install for step in steps if step.kind == "update" and step.told == "done"]
        for install in (*updated, *(install for install, _ in deleted)):
            self._accepted[install].append(now)
        new = {_id(item) for item in self._aws.items(TABLE, "schedule") if _created_at(item) == now}
        for install, _, schedule_id in self._model.known[len(self._model.known) - created :]:
            if schedule_id in new:  # else it is the answer again to a request of which nothing was told
                self._accepted[install].append(now)
        for step in steps:
            if step.kind == "uninstall" and step.told in ("done", "open"):
                self._accepted[step.install].clear()
        for times in self._accepted.values():
            recent = [time for time in times if time > now - WINDOW]
            assert len(recent) <= self._limits.writes_per_minute, "more writes than admitted in a minute"

    def _check_keys(self, steps: Sequence[Step]) -> None:
        gone = {step.install for step in steps if step.kind == "uninstall" and step.told in ("done", "open")}
        for step in steps:
            if step.kind == "create" and step.told == "done" and step.subject[0] in "ab":
                self._keys[step.install, step.subject[0]].add(step.subject)
        for (install, key), subjects in self._keys.items():
            if install in gone:
                subjects.clear()
            assert len(subjects) <= 1, f"key {key} stands for {subjects}"

    def _check_told(self) -> None:
        for install in range(len(INSTALLS)):
            stands, allowed = self._stands(install), self._model.allows(install)
            assert any(_standing(state) == stands for state in allowed), (
                f"install {install} stands as {stands}, but what was told allows {allowed}"
            )
        rows: dict[tuple[int, str], list[tuple[str, Defined]]] = defaultdict(list)
        for item in self._aws.items(TABLE, "schedule"):
            subject = json.loads(item["payload"]["S"])[0]
            rows[_PLACES[item["pk"]["S"]], subject].append((_id(item), _defined(item)))
        assert rows.keys() <= set(self._model.subjects())
        for install, subject in self._model.subjects():
            found, stands = rows[install, subject], self._stands(install)
            allowed = self._model.allows(install, subject)
            assert any(_agree(state, found) and _standing(state) == stands for state in allowed), (
                f"{subject} of install {install} stands as {found} in {stands}, but what was told allows {allowed}"
            )

    def _stands(self, install: int) -> _Standing:
        """The install and its tenant as the table has them."""
        paused = any(item["paused"]["BOOL"] for item in self._aws.items(TABLE, "tenant"))
        for item in self._aws.items(TABLE, "install"):
            if _PLACES[item["pk"]["S"]] == install:
                granted = "cap:scheduler.manage" in item["grantedCapabilities"]["SS"]
                return (item["enabled"]["BOOL"], granted, item["versionId"]["S"]), paused
        return None, paused


def _standing(state: State) -> _Standing:
    on = state.installed
    return (on.enabled, on.granted, on.version) if on else None, state.paused


def _judge_reconcile(result: Result) -> None:
    """It may end early, in an outage; the next one goes on."""
    if result.error is not None and not isinstance(result.error, (Killed, Unavailable)):
        raise result.error


def _foreseeable() -> SimpleNamespace:
    """Tokens and ids that are the same when a failing sequence is replayed."""
    dice = random.Random(0)  # noqa: S311 - guards nothing
    return SimpleNamespace(
        token_hex=lambda size: f"{dice.getrandbits(size * 8):0{size * 2}x}", randbits=dice.getrandbits
    )


def _agree(state: State, found: Sequence[tuple[str, Defined]]) -> bool:
    if state.defined is None or not found:
        return state.defined is None and not found
    ((schedule_id, defined),) = found
    return state.defined == defined and state.born in (schedule_id, UNKNOWN)


def _id(item: Item) -> str:
    return str(item["sk"]["S"]).removeprefix("SCHEDULE#")


def _created_at(item: Item) -> datetime:
    return datetime.strptime(item["createdAt"]["S"], "%Y-%m-%dT%H:%M:%S.%f%z")


def _defined(item: Item) -> Defined:
    name = item.get("name", {}).get("S")
    endpoint = f"{item['endpointMethod']['S']} {item['endpointPath']['S']}"
    return Defined(endpoint, item["cron"]["S"], item["enabled"]["BOOL"], name, item["payload"]["S"])
