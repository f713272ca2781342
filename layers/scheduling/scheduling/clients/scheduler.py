"""EventBridge Scheduler: one schedule per timer, named by the schedule's id (contract, section 5)."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from scheduling.domain.cron.eventbridge import eventbridge_expression
from scheduling.domain.cron.grammar import parse_cron
from scheduling.domain.errors import TimerFailed
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import Timer
from scheduling.settings import TimerSettings

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=32,
)
_HAND_OVER = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 20}
_REFUSALS = frozenset({"ValidationException", "AccessDeniedException"})


class EventBridgeTimers:
    """EventBridge Scheduler, one timer per schedule. Every method raises TimerFailed."""

    def __init__(self, session: Session, settings: TimerSettings) -> None:
        self._session = session
        self._settings = settings
        self._lock = Lock()

    @property
    def _client(self) -> "EventBridgeSchedulerClient":
        with self._lock:
            return self._only_client

    @cached_property
    def _only_client(self) -> "EventBridgeSchedulerClient":
        client = self._session.create_client("scheduler", config=_CONFIG)
        return cast("EventBridgeSchedulerClient", client)

    def put(self, schedule: Schedule, *, exists: bool) -> None:
        """Make the schedule's timer be as its row says, whatever stands; `exists` is the likelier case.

        One call where `exists` is right, two where it is not.
        """
        timer = self._timer(schedule)

        def create() -> None:
            self._client.create_schedule(**timer)

        def update() -> None:
            self._client.update_schedule(**timer)

        if exists:
            _first_that_applies((update, "ResourceNotFoundException"), (create, None))
        else:
            _first_that_applies((create, "ConflictException"), (update, None))

    def remove(self, schedule_id: ScheduleId) -> None:
        """Make the timer be gone; absent already is well.

        One call.
        """

        def delete() -> None:
            self._client.delete_schedule(GroupName=self._settings.schedule_group_name, Name=schedule_id)

        _first_that_applies((delete, "ResourceNotFoundException"))

    def get(self, schedule_id: ScheduleId) -> Timer | None:
        """What stands under the schedule's id.

        One call.
        """
        group = self._settings.schedule_group_name
        try:
            found = self._client.get_schedule(GroupName=group, Name=schedule_id)
        except ClientError as error:
            if _code(error) == "ResourceNotFoundException":
                return None
            raise TimerFailed(f"GetSchedule: {_code(error)}", refused=False) from error
        except BotoCoreError as error:
            raise TimerFailed(str(error), refused=False) from error
        return _timer_of(schedule_id, found, self._settings)

    def matches(self, timer: Timer, schedule: Schedule) -> bool:
        """Whether the timer is as `put` would make it.

        Without a call.
        """
        wanted = self._timer(schedule)
        return timer == _timer_of(schedule.id, wanted, self._settings)

    def page(self, cursor: str | None) -> tuple[Sequence[ScheduleId], str | None]:
        """Some timers of the group, and the cursor of the next ones; None at the end.

        One call.
        """
        group = self._settings.schedule_group_name
        try:
            if cursor:
                found = self._client.list_schedules(GroupName=group, MaxResults=100, NextToken=cursor)
            else:
                found = self._client.list_schedules(GroupName=group, MaxResults=100)
        except (ClientError, BotoCoreError) as error:
            raise TimerFailed(f"ListSchedules: {error}", refused=False) from error
        return [ScheduleId(each["Name"]) for each in found["Schedules"]], found.get("NextToken")

    def _timer(self, schedule: Schedule) -> Mapping[str, Any]:
        settings = self._settings
        return {
            "GroupName": settings.schedule_group_name,
            "Name": schedule.id,
            "Description": "trigger=host_api",
            "State": "ENABLED",
            "ScheduleExpression": eventbridge_expression(parse_cron(schedule.definition.cron)),
            "ScheduleExpressionTimezone": schedule.definition.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": settings.timer_target_arn,
                "RoleArn": settings.timer_role_arn,
                "Input": timer_input(schedule),
                "DeadLetterConfig": {"Arn": settings.timer_dlq_arn},
                "RetryPolicy": _HAND_OVER,
            },
        }


def timer_input(schedule: Schedule) -> str:
    """What each fire hands to the executor: ids only, never the tenant's payload."""
    return json.dumps(
        {
            "installId": schedule.install_id,
            "scheduleId": schedule.id,
            "revision": schedule.timer_revision,
            "scheduledTime": "<aws.scheduler.scheduled-time>",
            "attempt": "<aws.scheduler.attempt-number>",
        }
    )


def _first_that_applies(*calls: tuple[Callable[[], None], str | None]) -> None:
    """Make the calls in order until one does not answer with the code that says it does not apply."""
    for call, does_not_apply in calls:
        try:
            call()
        except ClientError as error:
            code = _code(error)
            if code == does_not_apply:
                continue
            raise TimerFailed(f"{error.operation_name}: {code}", refused=code in _REFUSALS) from error
        except BotoCoreError as error:
            raise TimerFailed(str(error), refused=False) from error
        return


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _timer_of(schedule_id: ScheduleId, found: Mapping[str, Any], settings: TimerSettings) -> Timer:
    target = found["Target"]
    try:
        given = json.loads(target.get("Input") or "{}")
    except ValueError:
        given = {}
    deployed = (settings.timer_target_arn, settings.timer_role_arn, settings.timer_dlq_arn, "ENABLED")
    queue = target.get("DeadLetterConfig", {}).get("Arn")
    return Timer(
        schedule_id=schedule_id,
        install_id=InstallId(given["installId"]) if "installId" in given else None,
        expression=found["ScheduleExpression"],
        timezone=found.get("ScheduleExpressionTimezone", ""),
        revision=given.get("revision"),
        as_deployed=(target["Arn"], target["RoleArn"], queue, found.get("State")) == deployed,
    )
