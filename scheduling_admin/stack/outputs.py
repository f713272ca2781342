"""The deployed stack as CloudFormation describes it: the names of its resources, and its limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from scheduling_admin.errors import AdminError, ExitStatus

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LOCAL_STAGE, _CLOCK_TAG = "local", "local-clock"

_OUTPUTS = {
    "TABLE_NAME": "TableName",
    "SCHEDULE_GROUP_NAME": "ScheduleGroupName",
    "OCCURRENCE_QUEUE_URL": "OccurrenceQueueUrl",
    "TIMER_ROLE_ARN": "TimerRoleArn",
    "TIMER_DLQ_ARN": "TimerDeadLetterQueueArn",
}
_PARAMETERS = {
    "STAGE": "Stage",
    "MAX_SCHEDULES_PER_INSTALL": "MaxSchedulesPerInstall",
    "MIN_INTERVAL_MINUTES": "MinIntervalMinutes",
    "WRITES_PER_MINUTE": "WritesPerMinute",
    "MAX_PAYLOAD_BYTES": "MaxPayloadBytes",
    "RUN_HISTORY_DAYS": "RunHistoryDays",
    "CATCH_UP": "CatchUp",
    "MAX_WAIT_HOURS": "MaxWaitHours",
    "DEFAULT_SPREAD_MINUTES": "DefaultSpreadMinutes",
    "SWEEP_INTERVAL_HOURS": "SweepIntervalHours",
}
_DEAD_LETTER_QUEUE_OUTPUT = "DeadLetterQueueUrl"
_TIMER_DEAD_LETTER_QUEUE_OUTPUT = "TimerDeadLetterQueueUrl"
_UNPUBLISHED_QUEUE_OUTPUT = "UnpublishedQueueUrl"
_AUDIT_FUNCTION_OUTPUT = "AuditFunctionName"
_REQUIRED_OUTPUTS = (
    *_OUTPUTS.values(),
    _DEAD_LETTER_QUEUE_OUTPUT,
    _TIMER_DEAD_LETTER_QUEUE_OUTPUT,
    _UNPUBLISHED_QUEUE_OUTPUT,
    _AUDIT_FUNCTION_OUTPUT,
)


@dataclass(frozen=True)
class Stack:
    """One stack; `environment` has those variables of its functions that the operations need."""

    name: str
    region: str
    environment: Mapping[str, str]
    dead_letter_queue_url: str
    timer_dead_letter_queue_url: str
    unpublished_queue_url: str
    audit_function_name: str
    clock_url: str | None
    """The URL that returns the time of a local stack, whose clock can be moved."""

    @property
    def occurrence_queue_url(self) -> str:
        """The queue of occurrences."""
        return self.environment["OCCURRENCE_QUEUE_URL"]

    @property
    def queue_name(self) -> str:
        """The name of the queue of occurrences."""
        return self.occurrence_queue_url.rpartition("/")[2]

    @property
    def history_days(self) -> int:
        """The number of days that the history is kept."""
        return int(self.environment["RUN_HISTORY_DAYS"])

    @property
    def sweep_interval(self) -> timedelta:
        """How long after one sweep the next one starts."""
        return timedelta(hours=int(self.environment["SWEEP_INTERVAL_HOURS"]))


def parse_stack(description: Mapping[str, Any], region: str) -> Stack:
    """Return the stack that a response of DescribeStacks describes.

    Raises:
        AdminError: The stack is of another kind, or was deployed from an older template.
    """
    name = str(description["StackName"])
    outputs = {each["OutputKey"]: each["OutputValue"] for each in description.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in description.get("Parameters", [])}
    missing_keys = [key for key in _REQUIRED_OUTPUTS if key not in outputs]
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
        dead_letter_queue_url=str(outputs[_DEAD_LETTER_QUEUE_OUTPUT]),
        timer_dead_letter_queue_url=str(outputs[_TIMER_DEAD_LETTER_QUEUE_OUTPUT]),
        unpublished_queue_url=str(outputs[_UNPUBLISHED_QUEUE_OUTPUT]),
        audit_function_name=str(outputs[_AUDIT_FUNCTION_OUTPUT]),
        clock_url=_accept_loopback_url(tags.get(_CLOCK_TAG)) if parameters["Stage"] == _LOCAL_STAGE else None,
    )


def is_loopback(url: str) -> bool:
    """Return whether the URL is of this machine."""
    return urlsplit(url).hostname in LOOPBACK


def _accept_loopback_url(url: str | None) -> str | None:
    return url if url and is_loopback(url) else None


def _format_incomplete_stack(name: str, status: str, missing_keys: list[str]) -> str:
    return (
        f"The stack {name} ({status}) has no {', '.join(missing_keys)}: it is another kind of stack, is not deployed "
        "yet, or was deployed from an older template. Choose the stack with --stack-name, or deploy it again."
    )
