"""Rich renderables: rows as a table where it fits the terminal, otherwise as blocks of lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

MAX_CELL_WIDTH = 40
"""The width at which texts are folded in a table; every id is shorter."""

_UNBOUNDED_WIDTH = 10_000

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


@dataclass(frozen=True)
class Listing:
    """A list of rows; each row has one cell for each of the `columns`."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the listing as a table if it fits, otherwise as blocks."""
        table = self._build_table()
        table_width = Measurement.get(console, options.update_width(_UNBOUNDED_WIDTH), table).maximum
        yield table if table_width <= options.max_width else self._build_blocks()

    def _build_table(self) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, leading=self._count_lines() > 1)
        for column in self.columns:
            table.add_column(column, overflow="fold", max_width=MAX_CELL_WIDTH)
        for row in self.rows:
            table.add_row(*map(render_cell, row))
        return table

    def _count_lines(self) -> int:
        return max((str(value).count("\n") + 1 for row in self.rows for value in row), default=1)

    def _build_blocks(self) -> Table:
        """Build a block for each row, one line for each cell, with an empty line between rows."""
        table = Table.grid(padding=(0, 2), pad_edge=False)
        table.add_column(no_wrap=True, style="dim")
        table.add_column(overflow="fold")
        for number, row in enumerate(self.rows):
            if number:
                table.add_row()
            for column, value in zip(self.columns, row, strict=True):
                table.add_row(column, render_cell(value))
        return table


def create_fields_table(**values_by_label: object) -> Table:
    """Build a table with one label and value per line; underscores in labels become spaces."""
    table = Table.grid(padding=(0, 2), pad_edge=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in values_by_label.items():
        table.add_row(name.replace("_", " "), render_cell(value))
    return table
