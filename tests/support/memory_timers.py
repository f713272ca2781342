"""EventBridge Scheduler's control plane in memory; refuses what its documentation says it refuses."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from tests.support.memory_expressions import copied
from tests.support.memory_table import Refusal, understood

Arguments = Mapping[str, Any]
_ARN = "arn:aws:scheduler:eu-central-1:123456789012"
_NAME = re.compile(r"[0-9a-zA-Z-_.]{1,64}")
_CRON = re.compile(r"cron\(\S+( \S+){5}\)")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_QUEUE = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]+")
_WRITTEN = {
    "Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "State", "Description",
    "FlexibleTimeWindow", "Target", "ClientToken",
}  # fmt: skip
_ZONES = available_timezones()


@dataclass
class MemoryTimers:
    """Schedules by group and name."""

    groups: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {"default": {}})
    tokens: dict[str, Arguments] = field(default_factory=dict)

    def create_schedule_group(self, given: Arguments) -> dict[str, Any]:
        """CreateScheduleGroup."""
        understood(given, {"Name", "ClientToken"})
        if given["Name"] in self.groups:
            raise Refusal("ConflictException", "Schedule group already exists", 409)
        self.groups[given["Name"]] = {}
        return {"ScheduleGroupArn": f"{_ARN}:schedule-group/{given['Name']}"}

    def list_schedule_groups(self, given: Arguments) -> dict[str, Any]:
        """ListScheduleGroups, in one page."""
        understood(given, set())
        return {"ScheduleGroups": [{"Name": name, "State": "ACTIVE"} for name in sorted(self.groups)]}

    def create_schedule(self, given: Arguments) -> dict[str, Any]:
        """CreateSchedule; the same ClientToken again does nothing."""
        _check(given)
        group, name, token = self._group(given), given["Name"], given.get("ClientToken")
        answer = {"ScheduleArn": f"{_ARN}:schedule/{given['GroupName']}/{name}"}
        if token and self.tokens.get(token) == given:
            return answer
        if name in group:
            raise Refusal("ConflictException", f"Schedule {name} already exists.", 409)
        group[name] = copied(dict(given))
        if token:
            self.tokens[token] = given
        return answer

    def update_schedule(self, given: Arguments) -> dict[str, Any]:
        """UpdateSchedule: replaces everything."""
        _check(given)
        self._find(given)
        self._group(given)[given["Name"]] = copied(dict(given))
        return {"ScheduleArn": f"{_ARN}:schedule/{given['GroupName']}/{given['Name']}"}

    def get_schedule(self, given: Arguments) -> dict[str, Any]:
        """GetSchedule."""
        understood(given, {"Name", "GroupName"})
        found = copied(self._find(given))
        found.pop("ClientToken", None)
        return {"State": "ENABLED", **found}

    def delete_schedule(self, given: Arguments) -> dict[str, Any]:
        """DeleteSchedule."""
        understood(given, {"Name", "GroupName", "ClientToken"})
        self._find(given)
        del self._group(given)[given["Name"]]
        return {}

    def list_schedules(self, given: Arguments) -> dict[str, Any]:
        """ListSchedules: at most 100 a page, without their expressions."""
        understood(given, {"GroupName", "MaxResults", "NextToken", "NamePrefix"})
        size = given.get("MaxResults", 100)
        if not 1 <= size <= 100:
            raise _invalid("MaxResults")
        group, after = self._group(given), given.get("NextToken", "")
        names = sorted(
            name for name in group if name > after and name.startswith(given.get("NamePrefix", ""))
        )
        answer: dict[str, Any] = {"Schedules": [_summary(group[name]) for name in names[:size]]}
        if len(names) > size:
            answer["NextToken"] = names[size - 1]
        return answer

    def _group(self, given: Arguments) -> dict[str, dict[str, Any]]:
        try:
            return self.groups[given.get("GroupName", "default")]
        except KeyError as error:
            raise Refusal("ResourceNotFoundException", "Schedule group does not exist.", 404) from error

    def _find(self, given: Arguments) -> dict[str, Any]:
        try:
            return self._group(given)[given["Name"]]
        except KeyError as error:
            raise Refusal(
                "ResourceNotFoundException", f"Schedule {given['Name']} does not exist.", 404
            ) from error


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationException", f"Invalid {message}")


def _summary(timer: Arguments) -> dict[str, Any]:
    kept = {name: timer[name] for name in ("Name", "GroupName", "State") if name in timer}
    return {**kept, "Target": {"Arn": timer["Target"]["Arn"]}}


def _check(given: Arguments) -> None:
    understood(given, _WRITTEN)
    target = given["Target"]
    understood(target, {"Arn", "RoleArn", "Input", "DeadLetterConfig", "RetryPolicy"})
    retry = target.get("RetryPolicy", {})
    text = given["ScheduleExpression"]
    rules = {
        "Name": bool(_NAME.fullmatch(given["Name"])),
        "ScheduleExpression": bool(_CRON.fullmatch(text)) and len(text) <= 256,
        "ScheduleExpression: exactly one ?": [text.split()[2], text.split()[4]].count("?") == 1
        if len(text.split()) == 6
        else False,
        "ScheduleExpressionTimezone": given.get("ScheduleExpressionTimezone", "UTC") in _ZONES,
        "State": given.get("State", "ENABLED") in ("ENABLED", "DISABLED"),
        "Description": len(given.get("Description", "")) <= 512,
        "FlexibleTimeWindow": given["FlexibleTimeWindow"] == {"Mode": "OFF"},
        "Target.Arn": target["Arn"].startswith("arn:aws"),
        "Target.RoleArn": bool(_ROLE.fullmatch(target["RoleArn"])),
        "Target.Input": _is_json(target.get("Input", "{}")),
        "DeadLetterConfig": bool(_QUEUE.fullmatch(target.get("DeadLetterConfig", {}).get("Arn", ""))),
        "MaximumEventAgeInSeconds": 60 <= retry.get("MaximumEventAgeInSeconds", 60) <= 86400,
        "MaximumRetryAttempts": 0 <= retry.get("MaximumRetryAttempts", 0) <= 185,
    }
    for name, holds in rules.items():
        if not holds:
            raise _invalid(name)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
