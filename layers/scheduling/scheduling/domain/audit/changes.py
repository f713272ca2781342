"""The changes of installs and schedules as they are kept, made from the events of the audit (decision 047)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scheduling.domain.audit.events import AuditEvent, EventName, JsonObject
from scheduling.domain.ids import InstallId, ScheduleId, is_admin
from scheduling.domain.runs import format_time
from scheduling.domain.views import format_timestamp

CHANGES_KEPT = timedelta(days=30)
"""How long the table has a change."""

_TIMER_FIELDS = frozenset({"cron", "timezone", "enabled", "spreadMinutes", "paused", "grantedCapabilities"})
"""The fields of a schedule or of its install that decide which timer there is."""

_REQUESTS = (EventName.RUN_REQUESTED, EventName.BACKFILL_REQUESTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptChange:
    """A change of an install or of one of its schedules, as it is kept for `CHANGES_KEPT`.

    Attributes:
        schedule_id: None for a change of the install itself.
        sequence: That of the row's change, so that the same change is kept once however often it is delivered.
        before: What has changed, or all fields of what was deleted; None for what is new.
        after: What it has become, or all fields of what is new; None for what was deleted.
    """

    install_id: InstallId
    schedule_id: ScheduleId | None
    name: str
    actor: str
    time: datetime
    sequence: str
    before: JsonObject | None
    after: JsonObject | None
    payload_changed: bool = False

    @property
    def position(self) -> str:
        """The position in the list of the install's changes; of two, the later one is larger."""
        return f"{format_time(self.time)}#{self.sequence:0>40}"


def change_from_event(event: AuditEvent) -> KeptChange | None:
    """Return the change to keep for the event; None for the end of a run, which is in the history."""
    if event.name in (EventName.RUN_FAILED, EventName.RUN_MISSED):
        return None
    detail: Any = event.detail
    before, after = detail["before"], detail["after"]
    if before and after:
        changed = [name for name in after if before.get(name) != after[name] and name != "revision"]
        before, after = ({name: fields.get(name) for name in changed} for fields in (before, after))
    kind, principal = detail["actor"]["kind"], detail["actor"]["principal"]
    return KeptChange(
        install_id=detail["installId"],
        schedule_id=detail.get("scheduleId"),
        name=event.name.value,
        actor=f"{kind}:{principal}" if is_admin(f"{kind}:") else kind,
        time=event.time,
        sequence=event.sequence,
        before=before,
        after=after,
        payload_changed=detail.get("payloadChanged", False),
    )


def writes_timer(change: KeptChange) -> bool:
    """Return whether the change has set, or deleted, the timer of its schedule, or those of its install."""
    if change.before is None or change.after is None:
        return change.name not in _REQUESTS
    return not _TIMER_FIELDS.isdisjoint(change.after)


def change_fields(change: KeptChange) -> JsonObject:
    """Return a change of an install or of one of its schedules; what is in both `before` and `after` differs."""
    return {
        "time": format_timestamp(change.time),
        "name": change.name,
        "installId": change.install_id,
        "scheduleId": change.schedule_id,
        "actor": change.actor,
        "before": change.before,
        "after": change.after,
        "payloadChanged": change.payload_changed,
    }
