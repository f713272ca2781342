"""The table of a session for docs/reliability.md, and the survivors that nobody has judged."""

from collections import Counter
from collections.abc import Iterable, Sequence

from cosmic_ray.work_item import TestOutcome, WorkItem, WorkResult

from tests.mutants.judgements import Judgement, find_judgement
from tests.mutants.selection import LAYER, PACKAGES, STAGES
from tests.mutants.trial import TIMED_OUT

_UNEXPLAINED = "unexplained"
_COLUMNS = (*STAGES, TIMED_OUT, "equivalent", "accepted", _UNEXPLAINED)
_TITLES = (
    *(f"killed by {stage}" for stage in STAGES), TIMED_OUT, "equivalent", "survived, explained", _UNEXPLAINED,
)  # fmt: skip

Completed = Sequence[tuple[WorkItem, WorkResult]]


def render_table(completed: Completed, judgements: Sequence[Judgement]) -> str:
    """Render the outcomes by package as a Markdown table."""
    counts = {package: Counter[str]() for package in PACKAGES}
    for item, result in completed:
        counts[_package(item)][_column(result, judgements)] += 1
    rows = [*counts.items(), ("all", sum(counts.values(), Counter()))]
    lines = [
        f"| {package} | {count.total()} | {' | '.join(str(count[column]) for column in _COLUMNS)} |"
        for package, count in rows
    ]
    head = [f"| package | mutants | {' | '.join(_TITLES)} |", "|---" * (2 + len(_TITLES)) + "|"]
    return "\n".join([*head, *lines])


def list_unexplained(completed: Completed, judgements: Sequence[Judgement]) -> list[str]:
    """Return the survivors that nobody has judged, with what changed."""
    return [
        f"{item.job_id} {item.mutations[0].operator_name}: {result.output}\n{result.diff}"
        for item, result in completed
        if _column(result, judgements) == _UNEXPLAINED
    ]


def list_unused(completed: Completed, judgements: Iterable[Judgement]) -> list[Judgement]:
    """Return the judgements of mutants that the tests kill."""
    killed = [result.diff or "" for _, result in completed if result.test_outcome is TestOutcome.KILLED]
    return [each for each in judgements if any(find_judgement(diff, [each]) for diff in killed)]


def _column(result: WorkResult, judgements: Sequence[Judgement]) -> str:
    if result.test_outcome is TestOutcome.KILLED:
        where = str(result.output).partition(";")[0]
        return TIMED_OUT if TIMED_OUT in where else where
    judgement = find_judgement(result.diff, judgements) if result.diff else None
    return judgement.verdict if judgement else _UNEXPLAINED


def _package(item: WorkItem) -> str:
    _, _, below = str(item.mutations[0].module_path).rpartition(f"{LAYER}/")
    return below.partition("/")[0]
