"""Stacked bars as an SVG, without a library."""

from collections.abc import Mapping, Sequence
from html import escape

from bench.cpu_shares import PACKAGES_BY_PART

_COLOURS = ("#e08e0b", "#c0392b", "#8e44ad", "#16a085", "#7f5539", "#1f77b4")
LEFT, RIGHT, BAR, GAP, WIDTH = 180, 70, 20, 12, 560
Bars = Mapping[str, Mapping[str, float]]


def draw_bars(charts: Sequence[tuple[str, str, Bars]]) -> str:
    """Draw charts one below the other; each has a title, a unit, and bars of named parts."""
    parts, y = [], 30
    for title, unit, bars in charts:
        parts.append(f'<text x="20" y="{y}" font-size="14" font-weight="bold">{escape(title)}</text>')
        parts += _bar_elements(bars, unit, y + 14)
        y += 14 + len(bars) * (BAR + GAP) + 40
    parts += _legend_elements(y - 10)
    size = f"0 0 {LEFT + WIDTH + RIGHT} {y + 20}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" font-family="sans-serif" font-size="12">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])


def _bar_elements(bars: Bars, unit: str, top: int) -> list[str]:
    longest = max(sum(parts.values()) for parts in bars.values())
    elements = []
    for row, (name, parts) in enumerate(bars.items()):
        y, x = top + row * (BAR + GAP), float(LEFT)
        elements.append(f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        for part, colour in zip(PACKAGES_BY_PART, _COLOURS, strict=True):
            width = parts.get(part, 0) / longest * WIDTH
            if width:
                box = f'x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}"'
                elements.append(f'<rect {box} fill="{colour}"><title>{escape(part)}</title></rect>')
            x += width
        elements.append(
            f'<text x="{x + 6:.1f}" y="{y + 15}">{_format_value(sum(parts.values()))} {unit}</text>'
        )
    return elements


def _legend_elements(y: int) -> list[str]:
    elements, x = [], 20
    for part, colour in zip(PACKAGES_BY_PART, _COLOURS, strict=True):
        elements.append(f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{colour}"/>')
        elements.append(f'<text x="{x + 16}" y="{y}">{escape(part)}</text>')
        x += 34 + 7 * len(part)
    return elements


def _format_value(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}"
