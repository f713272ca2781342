"""Draws the axis of a timeline, in the viewer's time."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import htpy as h
from htpy import Node

from scheduling_admin.console.svg.lane import percent, render_now_line
from scheduling_admin.console.timeline.window import TimeWindow

AXIS_HEIGHT = 34
Localize = Callable[[datetime], datetime]
_STEPS = {"6h": timedelta(hours=1), "24h": timedelta(hours=4), "7d": timedelta(days=1)}
_EDGE = 0.02


def list_ticks(window: TimeWindow, localize: Localize) -> Iterator[datetime]:
    """Yield the times that the axis names: full hours, or midnights, of the viewer's clock."""
    step = _STEPS[window.span_name]
    local = localize(window.start).replace(tzinfo=None)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    tick = midnight + step * ((local - midnight) // step + 1)
    offset = localize(window.start).utcoffset() or timedelta()
    while (moment := (tick - offset).replace(tzinfo=UTC)) <= window.end:
        # Across a change of clocks, the time of the wall clock stays full.
        difference = (localize(moment).utcoffset() or timedelta()) - offset
        yield localize(moment - difference)
        tick += step


def render_axis(window: TimeWindow, localize: Localize) -> Node:
    """Render the axis."""
    ticks = [tick for tick in list_ticks(window, localize) if _EDGE < window.fraction(tick) < 1 - _EDGE]
    return h.svg(".axis-svg", width="100%", height=str(AXIS_HEIGHT), aria_hidden="true")[
        (_render_tick(tick, window, has_label=not _is_beside_now(tick, window)) for tick in ticks),
        render_now_line(window, AXIS_HEIGHT, top=14),
        _render_now_label(window),
    ]


def _is_beside_now(tick: datetime, window: TimeWindow) -> bool:
    """Return whether the line of the present time would cross the label."""
    return abs(window.fraction(tick) - window.fraction(window.now)) < _EDGE


def _render_tick(tick: datetime, window: TimeWindow, *, has_label: bool) -> Node:
    x = percent(window.fraction(tick))
    is_midnight = (tick.hour, tick.minute) == (0, 0)
    label = f"{tick:%a} {tick.day}" if is_midnight else f"{tick:%H:%M}"
    return [
        h.line(class_="tick", x1=x, x2=x, y1=str(AXIS_HEIGHT - 6), y2=str(AXIS_HEIGHT)),
        h.text(class_="day" if is_midnight else "hour", x=x, y=str(AXIS_HEIGHT - 10), text_anchor="middle")[
            label
        ]
        if has_label
        else None,
    ]


def _render_now_label(window: TimeWindow) -> Node:
    if not window.contains(window.now):
        return None
    x = percent(window.fraction(window.now))
    return h.text(class_="now-label", x=x, y="10", text_anchor="middle")["now"]
