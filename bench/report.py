"""The results as Markdown."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from bench.gates import Gate
from bench.growth import GrowthPoint
from bench.measure import Figures, median, median_ratio
from bench.units import MIN_UNITS, AwsUsage

_HEAD = """# What it costs

Written by `make bench` on {when}; {rounds} rounds on {machine}. **this** is what `sam build` makes; **a** is the same
work on raw botocore without any framework (`bench/floor`: the same AWS calls, the same answers, checked before timing);
the others are what one would reach for instead (`bench/peers`: they read, check and then write, so they promise less).
All are measured in fresh processes of Python 3.13: what starts, one after the other, those held to a gate in three
times as many rounds; what is warm, side by side by turns of a batch of calls. Medians are shown, and what counts is the
ratio to **a** at its side. *a again* is **a** measured once more: as far as it is from 1, so far is a ratio uncertain.
AWS is answered by a stub in the process (warm), or over TLS on 127.0.0.1 with 5 ms of delay (first call).

![cold start and calls by part](results.svg)
"""


def render_report(
    rounds: int,
    gates: Sequence[Gate],
    cold: Figures,
    first: Figures,
    warm: Figures,
    usage: Mapping[str, AwsUsage],
    growth: Sequence[GrowthPoint],
) -> str:
    """The whole page."""
    machine = f"{platform.machine()}, Linux {platform.release()}"
    when = datetime.now(UTC).date().isoformat()
    return "\n".join(
        [
            _HEAD.format(when=when, rounds=rounds, machine=machine),
            "## Gates\n",
            *_table(("gate", "figure", "at most", ""), map(_gate_row, gates)),
            "\n## Cold start, CPU in ms\n",
            "To the ready handler of `create`, and on to its first answer over TLS; ratios of medians; peak in MB.\n",
            *_table(("", "init", "of a's", "with first create", "of a's", "peak"), _cold_rows(cold, first)),
            "\n## Warm calls, CPU in µs\n",
            *_table(_warm_head(warm), _warm_rows(warm)),
            "\nAn invalid request, whose body is no JSON object, is held against a's get.",
            "\n## What an operation asks of AWS\n",
            "Of an install with 49 schedules, in a process that knows the version; units by DynamoDB's rules, the"
            " index's included; the least is what no design with these guarantees does without (`bench/units.py`).\n",
            *_table(("", "calls", "read units", "least", "write units", "least"), _usage_rows(usage)),
            "\n## How cost grows\n",
            *_table(("operation", "with", "", "CPU µs", "calls", "bytes answered"), map(_growth_row, growth)),
            "",
        ]
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _gate_row(gate: Gate) -> Sequence[str]:
    digits = 0 if gate.figure == round(gate.figure) and gate.limit >= 1 else 2
    return gate.name, f"{gate.figure:.{digits}f}", f"{gate.limit:.4g}", "" if gate.passes else "**no**"


def _cold_rows(cold: Figures, first: Figures) -> Iterable[Sequence[str]]:
    for subject in dict.fromkeys(name for name, _ in cold):
        init, first_call = (
            median(cold[subject, "create"], "init"),
            median(first[subject, "create"], "first"),
        )
        yield (
            subject,
            f"{init:.0f}",
            f"{init / median(cold['a', 'create'], 'init'):.2f}",
            f"{first_call:.0f}",
            f"{first_call / median(first['a', 'create'], 'first'):.2f}",
            f"{median(first[subject, 'create'], 'peak'):.0f}",
        )


def _warm_head(warm: Figures) -> Sequence[str]:
    return "", *(name for name in _subjects(warm)), "this of a's"


def _warm_rows(warm: Figures) -> Iterable[Sequence[str]]:
    for operation in dict.fromkeys(name for _, name in warm):
        figures = {
            name: median(warm[name, operation], "cpu")
            for name in _subjects(warm)
            if (name, operation) in warm
        }
        cells = [f"{figures[name]:.0f}" if name in figures else "" for name in _subjects(warm)]
        reference = warm.get(("a", operation), warm["a", "get"])
        yield operation, *cells, f"{median_ratio(warm['this', operation], reference, 'cpu'):.2f}"


def _subjects(figures: Figures) -> Sequence[str]:
    return list(dict.fromkeys(name for name, _ in figures))


def _usage_rows(usage: Mapping[str, AwsUsage]) -> Iterable[Sequence[str]]:
    for name, each in usage.items():
        read, written = MIN_UNITS[name]
        calls = " ".join(each.calls) + (" and the runner's" if name == "fire" else "")
        yield name, calls, str(each.read_units), str(read), str(each.write_units), str(written)


def _growth_row(point: GrowthPoint) -> Sequence[str]:
    return (
        point.operation,
        point.dimension,
        f"{point.size:,}",
        f"{point.cpu:.0f}",
        str(point.calls),
        f"{point.response_bytes:,}",
    )
