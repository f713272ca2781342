"""The next fires of a schedule, on the clocks that matter."""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import htpy as h
from htpy import Node
from scheduling.domain.cron.occurrences import LocalTime

from scheduling_admin.console.pages.layout import clean, render_data_table
from scheduling_admin.console.times import format_beside, format_zone, format_zoned


def render_fires(times: Sequence[LocalTime], timezone: str) -> Node:
    """Render fires in the schedule's zone, and on the viewer's clock and in UTC where these are others."""
    own_zone = ZoneInfo(timezone)
    others = _list_other_clocks(times, own_zone)

    def build_row(each: LocalTime) -> Sequence[Node]:
        note = h.span(".sub")["occurs twice, fires the first time"] if each.repeated else None
        local = each.utc.astimezone(own_zone)
        return (
            [format_zoned(each.utc, timezone), note],
            *(format_beside(each.utc, zone, local) for zone in others.values()),
        )

    return render_data_table((f"@{clean(timezone)}", *others), map(build_row, times), ".fires")


def _list_other_clocks(times: Sequence[LocalTime], own_zone: tzinfo) -> dict[str, tzinfo | None]:
    """Return the clocks that show other times than that of the schedule, by the names of their columns."""
    clocks: dict[str, tzinfo | None] = {f"@Your time ({format_zone(times[0].utc)})": None, "@UTC": UTC}
    shown, known = {}, [_list_offsets(times, own_zone)]
    for name, zone in clocks.items():
        if (offsets := _list_offsets(times, zone)) not in known:
            known.append(offsets)
            shown[name] = zone
    return shown


def _list_offsets(times: Sequence[LocalTime], zone: tzinfo | None) -> list[object]:
    return [each.utc.astimezone(zone).utcoffset() for each in times]
