"""A history: rounds of processes that are killed at random calls, then a reconcile and the audit of both systems."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.maintenance.sweep import sweep

from tests.attack.histories.accidents import Accidents
from tests.attack.histories.ledger import Definition, Key, Ledger, LedgerFile, read_entries
from tests.attack.histories.worker import Worker
from tests.attack.histories.world import INSTALLS, ROUND, create_world, prepare_world, serve_aws
from tests.support.aws.calls import watch_calls
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.world import World

WORKERS = 2
_OPERATIONS_PER_LIFE = 40
_CALLS_PER_LIFE = 250
_TIMER_REPAIRS = {"missing timer", "drifted timer", "unneeded timer", "orphaned timer"}
_MAX_TIMER_REPAIRS = 1
"""A process killed within the milliseconds after it was overtaken at EventBridge can't mark the difference."""


@dataclass
class HistoryReport:
    """What happened in a history, and what the audit found."""

    seed: int
    changes: Counter[str] = field(default_factory=Counter)
    """The changes of schedules by what their callers learned."""
    killed: int = 0
    rounds: int = 0
    repairs: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def summarize(self) -> str:
        """Return the counts and the violations."""
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.changes.items()))
        lines = [
            f"{self.changes.total()} changes of schedules in {self.rounds} rounds, seed {self.seed}: {outcomes}",
            f"{self.killed} processes killed; repaired by the sweep: {dict(self.repairs) or 'nothing'}",
            f"{len(self.violations)} violations",
        ]
        return "\n".join([*lines, *self.violations])


def run_history(
    seed: int, changes: int, folder: Path, progress: Callable[[int], None] = lambda _: None
) -> HistoryReport:
    """Run rounds until the schedules were changed that often, then audit; forks, so call it without threads."""
    report, ledger, random = HistoryReport(seed), Ledger(), Random(seed)  # noqa: S311
    with serve_aws(folder):
        world = create_world()
        _run_child(lambda: prepare_world(world))
        while report.changes.total() < changes:
            report.rounds += 1
            world.clock[0] += ROUND
            _run_round(world, report, ledger, random, folder)
            progress(report.changes.total())
        world.clock[0] += ROUND
        _audit(world, report, ledger)
    return report


def _run_round(world: World, report: HistoryReport, ledger: Ledger, random: Random, folder: Path) -> None:
    """Let the workers of a round run at once, and wait for their ends."""
    children = {}
    for number in range(WORKERS):
        path = folder / f"round-{report.rounds}-{number}.jsonl"
        life = Random(random.random())  # noqa: S311
        children[_fork(partial(_live, world, life, number, path))] = path
    for child, path in children.items():
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            report.killed += 1
        elif os.waitstatus_to_exitcode(status):
            report.violations.append(f"a worker of round {report.rounds} failed: see {path}.error")
        for entry in read_entries(path):
            report.changes[entry.outcome] += 1
            ledger.record(entry)


def _live(world: World, random: Random, number: int, path: Path) -> None:
    """Be a worker, with accidents."""
    kill_at = random.randrange(5, _CALLS_PER_LIFE) if random.random() < 0.85 else None
    accidents = Accidents(random, kill_at, random.choice(("before", "after", "during")))
    with watch_calls() as calls:
        accidents.install(calls)
        Worker(world, random, number, LedgerFile(path)).run(_OPERATIONS_PER_LIFE)


def _audit(world: World, report: HistoryReport, ledger: Ledger) -> None:
    """Reconcile as on AWS, then compare table, EventBridge and the ledger."""
    for _ in range(3):
        remaining = reconcile(world.services).failed
        world.advance(seconds=61)
    if remaining:
        report.violations.append(f"the reconciler leaves {remaining} rows")
    sweep(world.services, timedelta())  # the first call only plans the sweep
    report.repairs = sweep(world.services, timedelta())
    timer_repairs = sum(report.repairs[kind] for kind in _TIMER_REPAIRS)
    if timer_repairs > _MAX_TIMER_REPAIRS or set(report.repairs) - _TIMER_REPAIRS - {"missed"}:
        report.violations.append(f"the sweep had to repair {dict(report.repairs)}")
    try:
        assert_consistent(world)
    except AssertionError as error:
        report.violations.append(f"table and EventBridge differ: {error}")
    ledger.check(_read_definitions(world))
    report.violations += ledger.violations


def _read_definitions(world: World) -> dict[Key, Definition]:
    return {
        (install_id, str(each.definition.name)): (
            int(each.definition.cron.split()[0]),
            each.definition.enabled,
        )
        for install_id in INSTALLS
        for each in world.services.schedules.read_all_schedules(install_id)
    }


def _run_child(action: Callable[[], None]) -> None:
    _, status = os.waitpid(_fork(action), 0)
    if status:
        raise AssertionError("a child failed")


def _fork(action: Callable[[], None]) -> int:
    """Run the action in a child process, which shares no connection, as this process has none yet."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        action()
        status = 0
    finally:
        os._exit(status)
