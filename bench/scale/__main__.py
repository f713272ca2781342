"""`make bench-scale`: print the outcome of each load on each stack, and draw docs/scale.svg."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.scale.loads import HOUR, Load, create_loads
from bench.scale.model import DURATIONS, LoadStack, Outcome, Simulation
from bench.scale.plot import Curve, draw_curves

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "scale.svg"
HORIZON_SECONDS = 8 * HOUR
LEGEND = """500: that concurrency is reserved; the runner takes 500 runs at once. 1 h, 6 h: maximum age of an event.
1 min, 4 min: spread evenly, by a flexible window or an offset. raised: 4,000 fires a second, 10,000 concurrent runs.
late: from the minute of the rule to the start of the run, of the runs that started. expired, dead letters: lost
unless replayed. waiting: not started after eight hours. account full: minutes without concurrency for the API."""
WRITE_UNITS = 8
"""Write units of one fire: two transactions of two rows, each row counted twice."""

AS_IS = LoadStack()
RESERVED = LoadStack(concurrency=500)
LONG_RETENTION = replace(RESERVED, event_age=6 * HOUR)
RAISED = LoadStack(timer_rate=4_000, account=12_000, concurrency=10_000, runner=10_000, event_age=6 * HOUR)
STACKS: Mapping[str, LoadStack] = {
    "no limit": AS_IS,
    "no limit, 1 min": replace(AS_IS, spread=60),
    "no limit, 4 min": replace(AS_IS, spread=240),
    "no limit, runner 5,000": replace(AS_IS, runner=5_000),
    "500, 1 h": RESERVED,
    "500, 1 h, 4 min": replace(RESERVED, spread=240),
    "500, 6 h": LONG_RETENTION,
    "500, SQS": replace(RESERVED, queue=True),
    "raised": RAISED,
}
PLOTTED_LOAD = "10 million once a day: the busiest four hours"
PLOTTED_STACKS = {
    "no limit": "no concurrency reserved, a runner for 500",
    "no limit, 4 min": "the same, spread over 4 minutes",
    "500, 1 h": "500 reserved, events expire after 1 hour",
    "500, 6 h": "500 reserved, events expire after 6 hours",
}


def main() -> None:
    """Simulate, print and draw."""
    console = Console(width=140)
    for load in create_loads():
        results = {
            name: Simulation(stack, load.occurrences).run(HORIZON_SECONDS) for name, stack in STACKS.items()
        }
        console.print(_result_table(load, results))
        if load.name == PLOTTED_LOAD:
            curves = [_lateness_curve(text, results[name], load) for name, text in PLOTTED_STACKS.items()]
            PICTURE.write_text(draw_curves(curves, load.name), encoding="utf-8")
    console.print(LEGEND)


def _result_table(load: Load, results: Mapping[str, Outcome]) -> Table:
    table = Table(title=f"{load.name}: {load.total:,} occurrences", title_justify="left")
    table.add_column("stack", no_wrap=True)
    for name in (
        "late p50",
        "p99",
        "last",
        "concurrent",
        "account full",
        "skipped",
        "dead letters",
        "expired",
        "waiting",
        "WCU/s",
    ):
        table.add_column(name, justify="right")
    for name, outcome in results.items():
        late = count_by_lateness(outcome)
        table.add_row(
            name,
            *(_format_seconds(percentile(late, share)) for share in (0.5, 0.99, 1.0)),
            f"{outcome.peak_running:,}",
            f"{outcome.seconds_full / 60:.0f}",
            *(
                f"{count:,}"
                for count in (count_overlaps(outcome, load), outcome.dead_lettered, outcome.expired)
            ),
            f"{outcome.waiting:,}",
            f"{outcome.peak_attempts * WRITE_UNITS:,}",
        )
    return table


def count_by_lateness(outcome: Outcome) -> dict[int, int]:
    """Return the number of runs by seconds of lateness, in order."""
    late: dict[int, int] = {}
    for nominal, starts in outcome.starts.items():
        for second, count in starts.items():
            late[second - nominal] = late.get(second - nominal, 0) + count
    return dict(sorted(late.items()))


def percentile(late: Mapping[int, int], share: float) -> int:
    """Return the lateness that this share of the started runs does not exceed."""
    target, total = share * sum(late.values()), 0
    for seconds, count in late.items():
        total += count
        if total >= target:
            return seconds
    return max(late, default=0)


def count_overlaps(outcome: Outcome, load: Load) -> int:
    """Return the number of occurrences that start while the previous one still runs, since both were delayed."""
    longest = round(sum(seconds * share for seconds, share in DURATIONS))
    skipped = 0.0
    for period, schedules in load.periods.items():
        for nominal, starts in outcome.starts.items():
            next_starts = outcome.starts.get(nominal + period)
            if next_starts is None:
                continue
            count_now, count_next = load.occurrences[nominal], load.occurrences[nominal + period]
            for second, count in starts.items():
                near = sum(next_starts.get(second + shift, 0) for shift in range(1 - longest, longest))
                skipped += schedules * (count / count_now) * (near / count_next)
    return round(skipped)


def _lateness_curve(name: str, outcome: Outcome, load: Load) -> Curve:
    """Return the share of all occurrences that have started, by minutes of lateness."""
    points, total = [(0.0, 0.0)], 0
    for seconds, count in count_by_lateness(outcome).items():
        total += count
        points.append((seconds / 60, total / load.total))
    return Curve(name, points)


def _format_seconds(seconds: int) -> str:
    return (
        f"{seconds} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7_200
        else f"{seconds / 3_600:.1f} h"
    )


main()
