"""`make bench`: measure, write bench/results.md and its picture, and print which gates pass.

`--gate` measures only what the gates need and writes nothing. The exit status is 1 if a gate fails.
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.cpu_shares import SAMPLED_PROCESSES, cold_shares, warm_shares
from bench.gates import MAX_WARM_RATIOS, Gate, check_gates
from bench.growth import measure_growth
from bench.measure import BenchCase, Figures, Result, in_fresh_processes, measure_in_batches, median
from bench.plot import draw_bars
from bench.report import render_report
from bench.server import serve, write_ca_bundle
from bench.stage import ARTIFACT, LAYER, WORK, Stage, create_stage
from bench.subjects import CONTROL, FLOOR, PEERS, THIS, Subject, install_runtimes
from bench.units import measure_usage_by_size

ROUNDS = 15
GATED_SUBJECTS = (THIS, FLOOR, CONTROL)
PEER_OPERATIONS = ("list", "get", "create")


@dataclass(frozen=True)
class Options:
    """The options of the command line."""

    gate_only: bool = False
    rounds: int = ROUNDS
    output: Path = Path(__file__).parent


def main(options: Options) -> int:
    """Measure, and return the exit status."""
    install_runtimes()
    staged = create_stage()
    peers = () if options.gate_only else PEERS
    _assert_same_work(staged)
    cold = _measure_cold(staged, peers, options.rounds)
    first = _measure_first_call(staged, peers, options.rounds)
    warm = measure_in_batches(list(_warm_groups(staged, peers)), options.rounds, "warm calls")
    usage = measure_usage_by_size()
    results = check_gates(cold, first, warm, usage, ARTIFACT)
    if not options.gate_only:
        page = render_report(options.rounds, results, cold, first, warm, usage, measure_growth())
        (options.output / "results.md").write_text(page)
        (options.output / "results.svg").write_text(
            _draw_picture(staged, cold, warm, min(options.rounds, SAMPLED_PROCESSES))
        )
    _print_gates(results)
    return int(not all(gate.passes for gate in results))


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line; end the process if it is invalid."""
    parser = ArgumentParser("bench", description="Measure the artifacts of `sam build` against raw botocore.")
    parser.add_argument(
        "--gate", action="store_true", help="measure only what the gates need, and write nothing"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"at least 1, by default {ROUNDS}")
    parser.add_argument(
        "--output", type=Path, default=Options.output, help="folder of results.md, by default bench"
    )
    parsed = parser.parse_args(arguments)
    if parsed.rounds < 1:
        parser.error("--rounds must be at least 1")
    return Options(parsed.gate, parsed.rounds, parsed.output)


def _measure_cold(staged: Stage, peers: Sequence[Subject], rounds: int) -> Figures:
    gated, others = (
        [BenchCase(s, "create", staged) for s in subjects] for subjects in (GATED_SUBJECTS, peers)
    )
    return in_fresh_processes(gated, others, BenchCase.cold_start, rounds, "cold start")


def _measure_first_call(staged: Stage, peers: Sequence[Subject], rounds: int) -> Figures:
    """Measure over TLS, each subject with the certificate authorities of its own botocore."""
    with serve(staged.items, WORK) as port:
        endpoint = {"AWS_ENDPOINT_URL": f"https://localhost:{port}"}
        bundles = {
            s.name: str(write_ca_bundle(WORK, LAYER if s is THIS else WORK / "runtime"))
            for s in (*GATED_SUBJECTS, *peers)
        }
        gated, others = (
            [BenchCase(s, "create", staged, {**endpoint, "AWS_CA_BUNDLE": bundles[s.name]}) for s in subjects]
            for subjects in (GATED_SUBJECTS, peers)
        )
        return in_fresh_processes(gated, others, BenchCase.first_call, rounds, "first create")


def _warm_groups(staged: Stage, peers: Sequence[Subject]) -> Iterator[Sequence[BenchCase]]:
    """Yield the cases by operation; an invalid request runs with get, since its gate compares it with a's get."""
    for operation in MAX_WARM_RATIOS:
        subjects = (*GATED_SUBJECTS, *(peers if operation in PEER_OPERATIONS else ()))
        calls = 5 if operation == "list" else 20
        group = [BenchCase(subject, operation, staged, calls=calls) for subject in subjects]
        yield [*group, BenchCase(THIS, "invalid", staged)] if operation == "get" else group


def _assert_same_work(staged: Stage) -> None:
    """End the process unless the floor makes the same AWS calls and responses as this, apart from generated values."""
    for operation in (*MAX_WARM_RATIOS, "invalid", "refused"):
        ours, floor = (BenchCase(s, operation, staged).single_call() for s in (THIS, FLOOR))
        if _comparable_work(ours) != _comparable_work(floor):
            raise SystemExit(
                f"bench: {operation} differs:\n{_comparable_work(ours)}\n{_comparable_work(floor)}"
            )


def _comparable_work(result: Result) -> Any:
    response = result["response"]
    body = json.loads(response["body"] or "{}")
    headers = {name: value for name, value in response["headers"].items() if name != "location"}
    if response["statusCode"] == 201:
        body |= {"id": "new", "createdAt": "new"}
    if response["statusCode"] == 400:
        body.pop("detail")  # names the first of several broken fields, in either order
    return [_summarize_request(each) for each in result["requests"]], response["statusCode"], headers, body


def _summarize_request(request: Any) -> Any:
    """Return the operation and, for a transaction, the kinds of its steps; for a timer, its properties."""
    body = json.loads(request["body"] or "{}")
    if not request["target"]:
        path, _, name = request["path"].rpartition("/")
        return f"{request['method']} {path}", _comparable_timer(body, name)
    return request["target"], sorted(next(iter(step)) for step in body.get("TransactItems", []))


def _comparable_timer(body: Mapping[str, Any], name: str) -> Any:
    """Return the properties but for generated values, and the rule, which can be written in several ways."""
    compared = {key: body[key] for key in body.keys() - {"ClientToken", "ScheduleExpression"}}
    return json.loads(json.dumps(compared).replace(name, "new"))


def _draw_picture(staged: Stage, cold: Figures, warm: Figures, samples: int) -> str:
    """Draw the measured times, divided by the shares of the samples."""
    starts = {
        s.name: _scale_shares(cold_shares(s, "create", samples), median(cold[s.name, "create"], "init"))
        for s in (THIS, FLOOR, *PEERS)
    }
    calls = {
        o: _scale_shares(warm_shares(THIS, o, staged, samples), median(warm["this", o], "cpu") / 1000)
        for o in MAX_WARM_RATIOS
    }
    return draw_bars(
        [
            ("Cold start of create, CPU by the calling package", "ms", starts),
            ("A warm call of this, CPU by the calling package", "ms", calls),
        ]
    )


def _scale_shares(shares: Mapping[str, float], total: float) -> Mapping[str, float]:
    return {part: share * total for part, share in shares.items()}


def _print_gates(results: Sequence[Gate]) -> None:
    table = Table("gate", "figure", "limit", "")
    for gate in results:
        table.add_row(gate.name, f"{gate.figure:.2f}", f"{gate.limit:.4g}", "" if gate.passes else "[red]no")
    Console().print(table)


if __name__ == "__main__":
    raise SystemExit(main(read_options()))
