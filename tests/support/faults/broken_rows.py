"""Rows and timers changed by hand, or by another release, so that this one cannot use them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule

from tests.support.stacks.world import GROUP, TABLE, aws_client

AttributeValue = Mapping[str, Any]


def set_attribute(pk: str, sk: str, name: str, value: AttributeValue | None) -> None:
    """Set an attribute of the item, or with None, remove it."""
    names: dict[str, Any] = {"ExpressionAttributeNames": {"#n": name}}
    if value is not None:
        names["ExpressionAttributeValues"] = {":v": value}
    aws_client("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        UpdateExpression="REMOVE #n" if value is None else "SET #n = :v",
        **names,
    )


@dataclass(frozen=True)
class BrokenRow:
    """A damage to one attribute of a row, and how the row's reader describes it."""

    attribute: str
    value: AttributeValue | None
    reason: str

    def damage_schedule(self, schedule: Schedule) -> None:
        """Damage the row of the schedule."""
        set_attribute(f"INSTALL#{schedule.install_id}", f"SCHEDULE#{schedule.id}", self.attribute, self.value)

    def damage_install(self, install_id: InstallId) -> None:
        """Damage the row of the install."""
        set_attribute(f"INSTALL#{install_id}", "INSTALL", self.attribute, self.value)


LISTED: Mapping[str, BrokenRow] = {
    "dropped zone": BrokenRow("timezone", {"S": "US/Pacific-New"}, "Invalid timezone"),
    "zone in another case": BrokenRow("timezone", {"S": "europe/BERLIN"}, "Invalid timezone"),
    "refused rule": BrokenRow(
        "cron", {"S": "0 9 L * *"}, "Invalid cron expression (day-of-month: L is not between 1 and 31)"
    ),
    "no creation time": BrokenRow("createdAt", None, "createdAt is missing"),
    "malformed creation time": BrokenRow("createdAt", {"S": "yesterday"}, "createdAt is malformed"),
    "revision as text": BrokenRow("revision", {"S": "1"}, "revision is not of type N"),
    "fractional timer revision": BrokenRow("timerRevision", {"N": "1.5"}, "timerRevision is malformed"),
    "no change token": BrokenRow("changeToken", None, "changeToken is missing"),
    "change token as number": BrokenRow("changeToken", {"N": "1"}, "changeToken is not of type S"),
    "unknown state": BrokenRow("state", {"S": "archived"}, "state is malformed"),
    "no type": BrokenRow("type", None, "type is missing"),
    "unknown type": BrokenRow("type", {"S": "schedule2"}, "type is unknown"),
    "malformed last run": BrokenRow("lastRunAt", {"S": "soon"}, "lastRunAt is malformed"),
    "name as number": BrokenRow("name", {"N": "5"}, "name is not of type S"),
    "null held name": BrokenRow("heldName", {"NULL": True}, "heldName is not of type S"),
}
"""Damages after which a schedule still has what each listed schedule has."""

LEFT_OUT: Mapping[str, BrokenRow] = {
    "no rule": BrokenRow("cron", None, "cron is missing"),
    "zone as list": BrokenRow("timezone", {"L": []}, "timezone is not of type S"),
    "enabled as text": BrokenRow("enabled", {"S": "true"}, "enabled is not of type BOOL"),
    "no path": BrokenRow("endpointPath", None, "endpointPath is missing"),
}
"""Damages after which a schedule lacks a field that each listed schedule has."""

INSTALLS: Mapping[str, BrokenRow] = {
    "no generation": BrokenRow("generation", None, "generation is missing"),
    "capabilities as text": BrokenRow(
        "grantedCapabilities", {"S": "all"}, "grantedCapabilities is not of type SS"
    ),
    "malformed window": BrokenRow("writes", {"M": {"x": {"S": "y"}}}, "writes is malformed"),
    "no count": BrokenRow("scheduleCount", None, "scheduleCount is missing"),
    "no type": BrokenRow("type", None, "type is missing"),
}
"""Damages to an install."""


def replace_timer(name: str, **fields: object) -> None:
    """Replace fields of a timer, or create it, as somebody does in the console."""
    client = aws_client("scheduler")
    timer: dict[str, Any] = {
        "GroupName": GROUP,
        "Name": name,
        "ScheduleExpression": "cron(0 * * * ? *)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        **fields,
    }
    try:
        client.create_schedule(**timer)
    except client.exceptions.ConflictException:
        client.update_schedule(**timer)


def _timer_with_input(text: str | None) -> dict[str, Any]:
    target = {
        "Arn": "arn:aws:lambda:eu-central-1:123456789012:function:f",
        "RoleArn": "arn:aws:iam::1:role/r",
    }
    return {"State": "ENABLED", "Target": target if text is None else {**target, "Input": text}}


TIMERS: Mapping[str, Mapping[str, Any]] = {
    **{f"input {text}": _timer_with_input(text) for text in ("5", "[]", "null", "{", '"text"', "{}")},
    "input with another install": _timer_with_input('{"installId": 5, "revision": "x"}'),
    "no input": _timer_with_input(None),
    "no state": {key: value for key, value in _timer_with_input("5").items() if key != "State"},
}
"""Timers that this service has not made, by what is wrong with them."""

Damage = Callable[[Schedule], None]
