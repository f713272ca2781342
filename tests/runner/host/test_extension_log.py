"""The lines and the budget of an extension's log."""

import logging

import pytest

from runner.host.extension_log import LINE_OVERHEAD_BYTES, MAX_KEPT_OUTPUT, MAX_LINE_CHARS, ExtensionLog
from runner.oversized import Oversized

BUDGET = 1_000


class Lines(list[tuple[int, str]]):
    """The lines that a log has written."""

    def write(self, level: int, line: str) -> None:
        self.append((level, line))

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self]


@pytest.fixture
def lines() -> Lines:
    return Lines()


def test_level_is_kept(lines: Lines) -> None:
    log = ExtensionLog(BUDGET, lines.write)
    log.info("one")
    log.warn("two")
    log.error("three")
    assert lines == [(logging.INFO, "one"), (logging.WARNING, "two"), (logging.ERROR, "three")]


def test_long_line_is_shortened_and_says_so(lines: Lines) -> None:
    log = ExtensionLog(100_000, lines.write)
    log.info("x" * MAX_LINE_CHARS)
    log.info("x" * (MAX_LINE_CHARS + 7))
    assert lines.texts[0] == "x" * MAX_LINE_CHARS
    assert lines.texts[1] == "x" * MAX_LINE_CHARS + " (and 7 characters more, which are dropped)"


def test_line_too_large_to_be_read_is_named(lines: Lines) -> None:
    ExtensionLog(BUDGET, lines.write).info(Oversized(120_000_000))
    assert lines.texts == ["(a line of 120000000 bytes, which is dropped)"]


@pytest.mark.parametrize(
    ("line", "size"), [("x" * 500, 500), ("ü" * 250, 500), (Oversized(120_000_000), 120_000_000)]
)
def test_one_line_says_that_the_rest_is_dropped(lines: Lines, line: str | Oversized, size: int) -> None:
    log = ExtensionLog(BUDGET, lines.write)
    log.info("y" * (BUDGET - LINE_OVERHEAD_BYTES))  # exactly the budget
    for _ in range(3):
        log.info(line)
    log.error("small")
    text = f"the log exceeds {BUDGET} bytes: a line of {size} bytes and all that follow are dropped"
    assert lines[1:] == [(logging.WARNING, text)]


def test_empty_lines_are_not_free(lines: Lines) -> None:
    log = ExtensionLog(BUDGET, lines.write)
    for _ in range(100):
        log.info("")
    assert len(lines) == BUDGET // LINE_OVERHEAD_BYTES + 1


def test_printed_lines_are_written_when_they_are_complete(lines: Lines) -> None:
    log = ExtensionLog(BUDGET, lines.write)
    log.capture(b"one\r\ntw")
    assert lines.texts == ["one"]
    log.capture(b"o\n\n  \nthr\xff")
    assert lines.texts == ["one", "two"]
    log.flush()
    log.flush()
    assert lines.texts == ["one", "two", "thr\N{REPLACEMENT CHARACTER}"]
    assert log.output_lines == ["one", "two", "", "  ", "thr\N{REPLACEMENT CHARACTER}"]


def test_printed_text_without_line_ends_is_not_hoarded(lines: Lines) -> None:
    log = ExtensionLog(10**9, lines.write)
    for _ in range(100):
        log.capture(b"x" * 4096)
    assert len(lines) >= 100 * 4096 // (MAX_KEPT_OUTPUT + 4096)
    assert len("".join(log.output_lines)) == MAX_KEPT_OUTPUT


def test_printed_lines_use_the_same_budget(lines: Lines) -> None:
    log = ExtensionLog(BUDGET, lines.write)
    log.capture(b"x\n" * 1000)
    assert len(lines) == BUDGET // (LINE_OVERHEAD_BYTES + 1) + 1
    assert "are dropped" in lines.texts[-1]
