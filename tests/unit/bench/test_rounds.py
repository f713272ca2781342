"""The rounds of `make bench`, with processes that are only counted, with peers and without them."""

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
from bench.units import MIN_UNITS, AwsUsage

STAGE = Stage([], {})


def cases(*subjects: Subject) -> list[BenchCase]:
    return [BenchCase(subject, "create", STAGE) for subject in subjects]


def record(order: list[str]) -> Callable[[BenchCase], dict[str, Any]]:
    def measure(case: BenchCase) -> dict[str, Any]:
        order.append(case.subject.name)
        return {"init": 1.0}

    return measure


def test_each_round_begins_with_another_case() -> None:
    order: list[str] = []

    figures = measure_in_rotation(cases(THIS, FLOOR, CONTROL), record(order), 3, "starts")

    assert order == ["this", "a", "a again", "a", "a again", "this", "a again", "this", "a"]
    assert {key: len(results) for key, results in figures.items()} == {
        ("this", "create"): 3,
        ("a", "create"): 3,
        ("a again", "create"): 3,
    }


def test_without_cases_there_is_no_round(capsys: pytest.CaptureFixture[str]) -> None:
    assert measure_in_rotation([], record([]), 3, "starts") == {}
    assert measure_in_batches([], 3, "calls") == {}
    assert measure_in_batches([[]], 3, "calls") == {}
    assert "starts" not in capsys.readouterr().out


@pytest.mark.parametrize("peers", [PEERS, ()], ids=["peers", "no peers"])
def test_fresh_processes_held_to_a_gate_have_more_rounds(peers: Sequence[Subject]) -> None:
    order: list[str] = []

    figures = in_fresh_processes(cases(THIS, FLOOR), cases(*peers), record(order), 2, "starts")

    gated = {"this": 2 * GATED_ROUNDS, "a": 2 * GATED_ROUNDS}
    assert Counter(order) == {**gated, **{peer.name: 2 for peer in peers}}
    assert [name for name, _ in figures] == ["this", "a", *(peer.name for peer in peers)]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Counter[tuple[str, str]]:
    """Count the processes that the bench would start, by subject and kind; all gates hold by their figures."""
    started: Counter[tuple[str, str]] = Counter()

    def fresh(kind: str, result: dict[str, object]) -> Callable[[BenchCase], dict[str, object]]:
        def measure(case: BenchCase) -> dict[str, object]:
            started[case.subject.name, kind] += 1
            return result

        return measure

    def warmed(case: BenchCase, _stack: object) -> tuple[object, dict[str, object]]:
        started[case.subject.name, "warm"] += 1
        clients = ["dynamodb"] if case.operation == "create" else []
        return case, {
            "asked": [],
            "clients": clients,
            "answer": {"statusCode": 200, "headers": {}, "body": ""},
        }

    monkeypatch.setattr(BenchCase, "start", fresh("start", {"init": 1.0}))
    monkeypatch.setattr(BenchCase, "first", fresh("first", {"first": 1.0, "peak": 1.0}))
    monkeypatch.setattr(BenchCase, "warmed", warmed)
    monkeypatch.setattr("bench.measure.measured", lambda case: 0.3 if case.subject is THIS else 1.0)
    asked = {name: AwsUsage([""] * MAX_CALLS[name], *MIN_UNITS[name]) for name in MIN_UNITS}
    replaced: dict[str, object] = {
        "ARTIFACT": tmp_path,
        "WORK": tmp_path,
        "asked_by_operation": lambda: asked,
        "cold_shares": lambda *_: {"botocore": 1.0},
        "grown": list,
        "prepare": lambda: None,
        "stage": lambda: STAGE,
        "trusted": lambda *_: "bundle.pem",
        "warm_shares": lambda *_: {"botocore": 1.0},
    }
    for name, value in replaced.items():
        monkeypatch.setattr(bench, name, value)
    return started


def test_the_gates_are_measured_without_peers(
    started: Counter[tuple[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(bench.Options(gate_only=True, rounds=2, output=tmp_path)) == 0

    assert {name for name, _ in started} == {"this", "a", "a again"}
    for name in ("this", "a", "a again"):
        assert (started[name, "start"], started[name, "first"]) == (2 * GATED_ROUNDS, 2 * GATED_ROUNDS)
    assert "control, warm delete" in capsys.readouterr().out
    assert not (tmp_path / "results.md").exists()


def test_a_whole_run_measures_the_peers_too_and_writes_the_results(
    started: Counter[tuple[str, str]], tmp_path: Path
) -> None:
    assert bench.main(bench.Options(rounds=1, output=tmp_path)) == 0

    for peer in PEERS:
        kinds = [started[peer.name, kind] for kind in ("start", "first", "warm")]
        assert kinds == [1, 1, len(bench.PEER_OPERATIONS)]
        assert peer.name in (tmp_path / "results.md").read_text()
    assert (tmp_path / "results.svg").exists()


def test_a_gate_that_does_not_hold_is_the_exit_status(
    started: Counter[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.measure.measured", lambda case: 2.0 if case.subject is THIS else 1.0)

    assert bench.main(bench.Options(gate_only=True, rounds=1)) == 1
    assert started


def test_the_options_are_those_of_a_whole_run_unless_stated() -> None:
    assert bench.read_options([]) == bench.Options(gate_only=False, rounds=bench.ROUNDS)
    assert bench.read_options(["--gate", "--rounds", "1"]) == bench.Options(gate_only=True, rounds=1)


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--rounds", "many"], ["--gates-only"]])
def test_options_that_are_not_understood_end_the_process(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.read_options(arguments)
    assert ended.value.code == 2
