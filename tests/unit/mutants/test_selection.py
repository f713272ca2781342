"""What `make mutants` mutates and runs where its options restrict it."""

from pathlib import Path

import pytest

from tests.mutants.selection import LAYER, check_tests, has_faster_twin, select_modules

MODULES = ("domain/cron/rule.py", "domain/cron.py", "operations/runs/deliver.py", "store/runs.py")
NOT_MUTATED = "clients/queue.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path in (
        *(f"{LAYER}/{each}" for each in (*MODULES, NOT_MUTATED)),
        "tests/unit/test_a.py",
        "tests/e2e/b.py",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "selected"),
    [
        pytest.param([], {*MODULES}, id="without a path: domain, operations and store"),
        pytest.param(
            ["domain/cron"], {"domain/cron/rule.py"}, id="a folder, and no module whose name begins so"
        ),
        pytest.param(["store/runs.py"], {"store/runs.py"}, id="a module"),
        pytest.param(
            ["store", "operations/runs/"], {"store/runs.py", "operations/runs/deliver.py"}, id="two folders"
        ),
        pytest.param(["store", "store/runs.py"], {"store/runs.py"}, id="the same module twice"),
    ],
)
def test_modules_at_or_below_the_paths_are_mutated(root: Path, paths: list[str], selected: set[str]) -> None:
    modules = select_modules(root, paths)

    assert {str(module.relative_to(root / LAYER)) for module in modules} == selected
    assert len(modules) == len(selected)


@pytest.mark.parametrize("path", ["domain/cro", NOT_MUTATED, "clients", f"{LAYER}/domain"])
def test_path_without_a_module_is_refused(root: Path, path: str) -> None:
    with pytest.raises(ValueError, match=f"^no module of domain, operations, store is at or below {path}$"):
        select_modules(root, ["domain", path])


@pytest.mark.parametrize("path", ["tests/unit", "tests/unit/", "tests/unit/test_a.py"])
def test_tests_of_a_stage_may_be_selected(root: Path, path: str) -> None:
    check_tests(root, [path])


@pytest.mark.parametrize("path", ["tests/unit/test_b.py", "tests/properties", "tests/e2e", "tests"])
def test_tests_outside_the_stages_are_refused(root: Path, path: str) -> None:
    with pytest.raises(
        ValueError,
        match=f"^no test of tests/unit, tests/integration, tests/properties is at or below {path}$",
    ):
        check_tests(root, ["tests/unit", path])


def test_test_on_moto_is_left_out_where_it_runs_in_memory_too() -> None:
    tests = {"a.py::test[moto]", "a.py::test[memory]", "a.py::test_streams[moto]", "a.py::test_alone"}

    assert {each for each in tests if has_faster_twin(each, tests)} == {"a.py::test[moto]"}
