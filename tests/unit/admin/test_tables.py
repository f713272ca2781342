import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from scheduling_admin.output.tables import (
    Listing,
    create_fields_table,
    escape_control_characters,
    render_sentence,
)

UUID = "01a208ac-aafd-4000-a9e3-2fbe5f6c7ff1"


def print_lines(renderable: object, width: int, *, colour: bool = False) -> list[str]:
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=colour, highlight=False, markup=False, emoji=False
    )
    console.print(renderable)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_rows_become_a_table_when_the_terminal_is_wide_enough() -> None:
    assert print_lines(Listing(("Schedule", "Fires"), [(UUID, "yes"), ("Ärger 日本語", None)]), 60) == [
        "Schedule                               Fires",
        "─" * 44,
        f"{UUID}   yes",
        "Ärger 日本語                           -",
    ]


def test_rows_become_blocks_when_the_terminal_is_narrow() -> None:
    rows: Sequence[Sequence[object]] = [(UUID, "yes", "x" * 30), (UUID, "no\nthe tenant is paused", "")]
    assert print_lines(Listing(("Schedule", "Fires", "Error"), rows), 60) == [
        f"Schedule  {UUID}",
        "Fires     yes",
        f"Error     {'x' * 30}",
        "",
        f"Schedule  {UUID}",
        "Fires     no",
        "          the tenant is paused",
        "Error     -",
    ]


def test_a_table_folds_what_is_longer_than_an_id_and_loses_nothing() -> None:
    lines = print_lines(Listing(("Name", "Fires"), [("n" * 128, "yes")]), 80)
    assert "".join(line.partition(" ")[0] for line in lines[2:]) == "n" * 128


def test_rows_of_several_lines_are_separated() -> None:
    assert print_lines(Listing(("A", "B"), [("1\n2", "x"), ("3", "y")]), 60)[2:] == [
        "1   x",
        "2",
        "",
        "3   y",
    ]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    listing = Listing(("Schedule", "Fires", "Next"), [(UUID, "no\nblocker " * 5, "日本語" * 20)])
    for part in (
        listing,
        create_fields_table(Schedule=UUID, Next="日本語" * 20),
        render_sentence("word " * 50, indent=2),
    ):
        stream = io.StringIO()
        console = Console(file=stream, width=width)
        console.print(part)
        assert all(console.measure(line).maximum <= width for line in stream.getvalue().splitlines())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ärger 日本語 🎉", "Ärger 日本語 🎉"),
        ("[red]x[/red] :smile:", "[red]x[/red] :smile:"),
        ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
        ("a\rb\tc", "a\\rb\\tc"),
        ("abc\u202edef", "abc\\u202edef"),
        ("first\nsecond", "first\nsecond"),
    ],
    ids=["unicode", "markup", "escape sequences", "control characters", "right to left", "lines"],
)
def test_control_characters_of_extensions_are_escaped(text: str, expected: str) -> None:
    assert escape_control_characters(text) == expected
    assert print_lines(render_sentence(text), 80) == expected.split("\n")


def test_a_state_is_coloured_on_a_terminal_only() -> None:
    listing = Listing(("Status",), [("success",), ("error",)])
    assert print_lines(listing, 40)[2:] == ["success", "error"]
    assert [line for line in print_lines(listing, 40, colour=True) if "success" in line] == [
        "\x1b[32msuccess\x1b[0m"
    ]
