"""The rounds of `make bench`, with and without peers; the processes are only counted."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench import __main__ as bench
from bench.gates import MAX_CALLS
from bench.measure import GATED_ROUNDS, BenchCase, in_fresh_processes, measure_in_batches, measure_in_rotation
from bench.stage import Stage
from bench.subjects import CONTROL, FLOOR, PEERS, THIS, Subject
from bench.units import LARGE_MIN_UNITS, MIN_UNITS, AwsUsage, UsageBySize

STAGE = Stage([], {})
USAGE = UsageBySize(
    *(
        {name: AwsUsage([""] * MAX_CALLS[name], *units[name]) for name in units}
        for units in (MIN_UNITS, LARGE_MIN_UNITS)
    )
)


def create_cases(*subjects: Subject) -> list[BenchCase]:
    return [BenchCase(subject, "create", STAGE) for subject in subjects]


def record_order(order: list[str]) -> Callable[[BenchCase], dict[str, Any]]:
    def measure(case: BenchCase) -> dict[str, Any]:
        order.append(case.subject.name)
        return {"init": 1.0}

    return measure


def test_each_round_starts_with_another_case() -> None:
    order: list[str] = []

    figures = measure_in_rotation(create_cases(THIS, FLOOR, CONTROL), record_order(order), 3, "starts")

    assert order == ["this", "a", "a again", "a", "a again", "this", "a again", "this", "a"]
    assert {key: len(results) for key, results in figures.items()} == {
        ("this", "create"): 3,
        ("a", "create"): 3,
        ("a again", "create"): 3,
    }


def test_no_cases_mean_no_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    assert measure_in_rotation([], record_order([]), 3, "starts") == {}
    assert measure_in_batches([], 3, "calls") == {}
    assert measure_in_batches([[]], 3, "calls") == {}
    assert "starts" not in capsys.readouterr().out


@pytest.mark.parametrize("peers", [PEERS, ()], ids=["peers", "no peers"])
def test_gated_fresh_processes_have_more_rounds(peers: Sequence[Subject]) -> None:
    order: list[str] = []

    figures = in_fresh_processes(
        create_cases(THIS, FLOOR), create_cases(*peers), record_order(order), 2, "starts"
    )

    gated = {"this": 2 * GATED_ROUNDS, "a": 2 * GATED_ROUNDS}
    assert Counter(order) == {**gated, **{peer.name: 2 for peer in peers}}
    assert [name for name, _ in figures] == ["this", "a", *(peer.name for peer in peers)]


@pytest.fixture
def process_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Counter[tuple[str, str]]:
    """Count the processes that the bench would start, by subject and kind; the figures pass all gates."""
    counts: Counter[tuple[str, str]] = Counter()

    def run_fresh(kind: str, result: dict[str, object]) -> Callable[[BenchCase], dict[str, object]]:
        def measure(case: BenchCase) -> dict[str, object]:
            counts[case.subject.name, kind] += 1
            return result

        return measure

    def start_warm(case: BenchCase, _stack: object) -> tuple[object, dict[str, object]]:
        counts[case.subject.name, "warm"] += 1
        clients = ["dynamodb"] if case.operation == "create" else []
        response = {"statusCode": 200, "headers": {}, "body": ""}
        return case, {"requests": [], "clients": clients, "response": response}

    monkeypatch.setattr(BenchCase, "cold_start", run_fresh("cold", {"init": 1.0}))
    monkeypatch.setattr(BenchCase, "first_call", run_fresh("first", {"first": 1.0, "peak": 1.0}))
    monkeypatch.setattr(BenchCase, "start_warm", start_warm)
    monkeypatch.setattr("bench.measure.measure_batch", lambda case: 0.3 if case.subject is THIS else 1.0)
    replaced: dict[str, object] = {
        "ARTIFACT": tmp_path,
        "WORK": tmp_path,
        "cold_shares": lambda *_: {"botocore": 1.0},
        "create_stage": lambda: STAGE,
        "install_runtimes": lambda: None,
        "measure_growth": list,
        "measure_usage_by_size": lambda: USAGE,
        "write_ca_bundle": lambda *_: "bundle.pem",
        "warm_shares": lambda *_: {"botocore": 1.0},
    }
    for name, value in replaced.items():
        monkeypatch.setattr(bench, name, value)
    return counts


def test_gates_are_measured_without_peers(
    process_counts: Counter[tuple[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(bench.Options(gate_only=True, rounds=2, output=tmp_path)) == 0

    assert {name for name, _ in process_counts} == {"this", "a", "a again"}
    for name in ("this", "a", "a again"):
        assert (process_counts[name, "cold"], process_counts[name, "first"]) == (
            2 * GATED_ROUNDS,
            2 * GATED_ROUNDS,
        )
    assert "control, warm delete" in capsys.readouterr().out
    assert not (tmp_path / "results.md").exists()


def test_whole_run_measures_the_peers_and_writes_the_results(
    process_counts: Counter[tuple[str, str]], tmp_path: Path
) -> None:
    assert bench.main(bench.Options(rounds=1, output=tmp_path)) == 0

    for peer in PEERS:
        kinds = [process_counts[peer.name, kind] for kind in ("cold", "first", "warm")]
        assert kinds == [1, 1, len(bench.PEER_OPERATIONS)]
        assert peer.name in (tmp_path / "results.md").read_text()
    assert (tmp_path / "results.svg").exists()


def test_failed_gate_sets_the_exit_status(
    process_counts: Counter[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.measure.measure_batch", lambda case: 2.0 if case.subject is THIS else 1.0)

    assert bench.main(bench.Options(gate_only=True, rounds=1)) == 1
    assert process_counts


def test_default_options_are_those_of_a_whole_run() -> None:
    assert bench.read_options([]) == bench.Options(gate_only=False, rounds=bench.ROUNDS)
    assert bench.read_options(["--gate", "--rounds", "1"]) == bench.Options(gate_only=True, rounds=1)


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--rounds", "many"], ["--gates-only"]])
def test_invalid_options_end_the_process(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as process_end:
        bench.read_options(arguments)
    assert process_end.value.code == 2
