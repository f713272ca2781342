"""Draws the durations of a schedule's runs as a strip of bars."""

from collections.abc import Sequence

import htpy as h
from htpy import Node
from scheduling.domain.runs import Run

from scheduling_admin.console.svg.lane import FormatMoment, LinkMark, describe_mark, percent
from scheduling_admin.console.svg.symbols import symbol_id
from scheduling_admin.console.timeline.marks import Mark
from scheduling_admin.output.times import format_milliseconds

STRIP_HEIGHT = 88
_BAR_AREA = 64
_MIN_BAR = 2
MAX_BARS = 60


def render_strip(runs: Sequence[tuple[Run, Mark]], link_mark: LinkMark, format_moment: FormatMoment) -> Node:
    """Render the newest runs, the oldest at the left: a bar as high as the run was long, above its outcome."""
    newest = list(reversed(runs[:MAX_BARS]))
    longest = max((run.duration_ms or 0 for run, _ in newest), default=0)
    slot = 1 / max(len(newest), 20)
    return h.svg(
        ".strip-svg", width="100%", height=str(STRIP_HEIGHT), role="group", aria_label="Durations of the runs"
    )[
        (
            _render_bar(run, mark, i * slot, slot, longest, link_mark, format_moment)
            for i, (run, mark) in enumerate(newest)
        ),
        h.line(class_="rail", x1="0", x2="100%", y1=str(_BAR_AREA), y2=str(_BAR_AREA)),
    ]


def _render_bar(
    run: Run,
    mark: Mark,
    left: float,
    slot: float,
    longest: int,
    link_mark: LinkMark,
    format_moment: FormatMoment,
) -> Node:
    height = 0 if run.duration_ms is None else max(_MIN_BAR, round(run.duration_ms / max(longest, 1) * 58))
    duration = "" if run.duration_ms is None else f", {format_milliseconds(run.duration_ms)}"
    text = f"{describe_mark(mark, format_moment)}{duration}"
    return h.a(class_=f"mark {mark.kind.value}", href=link_mark(mark), aria_label=text, tabindex="-1")[
        h.title[text],
        h.rect(
            class_=f"bar {mark.kind.value}",
            x=percent(left + slot * 0.15),
            y=str(_BAR_AREA - height),
            width=percent(slot * 0.7),
            height=str(height),
            rx="1.5",
        ),
        h.use(href=f"#{symbol_id(mark.kind)}", x=percent(left + slot / 2), y=str(_BAR_AREA + 13)),
    ]
