"""A seeded sample of the mutants of a source tree, in a session of Cosmic Ray."""

import ast
import random
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, WorkItem

from tests.mutants.operators import OPERATOR_NAMES
from tests.mutants.relevant_lines import Sources
from tests.mutants.selection import LAYER
from tests.mutants.trees import mutate_source


def read_sources(root: Path) -> Sources:
    """Read all modules of the layer, by their paths in the project."""
    modules = sorted((root / LAYER).rglob("*.py"))
    return Sources({str(path.relative_to(root)): ast.parse(path.read_text("utf-8")) for path in modules})


def create_session(session: Path, root: Path, modules: Sequence[Path], count: int, seed: int) -> None:
    """Write a sample of the modules' mutants, in random order, to a new session."""
    everything = session.with_suffix(".all")
    with use_db(everything) as database:
        init(modules, database, {})
        mutations = [mutation for item in database.work_items for mutation in item.mutations]
    everything.unlink()
    sampled = _sample(mutations, root, count, seed)
    with use_db(session) as database:
        database.add_work_items(
            [WorkItem.single(f"{place:05}", mutation) for place, mutation in enumerate(sampled)]
        )


def pending_items(database: WorkDB) -> list[WorkItem]:
    """Return the items without a result, in the order of the sample."""
    return sorted(database.pending_work_items, key=lambda item: item.job_id)


def _sample(mutations: Sequence[MutationSpec], root: Path, count: int, seed: int) -> list[MutationSpec]:
    sources = read_sources(root)
    candidates = [
        mutation
        for mutation in mutations
        if mutation.operator_name in OPERATOR_NAMES
        and not sources.is_skipped(str(mutation.module_path.relative_to(root)), *mutation.start_pos)
    ]
    candidates.sort(key=lambda each: (each.module_path, each.start_pos, each.operator_name, each.occurrence))
    random.Random(seed).shuffle(candidates)  # noqa: S311
    sampled = list(islice(filter(_is_valid, candidates), count))
    print(f"{len(candidates)} mutants; the sample has {len(sampled)}")
    return sampled


def _is_valid(mutation: MutationSpec) -> bool:
    """Return whether the mutant can be compiled; Cosmic Ray takes the star of a parameter list for an operator."""
    try:
        compile(mutate_source(mutation.module_path.read_text("utf-8"), mutation), "mutant", "exec")
    except SyntaxError:
        return False
    return True
