import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from scheduling_admin.output.tables import Listing, fields, safe, sentence

UUID = "01a208ac-aafd-4000-a9e3-2fbe5f6c7ff1"


def printed(shown: object, width: int, *, colour: bool = False) -> list[str]:
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=colour, highlight=False, markup=False, emoji=False
    )
    console.print(shown)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_rows_are_a_table_where_there_is_room() -> None:
    assert printed(Listing(("Schedule", "Fires"), [(UUID, "yes"), ("Ärger 日本語", None)]), 60) == [
        "Schedule                               Fires",
        "─" * 44,
        f"{UUID}   yes",
        "Ärger 日本語                           -",
    ]


def test_rows_are_one_below_the_other_where_there_is_not() -> None:
    rows: Sequence[Sequence[object]] = [(UUID, "yes", "x" * 30), (UUID, "no\nthe tenant is paused", "")]
    assert printed(Listing(("Schedule", "Fires", "Error"), rows), 60) == [
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
    lines = printed(Listing(("Name", "Fires"), [("n" * 128, "yes")]), 80)
    assert "".join(line.partition(" ")[0] for line in lines[2:]) == "n" * 128


def test_rows_of_several_lines_are_set_apart() -> None:
    assert printed(Listing(("A", "B"), [("1\n2", "x"), ("3", "y")]), 60)[2:] == ["1   x", "2", "", "3   y"]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    shown = Listing(("Schedule", "Fires", "Next"), [(UUID, "no\nbecause " * 5, "日本語" * 20)])
    for part in (shown, fields(Schedule=UUID, Next="日本語" * 20), sentence("word " * 50, indent=2)):
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
def test_what_extensions_wrote_is_shown_and_never_obeyed(text: str, expected: str) -> None:
    assert safe(text) == expected
    assert printed(sentence(text), 80) == expected.split("\n")


def test_a_state_has_its_colour_on_a_terminal_alone() -> None:
    listing = Listing(("Status",), [("success",), ("error",)])
    assert printed(listing, 40)[2:] == ["success", "error"]
    assert [line for line in printed(listing, 40, colour=True) if "success" in line] == [
        "\x1b[32msuccess\x1b[0m"
    ]
