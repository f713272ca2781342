"""Changes of installs and schedules as a table and in words."""

from collections.abc import Iterator, Mapping, Sequence

from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.ids import HOST_API, SYSTEM
from scheduling.domain.runs import format_time

from scheduling_admin.output.ids import MIN_LENGTH
from scheduling_admin.output.layout import Column
from scheduling_admin.output.tables import Listing

_ACTORS = {HOST_API: "the extension", SYSTEM: "the service"}
_ARN_PARTS = 6
_LINE_LENGTH = 34
"""What a table of 80 columns has room for: a longer change takes two lines, so that no expression is folded."""
_FIRST_LINE_LENGTH = 30
"""The same beside the longest names of events; a longer first line is two."""


def build_changes_table(changes: Sequence[KeptChange]) -> Listing:
    """Build a table of changes."""
    columns = (Column("Time", whole=True), Column("Event, by", min_width=20), Column("Change", min_width=20))
    return Listing(columns, list(map(_build_row, changes)))


def _build_row(change: KeptChange) -> tuple[str, ...]:
    schedule = f" {change.schedule_id[-MIN_LENGTH:]}" if change.schedule_id else ""
    return (
        format_time(change.time),
        f"{change.name}{schedule}\nby {describe_actor(change.actor)}",
        "\n".join(describe_change(change)),
    )


def describe_actor(actor: str) -> str:
    """Return who has made a change: of an ARN, what identifies the principal in its account."""
    principal = _ACTORS.get(actor) or actor.removeprefix("admin:")
    parts = principal.split(":", _ARN_PARTS - 1)
    if parts[0] != "arn" or len(parts) != _ARN_PARTS:
        return principal
    return parts[-1].removeprefix("assumed-role/")


def describe_change(change: KeptChange) -> Iterator[str]:
    """Yield what has changed, a line or two for each field; of what is new or deleted, what it is or was."""
    before, after = change.before, change.after
    if before is not None and after is not None:
        for name, value in after.items():
            yield from _describe_field(name, _format(before.get(name)), _format(value))
    else:
        yield from _describe_entity(after or before or {})
    if change.payload_changed:
        yield "payload changed"


def _describe_field(name: str, before: str, after: str) -> Iterator[str]:
    line = f"{name}: {before} -> {after}"
    if len(line) <= _LINE_LENGTH:
        yield line
        return
    first = f"{name}: {before}"
    yield from (first,) if len(first) <= _FIRST_LINE_LENGTH else (f"{name}:", before)
    yield f"-> {after}"


def _describe_entity(fields: Mapping[str, object]) -> Iterator[str]:
    """Yield what a schedule, an install, a manual run or a backfill is."""
    if "cron" in fields:
        yield f"{fields['endpointMethod']} {fields['endpointPath']}"
        yield f"{fields['cron']}\n{fields['timezone']}"
    if "extensionName" in fields:
        yield f"{fields['extensionName']} {fields['extensionVersion']}"
    if fields.get("enabled") is False:
        yield "disabled"
    if "which" in fields:
        yield f"{fields['which']} of {fields['from']}\nto {fields['to']}: {fields['count']}"
    if "scheduledTime" in fields:
        yield str(fields["scheduledTime"])


def _format(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
