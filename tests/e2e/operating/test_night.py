"""The faults of a night, each played on a local stack, against the table of what an operator reads about it.

`make night` writes the table to `docs/night.md`; these tests compare.
"""

from collections.abc import Iterator

import pytest

from tests.support.faults.night import NIGHT_PAGE, Night, render_page_of_rows, start_night
from tests.support.faults.night_faults import FAULTS, Fault

pytestmark = pytest.mark.local_only("a stack of its own, whose runner each fault starts or not")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    with start_night(tmp_path_factory.mktemp("night")) as night:
        yield night


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_an_operator_reads_what_is_wrong(night: Night, fault: Fault) -> None:
    row = night.play(fault)
    (documented,) = [line for line in read_table() if line.startswith(f"| {fault.name} |")]
    assert row.render() == documented
    assert row.problems == fault.problems
    assert row.find_untold() == []


def test_the_page_has_these_faults_only() -> None:
    page = NIGHT_PAGE.read_text(encoding="utf-8")
    assert page == render_page_of_rows(read_table())
    assert [line.split(" | ")[0] for line in read_table()] == [f"| {fault.name}" for fault in FAULTS]


def read_table() -> list[str]:
    """Return the rows of the page's table."""
    lines = NIGHT_PAGE.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("| ")][1:]
