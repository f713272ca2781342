"""`make bench`: measure, write bench/results.md and its picture, and say which gates hold.

`--gate` measures what these need and writes nothing. Ends with 1 where a gate does not hold.
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.gates import WARM, Gate, gates
from bench.growth import grown
from bench.measure import Case, Figures, Result, in_batches, in_fresh_processes, median
from bench.parts import SAMPLED, cold_shares, warm_shares
from bench.plot import draw
from bench.report import markdown
from bench.server import serving, trusted
from bench.stage import ARTIFACT, LAYER, WORK, Stage, stage
from bench.subjects import CONTROL, FLOOR, OURS, PEERS, Subject, prepare
from bench.units import asked_by_operation

ROUNDS = 15
HELD = (OURS, FLOOR, CONTROL)
PEER_OPERATIONS = ("list", "get", "create")


@dataclass(frozen=True)
class Options:
    """The options of the command line."""

    gate_only: bool = False
    rounds: int = ROUNDS
    output: Path = Path(__file__).parent


def main(options: Options) -> int:
    """Measure, and return the exit status."""
    prepare()
    staged = stage()
    peers = () if options.gate_only else PEERS
    _assert_same_work(staged)
    cold = _cold(staged, peers, options.rounds)
    first = _first(staged, peers, options.rounds)
    warm = in_batches(list(_warm_groups(staged, peers)), options.rounds, "warm calls")
    asked = asked_by_operation()
    found = gates(cold, first, warm, asked, ARTIFACT)
    if not options.gate_only:
        page = markdown(options.rounds, found, cold, first, warm, asked, grown())
        (options.output / "results.md").write_text(page)
        (options.output / "results.svg").write_text(
            _picture(staged, cold, warm, min(options.rounds, SAMPLED))
        )
    _print(found)
    return int(not all(gate.holds for gate in found))


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line; end the process where it is not understood."""
    parser = ArgumentParser("bench", description="Measure what `sam build` makes beside raw botocore.")
    parser.add_argument("--gate", action="store_true", help="measure what the gates need, and write nothing")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"at least 1, by default {ROUNDS}")
    parser.add_argument(
        "--output", type=Path, default=Options.output, help="folder of results.md, by default bench"
    )
    parsed = parser.parse_args(arguments)
    if parsed.rounds < 1:
        parser.error("--rounds must be at least 1")
    return Options(parsed.gate, parsed.rounds, parsed.output)


def _cold(staged: Stage, peers: Sequence[Subject], rounds: int) -> Figures:
    gated, others = ([Case(s, "create", staged) for s in subjects] for subjects in (HELD, peers))
    return in_fresh_processes(gated, others, Case.start, rounds, "cold start")


def _first(staged: Stage, peers: Sequence[Subject], rounds: int) -> Figures:
    """With the authorities that each one's own botocore trusts."""
    with serving(staged.items, WORK) as port:
        endpoint = {"AWS_ENDPOINT_URL": f"https://localhost:{port}"}
        bundles = {
            s.name: str(trusted(WORK, LAYER if s is OURS else WORK / "runtime")) for s in (*HELD, *peers)
        }
        gated, others = (
            [Case(s, "create", staged, {**endpoint, "AWS_CA_BUNDLE": bundles[s.name]}) for s in subjects]
            for subjects in (HELD, peers)
        )
        return in_fresh_processes(gated, others, Case.first, rounds, "first create")


def _warm_groups(staged: Stage, peers: Sequence[Subject]) -> Iterator[Sequence[Case]]:
    """By operation; an invalid request beside a's get, which it is held to."""
    for operation in WARM:
        subjects = (*HELD, *(peers if operation in PEER_OPERATIONS else ()))
        calls = 5 if operation == "list" else 20
        group = [Case(subject, operation, staged, calls=calls) for subject in subjects]
        yield [*group, Case(OURS, "invalid", staged)] if operation == "get" else group


def _assert_same_work(staged: Stage) -> None:
    """The floor asks AWS for the same and answers the same as this, but for what is new with each create."""
    for operation in (*WARM, "invalid", "refused"):
        ours, floor = (Case(s, operation, staged).call() for s in (OURS, FLOOR))
        if _work(ours) != _work(floor):
            raise SystemExit(f"bench: {operation} differs:\n{_work(ours)}\n{_work(floor)}")


def _work(result: Result) -> Any:
    answer = result["answer"]
    body = json.loads(answer["body"] or "{}")
    known = {name: value for name, value in answer["headers"].items() if name != "location"}
    if answer["statusCode"] == 201:
        body |= {"id": "new", "createdAt": "new"}
    if answer["statusCode"] == 400:
        body.pop("detail")  # of several broken fields the first named may be another
    return [_asked(each) for each in result["asked"]], answer["statusCode"], known, body


def _asked(request: Any) -> Any:
    """By service, operation, and rows: of a transaction, how many of each kind."""
    operation = request["target"] or f"{request['method']} {request['path'].rpartition('/')[0]}"
    steps = json.loads(request["body"] or "{}").get("TransactItems", [])
    return operation, sorted(next(iter(step)) for step in steps)


def _picture(staged: Stage, cold: Figures, warm: Figures, samples: int) -> str:
    """What was measured, divided as the samples are."""
    starts = {
        s.name: _parts(cold_shares(s, "create", samples), median(cold[s.name, "create"], "init"))
        for s in (OURS, FLOOR, *PEERS)
    }
    calls = {
        o: _parts(warm_shares(OURS, o, staged, samples), median(warm["this", o], "cpu") / 1000) for o in WARM
    }
    return draw(
        [
            ("Cold start of create, CPU by the package that asks for it", "ms", starts),
            ("A warm call of this, CPU by the package that asks for it", "ms", calls),
        ]
    )


def _parts(shares: Mapping[str, float], whole: float) -> Mapping[str, float]:
    return {part: share * whole for part, share in shares.items()}


def _print(found: Sequence[Gate]) -> None:
    table = Table("gate", "figure", "at most", "")
    for gate in found:
        table.add_row(gate.name, f"{gate.figure:.2f}", f"{gate.most:.4g}", "" if gate.holds else "[red]no")
    Console().print(table)


if __name__ == "__main__":
    raise SystemExit(main(read_options()))
