"""The occurrences of a schedule as a table."""

from collections.abc import Sequence

import htpy as h
from htpy import Node

from scheduling_admin.console.links import occurrence_link
from scheduling_admin.console.pages.layout import render_data_table, text
from scheduling_admin.console.svg.lane import describe_gap
from scheduling_admin.console.svg.symbols import render_icon
from scheduling_admin.console.timeline.lanes import Lane
from scheduling_admin.console.timeline.marks import Mark
from scheduling_admin.console.times import format_moment


def render_table(lane: Lane) -> Node:
    """Render a lane as a text."""
    install, schedule = lane.install, lane.schedule

    def build_row(mark: Mark) -> Sequence[Node]:
        url = occurrence_link(install.id, schedule.id, mark.scheduled_time)
        reason = ", ".join(filter(None, (mark.origin, mark.detail)))
        return (
            h.a(href=url)[format_moment(mark.moment)],
            [render_icon(mark.kind), " ", mark.kind.label],
            format_moment(mark.started_at) if mark.started_at else None,
            text(reason) if reason else None,
        )

    return [
        h.ul(".gaps")[(h.li[describe_gap(gap, format_moment)] for gap in lane.gaps)] if lane.gaps else None,
        render_data_table(
            ("@Time", "Outcome", "@Started late", "Reason"), map(build_row, reversed(lane.marks))
        )
        if lane.marks
        else h.p(".muted")["There is no occurrence in this time."],
    ]
