"""What takes part in a session: the modules that are mutated, and the tests that are measured and run."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

LAYER = "layers/scheduling/scheduling"
PACKAGES = ("domain", "operations", "store")
STAGES = ("tests/unit", "tests/integration", "tests/properties")


def select_modules(root: Path, paths: Sequence[str]) -> list[Path]:
    """Return the modules at or below one of the paths in the layer; without any, those of all packages.

    Raises:
        ValueError: A path has no module.
    """
    modules = [module for package in PACKAGES for module in sorted((root / LAYER / package).rglob("*.py"))]
    for path in paths:
        if not any(module.is_relative_to(root / LAYER / path) for module in modules):
            raise ValueError(f"no module of {', '.join(PACKAGES)} is at or below {path}")
    selected = [root / LAYER / path for path in paths or PACKAGES]
    return [module for module in modules if any(module.is_relative_to(path) for path in selected)]


def check_tests(root: Path, paths: Iterable[str]) -> None:
    """Check the paths of the tests.

    Raises:
        ValueError: A path does not exist, or is in no stage.
    """
    for path in paths:
        in_stage = any((root / path).is_relative_to(root / stage) for stage in STAGES)
        if not in_stage or not (root / path).exists():
            raise ValueError(f"no test of {', '.join(STAGES)} is at or below {path}")


def has_faster_twin(test: str, tests: Collection[str]) -> bool:
    """Return whether the same test runs on the in-memory AWS, too, where it is ten times faster."""
    return test.endswith("moto]") and f"{test.removesuffix('moto]')}memory]" in tests
