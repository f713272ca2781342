"""How wide each column of a table is in a terminal, and which columns it has room for."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

GAP = 3
"""The columns of the terminal between two of a table."""

MAX_CELL_WIDTH = 40
"""The width at which texts are folded in a table; every id is shorter."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        min_width: The width to which its texts may be folded where the terminal is narrow; without one, they are not
            folded further than to MAX_CELL_WIDTH.
        whole: Whether its lines are never folded, as those that hold a time or an expression.
        drop: Whether it is left out where the terminal is too narrow, the largest number first; 0 is never.
    """

    title: str
    min_width: int | None = None
    whole: bool = False
    drop: int = 0


@dataclass(frozen=True)
class PlacedColumn:
    """A column that a table has room for: its position in each row, and its width."""

    column: Column
    position: int
    width: int


def place_columns(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], max_width: int
) -> list[PlacedColumn] | None:
    """Return the columns that fit, with their widths; None if even those that are never dropped do not."""
    placed = [
        PlacedColumn(column, position, _natural_width(column, [row[position] for row in rows]))
        for position, column in enumerate(columns)
    ]
    while sum(map(_min_width, placed)) + GAP * (len(placed) - 1) > max_width:
        least = max(placed, key=lambda each: each.column.drop)
        if not least.column.drop:
            return None
        placed.remove(least)
    return _shrink(placed, max_width - GAP * (len(placed) - 1))


def _natural_width(column: Column, cells: Sequence[str]) -> int:
    widest = max((cell_len(line) for cell in cells for line in cell.split("\n")), default=0)
    title = cell_len(column.title)
    return max(title, widest if column.whole else min(widest, MAX_CELL_WIDTH))


def _min_width(placed: PlacedColumn) -> int:
    column = placed.column
    if column.whole or column.min_width is None:
        return placed.width
    return min(placed.width, max(column.min_width, cell_len(column.title)))


def _shrink(placed: Sequence[PlacedColumn], max_width: int) -> list[PlacedColumn]:
    """Return the columns with the widest of those that may be folded made narrower, as far as it takes."""
    widths = [each.width for each in placed]
    while sum(widths) > max_width:
        room = [width - _min_width(each) and width for width, each in zip(widths, placed, strict=True)]
        widths[room.index(max(room))] -= 1
    return [
        PlacedColumn(each.column, each.position, width) for each, width in zip(placed, widths, strict=True)
    ]
