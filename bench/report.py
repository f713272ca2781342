"""The results as a Markdown page."""

import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bench.gates import Gate
from bench.growth import GrowthPoint
from bench.measure import Figures, median, median_ratio
from bench.units import LARGE_MIN_UNITS, MIN_UNITS, AwsUsage, UsageBySize

_HEAD = """# Benchmark results

Written by `make bench` on {when}; {rounds} rounds on {machine}. **this** is the output of `sam build`; **a** is the
same work on raw botocore without a framework (`bench/floor`: the same AWS calls and the same responses, checked before
timing); the others are common alternatives (`bench/peers`: they read, check and then write, so they guarantee less).
All run in fresh processes of Python 3.13: cold starts one after the other, with three times as many rounds for subjects
with a gate; warm calls side by side, taking turns batch by batch. The tables show medians; the relevant figure is the
ratio to **a** in the same run. *a again* is a second measurement of **a**: its distance from 1 is the uncertainty of a
ratio. AWS is a stub in the process (warm calls), or a server over TLS on 127.0.0.1 with 5 ms of delay (first call).

![CPU of cold starts and warm calls by part](results.svg)
"""

_USAGE_HEAD = """On an install with 49 schedules, in a process that has cached the version; units by DynamoDB's rules,
including the index, with a payload of some 80 bytes and with one of 100 KB; in brackets the minimum, which is what any
design with these guarantees needs (`bench/units.py`). A page of a list has 2 MB at most; DynamoDB reads 1 MB at a time.
"""


def render_report(
    rounds: int,
    gates: Sequence[Gate],
    cold: Figures,
    first: Figures,
    warm: Figures,
    usage: UsageBySize,
    growth: Sequence[GrowthPoint],
) -> str:
    """Render the whole page."""
    machine = f"{platform.machine()}, Linux {platform.release()}"
    when = datetime.now(UTC).date().isoformat()
    return "\n".join(
        [
            _HEAD.format(when=when, rounds=rounds, machine=machine),
            "## Gates\n",
            *_table(("gate", "figure", "limit", ""), map(_gate_row, gates)),
            "\n## Cold start, CPU in ms\n",
            "Up to the ready handler of `create`, and to its first response over TLS; ratios of medians; peak in MB.\n",
            *_table(
                ("", "init", "ratio to a", "with first create", "ratio to a", "peak"), _cold_rows(cold, first)
            ),
            "\n## Warm calls, CPU in µs\n",
            *_table(_warm_head(warm), _warm_rows(warm)),
            "\nAn invalid request, whose body is not a JSON object, is compared with a's get.",
            "\n## AWS usage of an operation\n",
            _USAGE_HEAD,
            *_table(("", *_usage_head()), _usage_rows(usage)),
            "\n## Growth of cost\n",
            *_table(("operation", "with", "", "CPU µs", "calls", "response bytes"), map(_growth_row, growth)),
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
    return "", *(name for name in _subjects(warm)), "this / a"


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


def _usage_head() -> Sequence[str]:
    names = ("calls", "read units", "write units")
    return *names, *(f"{name}, 100 KB" for name in names)


def _usage_rows(usage: UsageBySize) -> Iterable[Sequence[str]]:
    for name, small in usage.small.items():
        large = usage.large[name]
        runner = " and the runner's call" if name == "fire" else ""
        yield (
            name,
            " ".join(small.calls) + runner,
            *_unit_cells(small, MIN_UNITS[name]),
            "the same" if large.calls == small.calls else " ".join(large.calls) + runner,
            *_unit_cells(large, LARGE_MIN_UNITS[name]),
        )


def _unit_cells(usage: AwsUsage, min_units: tuple[int, int]) -> Sequence[str]:
    min_read, min_write = min_units
    return f"{usage.read_units} ({min_read})", f"{usage.write_units} ({min_write})"


def _growth_row(point: GrowthPoint) -> Sequence[str]:
    return (
        point.operation,
        point.dimension,
        f"{point.size:,}",
        f"{point.cpu:.0f}",
        str(point.calls),
        f"{point.response_bytes:,}",
    )
