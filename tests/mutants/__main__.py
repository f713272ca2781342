"""Make mutants of domain, operations and store, and run for each the tests that cover its line.

`make mutants` runs this in an environment of its own. An interrupted session continues where it stopped, as long as
the sources are the same.
"""

import argparse
import hashlib
import shutil
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import WorkItem

from tests.mutants.covering import Measurement, measure
from tests.mutants.judgements import read_judgements
from tests.mutants.operators import register_operators
from tests.mutants.report import list_unexplained, list_unused, render_table
from tests.mutants.sample import create_session, pending_items
from tests.mutants.selection import STAGES, check_tests, select_modules
from tests.mutants.trees import copy_tree, environment, hash_sources
from tests.mutants.trial import Tree, start_tree, try_mutant

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run or continue a session, and print its table; 1 if a survivor is unexplained."""
    arguments = _parse_arguments()
    register_operators()
    folder = _open_folder(arguments.folder / _digest(arguments.tests))
    roots = [copy_tree(ROOT, folder / f"tree-{number}") for number in range(arguments.jobs)]
    measurement = measure(roots[0], folder, arguments.tests, environment(roots[0]))
    session = folder / f"{arguments.count}-{arguments.seed}-{_digest(arguments.module)}.sqlite"
    if not session.exists():
        modules = select_modules(roots[0], arguments.module)
        create_session(session, roots[0], modules, arguments.count, arguments.seed)
    with use_db(session, WorkDB.Mode.open) as database, ExitStack() as stack:
        trees = [start_tree(root) for root in roots]
        for tree in trees:
            stack.callback(tree.stop)
        _run_pending(database, trees, measurement, time.monotonic() + 60 * arguments.minutes)
        return _print_report(database, arguments.seed)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="mutants in the sample")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument(
        "--module", action="append", default=[], metavar="PATH",
        help="draw the sample from the modules at or below that path in the layer, such as domain/cron; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--tests", nargs="+", default=STAGES, metavar="PATH", help="measure and run these tests only"
    )
    parser.add_argument("--minutes", type=float, default=90, help="start no further mutant after them")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once, each in a copy of its own")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "mutants")
    arguments = parser.parse_args()
    try:
        select_modules(ROOT, arguments.module)
        check_tests(ROOT, arguments.tests)
    except ValueError as error:
        parser.error(str(error))
    return arguments


def _digest(paths: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()[:8]


def _open_folder(path: Path) -> Path:
    """Return the folder for the sessions with the same tests, emptied if it belongs to other sources."""
    folder = path.absolute()
    stamp, expected = folder / "sources", hash_sources(ROOT)
    if not stamp.exists() or stamp.read_text() != expected:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        stamp.write_text(expected)
    return folder


def _run_pending(database: WorkDB, trees: list[Tree], measurement: Measurement, end: float) -> None:
    """Try the mutants without a result, one per tree at once."""
    free: SimpleQueue[Tree] = SimpleQueue()
    for tree in trees:
        free.put(tree)
    lock = threading.Lock()

    def run(item: WorkItem) -> None:
        if time.monotonic() > end:
            return
        tree = free.get()
        try:
            result = try_mutant(item, tree, measurement)
        finally:
            free.put(tree)
        with lock:
            database.set_result(item.job_id, result)
            print(f"{item.job_id} {item.mutations[0].operator_name:45} {result.output}", flush=True)

    with ThreadPoolExecutor(len(trees)) as pool:
        try:
            for each in [pool.submit(run, item) for item in pending_items(database)]:
                each.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for tree in trees:
                tree.stop()
            raise


def _print_report(database: WorkDB, seed: int) -> int:
    completed, judgements = database.completed_work_items, read_judgements()
    unexplained = list_unexplained(completed, judgements)
    print(f"\n{len(completed)} of {database.num_work_items} mutants, seed {seed}\n")
    print(render_table(completed, judgements), *unexplained, sep="\n\n")
    for each in list_unused(completed, judgements):
        print(f"\njudged {each.verdict}, but killed: {each.module}: {each.added}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit("\ninterrupted; the same command continues") from None
