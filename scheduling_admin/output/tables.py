"""Rich renderables: rows as a table if the terminal has room for one, otherwise as blocks of lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scheduling_admin.output.layout import Column, PlacedColumn, place_columns

_ASCII_HEAD = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
"""The box of a table in a terminal that has no line-drawing characters."""

STATE_STYLES = {
    "yes": "green",
    "success": "green",
    "no": "yellow",
    "error": "red",
    "missed": "red",
    "skipped": "yellow",
}


def escape_control_characters(text: object) -> str:
    """Escape the control characters of a text; extensions choose names and errors, which could control the terminal."""
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in str(text)
    )


def render_cell(value: object, style: str = "") -> Text:
    """Return a value as a table cell; None and the empty string become a dash."""
    text = "-" if value is None or value == "" else escape_control_characters(value)
    return Text(text, style=style or STATE_STYLES.get(text.partition("\n")[0], ""), overflow="fold")


def render_sentence(text: str, style: str = "", *, indent: int = 0) -> RenderableType:
    """Return a text that is folded between words."""
    line = Text(escape_control_characters(text), style=style)
    return Padding(line, (0, 0, 0, indent), expand=False) if indent else line


def render_item(text: str, style: str = "") -> RenderableType:
    """Return an item of a list, whose further lines are indented as its first one is."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(Text("-", style=style), render_sentence(text, style))
    return grid


@dataclass(frozen=True)
class Listing:
    """A list of rows; each row has one cell for each of the `columns`."""

    columns: Sequence[Column | str]
    rows: Sequence[Sequence[object]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the listing as a table if it fits, otherwise as blocks."""
        columns = [each if isinstance(each, Column) else Column(each) for each in self.columns]
        cells = [list(map(render_cell, row)) for row in self.rows]
        placed = place_columns(columns, [[cell.plain for cell in row] for row in cells], options.max_width)
        yield _build_table(placed, cells, options) if placed else _build_blocks(columns, cells)


def _build_table(
    placed: Sequence[PlacedColumn], rows: Sequence[Sequence[Text]], options: ConsoleOptions
) -> Table:
    has_lines = any("\n" in row[each.position].plain for row in rows for each in placed)
    folds = any(
        cell_len(line) > each.width
        for row in rows
        for each in placed
        for line in row[each.position].plain.split("\n")
    )
    table = Table(
        box=_ASCII_HEAD if options.ascii_only else box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        leading=has_lines or folds,
    )
    for each in placed:
        table.add_column(each.column.title, overflow="fold", width=each.width)
    for row in rows:
        table.add_row(*(row[each.position] for each in placed))
    return table


def _build_blocks(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> Table:
    """Build a block for each row, one line for each cell, with an empty line between rows."""
    table = Table.grid(padding=(0, 2), pad_edge=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for number, row in enumerate(rows):
        if number:
            table.add_row()
        for column, cell in zip(columns, row, strict=True):
            table.add_row(column.title, cell)
    return table


def create_fields_table(**values_by_label: object) -> Table:
    """Build a table with one label and value per line; underscores in labels become spaces."""
    table = Table.grid(padding=(0, 2), pad_edge=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in values_by_label.items():
        table.add_row(name.replace("_", " "), render_cell(value))
    return table
