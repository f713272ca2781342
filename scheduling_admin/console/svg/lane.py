"""Draws the lane of one schedule."""

from collections.abc import Callable

import htpy as h
from htpy import Node

from scheduling_admin.console.svg.symbols import symbol_id
from scheduling_admin.console.timeline.gaps import Gap
from scheduling_admin.console.timeline.lanes import Lane
from scheduling_admin.console.timeline.marks import Cluster, Mark, cluster_marks
from scheduling_admin.console.timeline.window import TimeWindow
from scheduling_admin.output.tables import escape_control_characters

LANE_HEIGHT = 44
MIN_DISTANCE = 0.011
"""The part of the width between two marks: 11 pixels of 1,000."""
_MIDDLE = 20
_MIN_GAP_WIDTH = 0.004
LinkMark = Callable[[Mark], str]
FormatMoment = Callable[..., str]


def percent(fraction: float) -> str:
    """Return a fraction as a percentage of the width."""
    return f"{min(max(fraction, 0), 1) * 100:.2f}%"


def render_lane(lane: Lane, label: str, link_mark: LinkMark, format_moment: FormatMoment) -> Node:
    """Render the lane.

    Args:
        lane: The lane.
        label: What the lane is called by a screen reader.
        link_mark: Returns the URL of an occurrence.
        format_moment: Formats a moment for the viewer.
    """
    clusters = cluster_marks(lane.marks, lane.window, MIN_DISTANCE)
    # One mark of a lane can be reached with Tab, the others from there with the arrow keys.
    newest_past = max((i for i, each in enumerate(clusters) if not _is_upcoming(each)), default=0)
    return h.svg(".lane-svg", width="100%", height=str(LANE_HEIGHT), role="group", aria_label=label)[
        h.rect(
            class_="future",
            x=percent(lane.window.fraction(lane.window.now)),
            y="0",
            width=percent(1 - lane.window.fraction(lane.window.now)),
            height=str(LANE_HEIGHT),
        ),
        (_render_gap(gap, lane.window, format_moment) for gap in lane.gaps),
        h.line(class_="rail", x1="0", x2="100%", y1=str(_MIDDLE), y2=str(_MIDDLE)),
        render_now_line(lane.window, LANE_HEIGHT),
        (_render_late(mark, lane.window) for mark in lane.marks if mark.started_at),
        (
            _render_cluster(each, lane.window, link_mark, format_moment, reachable=i == newest_past)
            for i, each in enumerate(clusters)
        ),
    ]


def render_now_line(window: TimeWindow, height: int, top: int = 0) -> Node:
    """Render the present time."""
    if not window.contains(window.now):
        return None
    x = percent(window.fraction(window.now))
    return h.line(class_="now", x1=x, x2=x, y1=str(top), y2=str(height))


def _is_upcoming(cluster: Cluster) -> bool:
    return cluster.worst.kind.severity == 0


def _render_gap(gap: Gap, window: TimeWindow, format_moment: FormatMoment) -> Node:
    start, end = (min(max(window.fraction(each), 0), 1) for each in (gap.start, gap.end))
    return h.rect(
        class_=f"gap {gap.cause.value}",
        x=percent(start),
        y="3",
        width=percent(max(end - start, _MIN_GAP_WIDTH)),
        height=str(LANE_HEIGHT - 6),
        fill=f"url(#gap-{gap.cause.value})",
    )[h.title[describe_gap(gap, format_moment)]]


def describe_gap(gap: Gap, format_moment: FormatMoment) -> str:
    """Return a gap as a text."""
    return escape_control_characters(
        f"{gap.cause.label}, {_describe_period(gap, format_moment)}. {gap.detail}"
    )


def _describe_period(gap: Gap, format_moment: FormatMoment) -> str:
    """Return from when to when the gap is, as far as that is known."""
    start, end = format_moment(gap.start), format_moment(gap.end)
    if gap.start_known:
        return f"from {start} to {end}" if gap.end_known else f"since {start}"
    return f"until {end}" if gap.end_known else "since an unknown time"


def _render_late(mark: Mark, window: TimeWindow) -> Node:
    """Render when a late occurrence started, and the line from its scheduled time."""
    if mark.started_at is None:
        return None
    start, end = percent(window.fraction(mark.moment)), percent(window.fraction(mark.started_at))
    return h.g(class_=f"late {mark.kind.value}")[
        h.line(x1=start, x2=end, y1=str(_MIDDLE), y2=str(_MIDDLE)),
        h.circle(cx=end, cy=str(_MIDDLE), r="2.5"),
    ]


def _render_cluster(
    cluster: Cluster, window: TimeWindow, link_mark: LinkMark, format_moment: FormatMoment, *, reachable: bool
) -> Node:
    mark = cluster.worst
    text = describe_cluster(cluster, format_moment)
    x = percent(window.fraction(cluster.marks[0].moment))
    count = len(cluster.marks)
    return h.a(
        class_=f"mark {mark.kind.value}",
        href=link_mark(mark),
        tabindex="0" if reachable else "-1",
        aria_label=text,
        data_time=mark.scheduled_time,
    )[
        h.title[text],
        h.use(href=f"#{symbol_id(mark.kind)}", x=x, y=str(_MIDDLE)),
        h.use(href="#pile", x=x, y=str(_MIDDLE)) if count > 1 else None,
        h.line(class_="manual", x1=x, x2=x, y1=str(_MIDDLE + 9), y2=str(_MIDDLE + 15))
        if any(each.manual for each in cluster.marks)
        else None,
    ]


def describe_cluster(cluster: Cluster, format_moment: FormatMoment) -> str:
    """Return what a screen reader says of a mark, and what hovering over it shows."""
    if len(cluster.marks) == 1:
        return describe_mark(cluster.marks[0], format_moment)
    counts = ", ".join(f"{count} {kind.label}" for kind, count in cluster.counts)
    first, last = cluster.marks[0].moment, cluster.marks[-1].moment
    return f"{format_moment(first)} to {format_moment(last)}: {counts}. Opens {format_moment(cluster.worst.moment)}"


def describe_mark(mark: Mark, format_moment: FormatMoment) -> str:
    """Return one occurrence as a text."""
    parts = [f"{format_moment(mark.moment)}: {mark.kind.label}"]
    if mark.origin:
        parts.append(mark.origin)
    if mark.started_at:
        parts.append(f"started late, at {format_moment(mark.started_at)}")
    if mark.detail:
        parts.append(mark.detail[:200])
    return escape_control_characters(", ".join(parts))
