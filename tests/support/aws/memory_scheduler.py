"""EventBridge Scheduler's control plane in memory; refuses requests by the rules of its documentation."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from tests.support.aws.memory_expressions import copy_value
from tests.support.aws.memory_table import ServiceError, require_known_arguments

Arguments = Mapping[str, Any]
_ARN = "arn:aws:scheduler:eu-central-1:123456789012"
_NAME = re.compile(r"[0-9a-zA-Z-_.]{1,64}")
_CRON = re.compile(r"cron\(\S+( \S+){5}\)")
_AT = re.compile(r"at\(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\)")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_QUEUE = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]+")
_SCHEDULE_ARGUMENTS = {
    "Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "State", "Description",
    "FlexibleTimeWindow", "Target", "ClientToken", "ActionAfterCompletion",
}  # fmt: skip
_ZONES = available_timezones() - {"EST", "HST", "MST", "ROC"}


@dataclass
class MemoryTimers:
    """Schedules by group and name."""

    groups: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {"default": {}})
    tokens: dict[str, Arguments] = field(default_factory=dict)

    def create_schedule_group(self, arguments: Arguments) -> dict[str, Any]:
        """CreateScheduleGroup."""
        require_known_arguments(arguments, {"Name", "ClientToken"})
        if arguments["Name"] in self.groups:
            raise ServiceError("ConflictException", "Schedule group already exists", 409)
        self.groups[arguments["Name"]] = {}
        return {"ScheduleGroupArn": f"{_ARN}:schedule-group/{arguments['Name']}"}

    def list_schedule_groups(self, arguments: Arguments) -> dict[str, Any]:
        """ListScheduleGroups, in one page."""
        require_known_arguments(arguments, set())
        return {"ScheduleGroups": [{"Name": name, "State": "ACTIVE"} for name in sorted(self.groups)]}

    def create_schedule(self, arguments: Arguments) -> dict[str, Any]:
        """CreateSchedule; a repeated ClientToken changes nothing."""
        _validate_schedule(arguments)
        group, name, token = self._find_group(arguments), arguments["Name"], arguments.get("ClientToken")
        response = {"ScheduleArn": f"{_ARN}:schedule/{arguments['GroupName']}/{name}"}
        if token and self.tokens.get(token) == arguments:
            return response
        if name in group:
            raise ServiceError("ConflictException", f"Schedule {name} already exists.", 409)
        group[name] = copy_value(dict(arguments))
        if token:
            self.tokens[token] = arguments
        return response

    def update_schedule(self, arguments: Arguments) -> dict[str, Any]:
        """UpdateSchedule; replaces all fields."""
        _validate_schedule(arguments)
        self._find_timer(arguments)
        self._find_group(arguments)[arguments["Name"]] = copy_value(dict(arguments))
        return {"ScheduleArn": f"{_ARN}:schedule/{arguments['GroupName']}/{arguments['Name']}"}

    def get_schedule(self, arguments: Arguments) -> dict[str, Any]:
        """GetSchedule."""
        require_known_arguments(arguments, {"Name", "GroupName"})
        timer = copy_value(self._find_timer(arguments))
        timer.pop("ClientToken", None)
        return {"State": "ENABLED", **timer}

    def delete_schedule(self, arguments: Arguments) -> dict[str, Any]:
        """DeleteSchedule."""
        require_known_arguments(arguments, {"Name", "GroupName", "ClientToken"})
        self._find_timer(arguments)
        del self._find_group(arguments)[arguments["Name"]]
        return {}

    def list_schedules(self, arguments: Arguments) -> dict[str, Any]:
        """ListSchedules; at most 100 a page, without expressions."""
        require_known_arguments(arguments, {"GroupName", "MaxResults", "NextToken", "NamePrefix"})
        size = arguments.get("MaxResults", 100)
        if not 1 <= size <= 100:
            raise _validation_error("MaxResults")
        group, after = self._find_group(arguments), arguments.get("NextToken", "")
        names = sorted(
            name for name in group if name > after and name.startswith(arguments.get("NamePrefix", ""))
        )
        response: dict[str, Any] = {"Schedules": [_timer_summary(group[name]) for name in names[:size]]}
        if len(names) > size:
            response["NextToken"] = names[size - 1]
        return response

    def _find_group(self, arguments: Arguments) -> dict[str, dict[str, Any]]:
        try:
            return self.groups[arguments.get("GroupName", "default")]
        except KeyError as error:
            raise ServiceError("ResourceNotFoundException", "Schedule group does not exist.", 404) from error

    def _find_timer(self, arguments: Arguments) -> dict[str, Any]:
        try:
            return self._find_group(arguments)[arguments["Name"]]
        except KeyError as error:
            raise ServiceError(
                "ResourceNotFoundException", f"Schedule {arguments['Name']} does not exist.", 404
            ) from error


def _validation_error(message: str) -> ServiceError:
    return ServiceError("ValidationException", f"Invalid {message}")


def _timer_summary(timer: Arguments) -> dict[str, Any]:
    summary = {name: timer[name] for name in ("Name", "GroupName", "State") if name in timer}
    return {**summary, "Target": {"Arn": timer["Target"]["Arn"]}}


def _validate_schedule(arguments: Arguments) -> None:
    require_known_arguments(arguments, _SCHEDULE_ARGUMENTS)
    target = arguments["Target"]
    require_known_arguments(target, {"Arn", "RoleArn", "Input", "DeadLetterConfig", "RetryPolicy"})
    retry = target.get("RetryPolicy", {})
    text = arguments["ScheduleExpression"]
    rules = {
        "Name": bool(_NAME.fullmatch(arguments["Name"])),
        "ScheduleExpression": _is_expression(text),
        "ActionAfterCompletion": arguments.get("ActionAfterCompletion", "NONE") in ("NONE", "DELETE"),
        "ScheduleExpressionTimezone": arguments.get("ScheduleExpressionTimezone", "UTC") in _ZONES,
        "State": arguments.get("State", "ENABLED") in ("ENABLED", "DISABLED"),
        "Description": len(arguments.get("Description", "")) <= 512,
        "FlexibleTimeWindow": _is_window(**arguments["FlexibleTimeWindow"]),
        "Target.Arn": target["Arn"].startswith("arn:aws"),
        "Target.RoleArn": bool(_ROLE.fullmatch(target["RoleArn"])),
        "Target.Input": _is_json(target.get("Input", "{}")),
        "DeadLetterConfig": bool(_QUEUE.fullmatch(target.get("DeadLetterConfig", {}).get("Arn", ""))),
        "MaximumEventAgeInSeconds": 60 <= retry.get("MaximumEventAgeInSeconds", 60) <= 86400,
        "MaximumRetryAttempts": 0 <= retry.get("MaximumRetryAttempts", 0) <= 185,
    }
    for name, holds in rules.items():
        if not holds:
            raise _validation_error(name)


def _is_expression(text: str) -> bool:
    """Return whether the text is `at(…)`, or `cron(…)` with exactly one question mark for a day."""
    if _AT.fullmatch(text):
        return True
    fields = text.split()
    return bool(_CRON.fullmatch(text)) and len(text) <= 256 and [fields[2], fields[4]].count("?") == 1


def _is_window(Mode: str, MaximumWindowInMinutes: int | None = None) -> bool:  # noqa: N803 - the API's names
    if Mode == "OFF":
        return MaximumWindowInMinutes is None
    return Mode == "FLEXIBLE" and 1 <= (MaximumWindowInMinutes or 0) <= 1440


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
