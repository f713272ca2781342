"""`make bench-scale`: simulate all loads, and write the results, the tables of docs/scale.md and its picture."""

import json
from collections.abc import Mapping
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from rich.progress import track

from bench.scale.page import PAGE, Results, update_page
from bench.scale.plot import Curve, draw_curves
from bench.scale.scenarios import (
    BEFORE,
    BEFORE_ALL,
    LIMITS,
    MILLION,
    NOW,
    RAISED,
    SCENARIOS,
    list_simulations,
    simulate_limit,
)

RESULTS = Path(__file__).parent / "results.json"
PICTURE = PAGE.parent / "scale.svg"
TITLE = "Quiet tenants beside one with a million at 09:00: share of their occurrences that have started"
CURVES = {
    (MILLION, BEFORE_ALL): "before, not limited",
    (MILLION, BEFORE): "before, 48 at once",
    (MILLION, NOW): "now, 48 at once",
    (RAISED, NOW): "now, and EventBridge's quota raised to 20,000 a second",
}


def main() -> None:
    """Simulate, and write what has been found."""
    results = simulate_all()
    RESULTS.write_text(format_results(results), encoding="utf-8")
    PAGE.write_text(update_page(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    PICTURE.write_text(draw_picture(results), encoding="utf-8")


def simulate_all() -> Results:
    """Return the figures of all simulations, which run in processes of their own."""
    simulations = [*list_simulations(), *(("limits", str(limit)) for limit in LIMITS)]
    with Pool() as pool:
        figures = dict(track(pool.imap_unordered(_simulate, simulations), "simulations", len(simulations)))
    results = {key: {name: figures[key, name] for name in each.stacks} for key, each in SCENARIOS.items()}
    return {**results, "limits": {str(limit): figures["limits", str(limit)] for limit in LIMITS}}


def _simulate(simulation: tuple[str, str]) -> tuple[tuple[str, str], Mapping[str, Any]]:
    """Return the figures, with a curve only if it is drawn."""
    key, name = simulation
    figures = simulate_limit(int(name)) if key == "limits" else SCENARIOS[key].simulate(name)
    return simulation, figures.to_json(curve=simulation in CURVES)


def format_results(results: Results) -> str:
    """Return the results as JSON, with a line for each simulation."""
    groups = (
        f"{json.dumps(key)}: {{\n"
        + ",\n".join(f"{json.dumps(name)}: {json.dumps(each)}" for name, each in figures.items())
        + "\n}"
        for key, figures in results.items()
    )
    return "{\n" + ",\n".join(groups) + "\n}\n"


def draw_picture(results: Results) -> str:
    """Draw the lateness of quiet tenants beside a noisy one."""
    curves = [Curve(text, results[key][name]["curve"]) for (key, name), text in CURVES.items()]
    return draw_curves(curves, TITLE)


if __name__ == "__main__":
    main()
