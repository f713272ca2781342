"""The sweep's finds about timers in words, as JSON and as tables."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import RenderableType
from scheduling.domain.audit.finds import TimerFind, difference_fields
from scheduling.domain.ids import InstallId
from scheduling.domain.install import Install
from scheduling.domain.runs import format_time
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import TimerDifference
from scheduling.domain.views import format_timestamp

from scheduling_admin.output.ids import shorten_ids
from scheduling_admin.output.layout import Column
from scheduling_admin.output.tables import Listing, render_sentence
from scheduling_admin.output.times import format_duration
from scheduling_admin.output.views import describe_install, format_status
from scheduling_admin.queries.schedules import FindView

_OTHER = {
    "revision": "an earlier revision",
    "install": "another install",
    "tenant": "another group of messages",
    "stack": "another target, role, queue or state",
    "deletion": "another action after its last fire",
}


def describe_find(find: TimerFind) -> tuple[str, ...]:
    """Return how the timer differed from its schedule, a sentence for each difference."""
    return tuple(map(_describe_difference, find.differences))


def _describe_difference(difference: TimerDifference) -> str:
    match difference.name:
        case "timer" if difference.expected:
            return "EventBridge had no timer, but the schedule should have had one."
        case "timer":
            return "EventBridge had a timer, but the schedule should not have had one."
        case "expression" | "timezone":
            return f"The timer's {difference.name} was {difference.actual} instead of {difference.expected}."
        case "spread":
            return f"The timer's window was {difference.actual} minutes instead of {difference.expected}."
    return f"The timer had {_OTHER[difference.name]}."


def list_difference_lines(differences: Sequence[TimerDifference]) -> Iterator[str]:
    """Yield how the timer differed in short lines, none of which has two expressions."""
    for each in differences:
        match each.name:
            case "timer":
                yield "no timer" if each.expected else "an unwanted timer"
            case "expression" | "timezone":
                yield str(each.actual)
                yield f"not {each.expected}"
            case "spread":
                yield f"a window of {each.actual} min"
                yield f"not {each.expected}"
            case _:
                yield _OTHER[each.name]


def find_fields(find: TimerFind, install: Install, schedule: Schedule) -> dict[str, object]:
    """Return a find with its schedule as JSON."""
    return {
        "scheduleId": schedule.id,
        "name": schedule.definition.name,
        "installId": install.id,
        "tenantId": install.tenant_id,
        "time": format_timestamp(find.time),
        "differences": list(difference_fields(find)),
    }


def find_view_fields(each: FindView) -> dict[str, object]:
    """Return a find with its schedule as JSON, and whether the schedule fires now."""
    view, status = each.view, each.view.status
    fields = find_fields(each.find, view.install, view.schedule)
    return {**fields, "fires": status.fires, "blockers": list(status.blockers)}


def render_finds(views: Sequence[FindView], now: datetime) -> Iterator[RenderableType]:
    """Render a table for each install, in the order of their newest finds."""
    groups: dict[InstallId, list[FindView]] = {}
    for each in views:
        groups.setdefault(each.view.install.id, []).append(each)
    if groups:
        text = "The sweep has found these timers changed or deleted, and repaired them:"
        yield render_sentence(f"\n{text}", "bold")
    for group in groups.values():
        yield render_sentence(f"\n{describe_install(group[0].view.install)}", "bold")
        yield _build_table(group, now)


def _build_table(views: Sequence[FindView], now: datetime) -> Listing:
    short_ids = shorten_ids(each.view.schedule.id for each in views)
    columns = (
        Column("Schedule", min_width=14),
        Column("Found", whole=True),
        Column("Timer then", whole=True),
        Column("Fires now", min_width=14),
    )
    return Listing(columns, [_build_row(each, short_ids[each.view.schedule.id], now) for each in views])


def _build_row(each: FindView, short_id: str, now: datetime) -> tuple[str, ...]:
    find, definition = each.find, each.view.schedule.definition
    return (
        "\n".join(filter(None, (definition.name, short_id, definition.endpoint))),
        f"{format_time(find.time)}\n{format_duration(now - find.time)} ago",
        "\n".join(list_difference_lines(find.differences)),
        "\n".join(format_status(each.view.status.blockers)),
    )
