"""What CloudFormation tells of the deployed stack: where its parts are, and its limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scheduling_admin.errors import AdminError, ExitStatus

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LOCAL_STAGE, _CLOCK_TAG = "local", "local-clock"

_OUTPUTS = {
    "TABLE_NAME": "TableName",
    "SCHEDULE_GROUP_NAME": "ScheduleGroupName",
    "TIMER_TARGET_ARN": "ExecuteFunctionArn",
    "TIMER_ROLE_ARN": "TimerRoleArn",
    "TIMER_DLQ_ARN": "DeadLetterQueueArn",
}
_PARAMETERS = {
    "STAGE": "Stage",
    "MAX_SCHEDULES_PER_INSTALL": "MaxSchedulesPerInstall",
    "MIN_INTERVAL_MINUTES": "MinIntervalMinutes",
    "WRITES_PER_MINUTE": "WritesPerMinute",
    "MAX_PAYLOAD_BYTES": "MaxPayloadBytes",
    "RUN_HISTORY_DAYS": "RunHistoryDays",
}
_QUEUE_OUTPUT = "DeadLetterQueueUrl"


@dataclass(frozen=True)
class Stack:
    """One stack; `environment` is what its functions have, as far as operations need it."""

    name: str
    region: str
    environment: Mapping[str, str]
    queue_url: str
    clock_url: str | None
    """Tells the time of a local stack, which may have been moved."""

    @property
    def history_days(self) -> int:
        """How long the history is kept."""
        return int(self.environment["RUN_HISTORY_DAYS"])


def parse_stack(description: Mapping[str, Any], region: str) -> Stack:
    """The stack as DescribeStacks answers it. Raises AdminError for one of another kind, or an older one."""
    name = str(description["StackName"])
    outputs = {each["OutputKey"]: each["OutputValue"] for each in description.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in description.get("Parameters", [])}
    missing_keys = [key for key in (*_OUTPUTS.values(), _QUEUE_OUTPUT) if key not in outputs]
    missing_keys += [key for key in _PARAMETERS.values() if key not in parameters]
    if missing_keys:
        raise AdminError(
            _format_incomplete_stack(name, str(description.get("StackStatus", "")), missing_keys),
            ExitStatus.NOT_FOUND,
        )
    tags = {tag["Key"]: tag["Value"] for tag in description.get("Tags", [])}
    return Stack(
        name=name,
        region=region,
        environment={variable: str(outputs[key]) for variable, key in _OUTPUTS.items()}
        | {variable: str(parameters[key]) for variable, key in _PARAMETERS.items()},
        queue_url=str(outputs[_QUEUE_OUTPUT]),
        clock_url=_accept_loopback_url(tags.get(_CLOCK_TAG)) if parameters["Stage"] == _LOCAL_STAGE else None,
    )


def is_loopback(url: str) -> bool:
    """Whether it is of this machine."""
    return urlsplit(url).hostname in LOOPBACK


def _accept_loopback_url(url: str | None) -> str | None:
    return url if url and is_loopback(url) else None


def _format_incomplete_stack(name: str, status: str, missing_keys: list[str]) -> str:
    return (
        f"The stack {name} ({status}) does not tell of {', '.join(missing_keys)}: it is another kind of stack, is not "
        "deployed yet, or was deployed from an older template. Choose the stack by --stack-name, or deploy it anew."
    )
