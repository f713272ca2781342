"""The shape of each outcome, drawn around the origin. Each is recognizable without its color."""

from collections.abc import Mapping

import htpy as h
from htpy import Node

from scheduling_admin.console.timeline.gaps import GapCause
from scheduling_admin.console.timeline.marks import MarkKind

_HIT_RADIUS = 9


def _cross(size: float) -> Node:
    return [
        h.line(x1=str(-size), y1=str(-size), x2=str(size), y2=str(size)),
        h.line(x1=str(-size), y1=str(size), x2=str(size), y2=str(-size)),
    ]


_SHAPES: Mapping[MarkKind, Node] = {
    MarkKind.UPCOMING: h.circle(class_="outline", r="3.5"),
    MarkKind.SUCCESS: h.circle(class_="solid", r="4.5"),
    MarkKind.RUNNING: [h.circle(class_="outline", r="5"), h.path(class_="solid", d="M0 -5A5 5 0 0 1 0 5Z")],
    MarkKind.SKIPPED: [h.circle(class_="outline", r="4.5"), h.line(x1="-5.5", y1="5.5", x2="5.5", y2="-5.5")],
    MarkKind.NO_RECORD: [
        h.circle(class_="outline dotted", r="5"),
        h.circle(class_="solid", r="1.2"),
    ],
    MarkKind.WAITING: [
        h.path(class_="outline", d="M-4.5 -5.5H4.5L-4.5 5.5H4.5Z"),
    ],
    MarkKind.RETRYING: [h.circle(class_="outline", r="5"), _cross(2.3)],
    MarkKind.MISSED: h.path(class_="outline", d="M0 -5.5L5.5 4.5H-5.5Z"),
    MarkKind.ERROR: [
        h.rect(class_="solid", x="-5.5", y="-5.5", width="11", height="11", rx="2"),
        _cross(2.6),
    ],
    MarkKind.DEAD_LETTER: [
        h.path(class_="solid", d="M0 -7L7 0L0 7L-7 0Z"),
        h.line(x1="0", y1="-3.5", x2="0", y2="1"),
        h.line(x1="0", y1="3", x2="0", y2="3.6"),
    ],
}


def symbol_id(kind: MarkKind) -> str:
    """Return the id of the symbol of an outcome."""
    return f"mark-{kind.value}"


def render_symbols() -> Node:
    """Render the definitions that every drawing of a page refers to."""
    return h.svg(".symbols", width="0", height="0", aria_hidden="true", focusable="false")[
        h.defs[
            (
                h.g(id=symbol_id(kind), class_=f"symbol {kind.value}")[
                    h.circle(class_="hit", r=str(_HIT_RADIUS)), shape
                ]
                for kind, shape in _SHAPES.items()
            ),
            h.path(id="pile", class_="pile", d="M-3.5 11.5H3.5"),
            (_render_pattern(cause) for cause in GapCause),
        ]
    ]


def _render_pattern(cause: GapCause) -> Node:
    """Render the hatching of a cause; each has an angle of its own."""
    angle = 15 + 150 * list(GapCause).index(cause) // len(GapCause)
    return h.pattern(
        {"patternUnits": "userSpaceOnUse", "patternTransform": f"rotate({angle})"},
        id=f"gap-{cause.value}",
        class_=f"pattern {cause.value}",
        width="7",
        height="7",
    )[h.rect(class_="ground", width="7", height="7"), h.line(x1="0", y1="0", x2="0", y2="7")]


def render_icon(kind: MarkKind) -> Node:
    """Render the shape of an outcome on its own, for legends and texts."""
    return h.svg(
        {"viewBox": "-9 -9 18 18"}, class_=f"icon {kind.value}", width="16", height="16", aria_hidden="true"
    )[h.g(class_=f"symbol {kind.value}")[_SHAPES[kind]]]
