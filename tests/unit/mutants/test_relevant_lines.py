"""Which lines a mutant's tests must run: `make mutants` tries no other tests."""

import ast
from textwrap import dedent

import pytest

from tests.mutants.relevant_lines import Sources

MODULE = dedent("""\
    from functools import cache
    from typing import TYPE_CHECKING

    if TYPE_CHECKING:
        from other import Thing
    LIMIT = 2_000
    DOUBLE = LIMIT * 2


    @cache
    def load(size: int = LIMIT) -> int:
        value = size + 1
        return value


    def act(
        thing: "Thing",
    ) -> int | None:
        if (
            thing
            and load()
        ):
            return first(
                thing,
                1,
            )
        try:
            return DOUBLE
        except ValueError:
            return None


    @dataclass(frozen=True)
    class Record:
        length: int | None = 3

        def double(self) -> int:
            return self.length * 2
    """)
SOURCES = Sources(
    {"a.py": ast.parse(MODULE), "b.py": ast.parse("def use(record):\n    return record.length\n")}
)


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        pytest.param(13, {13, 19, 20, 21, 22}, id="in a cached function: also where it is called"),
        pytest.param(20, {19, 20, 21, 22}, id="in a condition of several lines: the condition alone"),
        pytest.param(24, {23, 24, 25, 26}, id="in a call of several lines: all of them"),
        pytest.param(29, {29}, id="an except: the line alone"),
        pytest.param(7, {7, 28}, id="a constant: where it is used"),
        pytest.param(
            6, {6, 7, 10, 11, 12, 13, 19, 20, 21, 22, 28}, id="a constant in others: wherever those are used"
        ),
        pytest.param(33, {33, 34, 35, 36, 37, 38}, id="a decorator of a class: the class"),
    ],
)
def test_lines_that_depend_on_a_mutated_line(line: int, lines: set[int]) -> None:
    assert SOURCES.relevant_lines("a.py", line) == {("a.py", each) for each in lines}


def test_attribute_of_a_class_is_used_in_any_module() -> None:
    assert SOURCES.relevant_lines("a.py", 35) == {("a.py", 35), ("a.py", 38), ("b.py", 2)}


@pytest.mark.parametrize(
    ("line", "column", "skipped"),
    [
        pytest.param(5, 4, True, id="an import for type checking"),
        pytest.param(17, 11, True, id="an annotation of a parameter"),
        pytest.param(18, 7, True, id="a returned type"),
        pytest.param(33, 18, True, id="a flag of a dataclass"),
        pytest.param(35, 14, True, id="the type of an attribute"),
        pytest.param(35, 27, False, id="the default of an attribute"),
        pytest.param(11, 21, False, id="the default of a parameter"),
        pytest.param(6, 8, False, id="a constant"),
    ],
)
def test_positions_that_matter_to_types_only_are_skipped(line: int, column: int, skipped: bool) -> None:
    assert SOURCES.is_skipped("a.py", line, column) is skipped
