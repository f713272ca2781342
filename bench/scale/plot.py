"""Curves as an SVG, without a library."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log10

COLOURS = ("#c0392b", "#e08e0b", "#1f77b4", "#7f8c8d")
LEFT, TOP, WIDTH, HEIGHT = 60, 50, 640, 300
MARKS = (
    (1, "1 s"),
    (10, "10 s"),
    (60, "1 min"),
    (600, "10 min"),
    (3_600, "1 h"),
    (6 * 3_600, "6 h"),
)
_FONT = 'font-family="sans-serif" font-size="12"'


@dataclass(frozen=True)
class Curve:
    """A named curve; seconds and shares of its points both increase."""

    name: str
    points: Sequence[tuple[float, float]]


def draw_curves(curves: Sequence[Curve], title: str) -> str:
    """Draw the share of all occurrences that have started, by lateness; the scale of lateness is logarithmic."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 30} {TOP + HEIGHT + 130}" {_FONT}>',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="24" font-size="14">{escape(title)}</text>',
        *_grid_elements(),
    ]
    for index, curve in enumerate(curves):
        parts += _curve_elements(curve, COLOURS[index], index)
    return "\n".join([*parts, "</svg>", ""])


def _x(seconds: float) -> float:
    last = MARKS[-1][0]
    return round(LEFT + WIDTH * log10(min(max(seconds, 1), last)) / log10(last), 1)


def _y(share: float) -> float:
    return round(TOP + HEIGHT * (1 - share), 1)


def _grid_elements() -> list[str]:
    lines = []
    for percent in range(0, 101, 20):
        y = _y(percent / 100)
        lines.append(f'<path d="M{LEFT} {y}H{LEFT + WIDTH}" stroke="#ddd"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{percent} %</text>')
    for seconds, name in MARKS:
        x = _x(seconds)
        lines.append(f'<path d="M{x} {TOP}V{TOP + HEIGHT}" stroke="#ddd"/>')
        lines.append(f'<text x="{x}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{name}</text>')
    lines.append(f'<text x="{LEFT + WIDTH}" y="{TOP + HEIGHT + 36}" text-anchor="end">lateness</text>')
    return lines


def _curve_elements(curve: Curve, colour: str, row: int) -> list[str]:
    end_share = curve.points[-1][1] if curve.points else 0.0
    points = [(1.0, 0.0), *curve.points, (float(MARKS[-1][0]), end_share)]
    path = " ".join(f"{_x(seconds)},{_y(share)}" for seconds, share in points)
    y = TOP + HEIGHT + 54 + 20 * row
    dashes = ' stroke-dasharray="7 7"' if row % 2 else ""  # keeps equal curves distinguishable
    label = f"{escape(curve.name)}: {end_share:.0%} in the end"
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"{dashes}/>',
        f'<path d="M{LEFT} {y - 4}h24" stroke="{colour}" stroke-width="2.5"{dashes}/>',
        f'<text x="{LEFT + 32}" y="{y}">{label}</text>',
    ]
