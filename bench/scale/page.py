"""The tables of docs/scale.md, which the command writes between marks."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.scale.cost import USAGES, cost_per_million
from bench.scale.needs import MAX_CONCURRENCY, NEEDS, Need, largest_concurrency
from bench.scale.scenarios import SCENARIOS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
QUIET_SCENARIOS = (
    "alone",
    "small",
    "excess",
    "outage",
    "many alone",
    "hundred thousand",
    "million",
    "raised",
)
Results = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""The figures as JSON, by scenario and stack; `limits` has those by MaximumConcurrency."""

_BLOCK = re.compile(r"(<!-- bench-scale: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def update_page(text: str, results: Results) -> str:
    """Return the page with the tables of these results."""
    tables = {
        "outcomes": _outcomes_table(results),
        "lateness": _lateness_table(results),
        "limits": _limits_table(results["limits"]),
        "cost": _cost_table(),
        "needs": _needs_table(),
    }
    return _BLOCK.sub(lambda match: f"{match[1]}{tables[match[2]]}{match[3]}", text)


def _render_table(header: str, rows: Iterable[Sequence[str]], texts: int) -> str:
    """Return the table; its first `texts` columns are text, the others numbers."""
    names = header.split("|")
    lines = [names, ["---"] * texts + ["---:"] * (len(names) - texts), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _outcomes_table(results: Results) -> str:
    header = "load|design|occurrences|ran|passed over|dead letters|waiting|lost|executed repeatedly|time-outs|503|ended"
    return _render_table(header, (_outcome_row(*each) for each in _list_rows(results, SCENARIOS)), 2)


def _list_rows(results: Results, keys: Iterable[str]) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
    """Yield the title, the stack's name and the figures; the title only with a scenario's first stack."""
    for key in keys:
        for number, name in enumerate(SCENARIOS[key].stacks):
            yield "" if number else SCENARIOS[key].title, name, results[key][name]


def _outcome_row(title: str, name: str, figures: Mapping[str, Any]) -> Sequence[str]:
    dead, executed = figures["dead_letters"], figures["executed_dead_letters"]
    dead_text = f"**{dead:,}**" if dead else "0"
    if executed:
        dead_text += ", all executed" if executed == dead else f", {executed:,} executed"
    counts = [f"{figures[key]:,}" for key in ("total", "ran", "passed_over")]
    rest = [f"{figures[key]:,}" for key in ("waiting", "lost", "repeated", "timeouts", "refusals")]
    return [title, name, *counts, dead_text, *rest, f"{figures['hours']:g} h"]


def _lateness_table(results: Results) -> str:
    header = "load|design|p50|p99|last|dead letters|passed over or waiting|the others' p50|last"
    rows = (_lateness_row(*each) for each in _list_rows(results, QUIET_SCENARIOS))
    return _render_table(header, rows, 2)


def _lateness_row(title: str, name: str, figures: Mapping[str, Any]) -> Sequence[str]:
    quiet, others = figures["quiet"], figures["others"]
    dead, total = figures["quiet_dead_letters"], figures["quiet_total"]
    late = [format_seconds(quiet[key]) if quiet["count"] else "-" for key in ("p50", "p99", "last")]
    dead_text = f"**{dead:,}** of {total:,}" if dead else "0"
    others_late = [format_seconds(others[key]) if others["count"] else "-" for key in ("p50", "last")]
    return [title, name, *late, dead_text, f"{total - dead - quiet['count']:,}", *others_late]


def _limits_table(limits: Mapping[str, Mapping[str, Any]]) -> str:
    header = "`MaximumConcurrency`|ran|time-outs|executed repeatedly|dead letters|ended"
    return _render_table(
        header,
        (
            [
                name,
                *(f"{each[key]:,}" for key in ("ran", "timeouts", "repeated", "dead_letters")),
                f"{each['hours']:g} h",
            ]
            for name, each in limits.items()
        ),
        0,
    )


def _cost_table() -> str:
    header = "per million|EventBridge Scheduler|SQS|Lambda|DynamoDB|logs|dollars"
    costs = {name: cost_per_million(usage) for name, usage in USAGES.items()}
    rows = (
        [
            name,
            *(f"{part:.2f}" for part in (c.scheduler, c.queue, c.function, c.table, c.logs)),
            f"**{c.total:.2f}**",
        ]
        for name, c in costs.items()
    )
    return _render_table(header, rows, 1)


def _needs_table() -> str:
    header = "to run|a second|cores of a deployed runner|`MaximumConcurrency`|runs at once, not compiled|write units"
    return _render_table(header, map(_need_row, NEEDS), 1)


def _need_row(need: Need) -> Sequence[str]:
    return [
        need.name,
        f"{need.per_second:.1f}",
        f"{need.cores:,}",
        _format_concurrency(largest_concurrency(need.cores)),
        _format_concurrency(need.quick_runs),
        f"{need.write_units:,}",
    ]


def _format_concurrency(concurrency: int) -> str:
    stacks = -(-concurrency // MAX_CONCURRENCY)
    return f"{concurrency:,}" if stacks == 1 else f"{concurrency:,}, by {stacks} stacks"


def format_seconds(seconds: float) -> str:
    """Return a lateness as it is read best."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"
