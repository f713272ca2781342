"""EventBridge Scheduler: one schedule per timer, named by the schedule's id (contract, section 5)."""

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
from scheduling.domain.fire_events import build_timer_input, parse_timer_input
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import TimerSnapshot
from scheduling.settings import TimerSettings

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=32,
)
_RETRY_POLICY = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 20}
_REFUSAL_CODES = frozenset({"ValidationException", "AccessDeniedException"})


class TimerClient:
    """EventBridge Scheduler, one timer per schedule. Every method raises TimerFailed."""

    def __init__(self, session: Session, settings: TimerSettings) -> None:
        self._session = session
        self._settings = settings
        self._lock = Lock()

    @property
    def _client(self) -> "EventBridgeSchedulerClient":
        with self._lock:
            return self._cached_client

    @cached_property
    def _cached_client(self) -> "EventBridgeSchedulerClient":
        client = self._session.create_client("scheduler", config=_CONFIG)
        return cast("EventBridgeSchedulerClient", client)

    def put_timer(self, schedule: Schedule, *, exists: bool) -> None:
        """Create or update the timer to match the schedule; `exists` says which of the two is likelier.

        One call where `exists` is right, two where it is not.
        """
        request = self._build_timer_request(schedule)

        def create() -> None:
            self._client.create_schedule(**request)

        def update() -> None:
            self._client.update_schedule(**request)

        if exists:
            _call_with_fallback((update, "ResourceNotFoundException"), (create, None))
        else:
            _call_with_fallback((create, "ConflictException"), (update, None))

    def delete_timer(self, schedule_id: ScheduleId) -> None:
        """Delete the timer, if it exists.

        One call.
        """

        def delete() -> None:
            self._client.delete_schedule(GroupName=self._settings.schedule_group_name, Name=schedule_id)

        _call_with_fallback((delete, "ResourceNotFoundException"))

    def get_timer(self, schedule_id: ScheduleId) -> TimerSnapshot | None:
        """Return the timer of the schedule, if it exists.

        One call.
        """
        group = self._settings.schedule_group_name
        try:
            response = self._client.get_schedule(GroupName=group, Name=schedule_id)
        except ClientError as error:
            if _error_code(error) == "ResourceNotFoundException":
                return None
            raise TimerFailed(f"GetSchedule: {_error_code(error)}", refused=False) from error
        except BotoCoreError as error:
            raise TimerFailed(str(error), refused=False) from error
        return _timer_snapshot_from_api(schedule_id, response, self._settings)

    def list_timers(self, cursor: str | None) -> tuple[Sequence[ScheduleId], str | None]:
        """Return some timers of the group, and the cursor of the next ones; None at the end.

        One call.
        """
        group = self._settings.schedule_group_name
        try:
            if cursor:
                response = self._client.list_schedules(GroupName=group, MaxResults=100, NextToken=cursor)
            else:
                response = self._client.list_schedules(GroupName=group, MaxResults=100)
        except (ClientError, BotoCoreError) as error:
            raise TimerFailed(f"ListSchedules: {error}", refused=False) from error
        return [ScheduleId(summary["Name"]) for summary in response["Schedules"]], response.get("NextToken")

    def _build_timer_request(self, schedule: Schedule) -> Mapping[str, Any]:
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
                "Input": build_timer_input(schedule, settings.occurrence_queue_url),
                "DeadLetterConfig": {"Arn": settings.timer_dlq_arn},
                "RetryPolicy": _RETRY_POLICY,
            },
        }


def _call_with_fallback(*calls: tuple[Callable[[], None], str | None]) -> None:
    """Make the calls in order until one does not fail with the code that says it does not apply."""
    for call, fallback_code in calls:
        try:
            call()
        except ClientError as error:
            code = _error_code(error)
            if code == fallback_code:
                continue
            raise TimerFailed(f"{error.operation_name}: {code}", refused=code in _REFUSAL_CODES) from error
        except BotoCoreError as error:
            raise TimerFailed(str(error), refused=False) from error
        return


def _error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _timer_snapshot_from_api(
    schedule_id: ScheduleId, api_schedule: Mapping[str, Any], settings: TimerSettings
) -> TimerSnapshot:
    target = api_schedule["Target"]
    event, queue_url, group = parse_timer_input(target.get("Input"))
    install_id = event.get("installId")
    dlq_arn = target.get("DeadLetterConfig", {}).get("Arn")
    return TimerSnapshot(
        schedule_id=schedule_id,
        install_id=InstallId(install_id) if isinstance(install_id, str) else None,
        group=group,
        expression=api_schedule["ScheduleExpression"],
        timezone=api_schedule.get("ScheduleExpressionTimezone", ""),
        timer_revision=event.get("revision"),
        matches_stack=(
            (target["Arn"], queue_url) == (settings.timer_target_arn, settings.occurrence_queue_url)
            and (target["RoleArn"], dlq_arn) == (settings.timer_role_arn, settings.timer_dlq_arn)
            and api_schedule.get("State") == "ENABLED"
        ),
    )
