"""EventBridge Scheduler: one schedule per timer, named by the schedule's id (contract, section 5)."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from scheduling.domain.cron.eventbridge import eventbridge_expression
from scheduling.domain.cron.rule import parse_rule
from scheduling.domain.cron.timezones import DEFAULT_TIMEZONE
from scheduling.domain.errors import TimerFailed
from scheduling.domain.fire_events import build_timer_input, parse_timer_input
from scheduling.domain.ids import ScheduleId, new_token, parse_install_id
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import TimerSnapshot
from scheduling.settings import TimerSettings

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

logger = logging.getLogger(__name__)

_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=32,
)
_RETRY_POLICY = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 20}
_INVALID, _CONFLICT, _NOT_FOUND = "ValidationException", "ConflictException", "ResourceNotFoundException"
_REFUSAL_CODES = frozenset({_INVALID, "AccessDeniedException"})
_MAX_CALLS = 3
"""How often a write is called while others create, change or delete the same timer."""


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

    def put_timer(self, schedule: Schedule, *, exists: bool, spread_minutes: int = 0) -> None:
        """Create or update the timer to match the schedule; `exists` says which of the two is likelier.

        One call where `exists` is right, two where it is not, three where others create or delete it meanwhile.
        """
        request = self._build_timer_request(schedule, spread_minutes)

        def create() -> None:
            self._client.create_schedule(**request)

        def update() -> None:
            self._client.update_schedule(**request)

        for _ in range(_MAX_CALLS):
            code = _try_call(update, _NOT_FOUND, _CONFLICT) if exists else _try_call(create, _CONFLICT)
            if code is None:
                return
            exists = code == _CONFLICT
        raise TimerFailed(f"{schedule.id} is being changed by others", refused=False)

    def delete_timer(self, schedule_id: ScheduleId) -> None:
        """Delete the timer, if it exists.

        One call, or more where others change it meanwhile.
        """

        def delete() -> None:
            self._client.delete_schedule(GroupName=self._settings.schedule_group_name, Name=schedule_id)

        for _ in range(_MAX_CALLS):
            if _try_call(delete, _NOT_FOUND, _CONFLICT) != _CONFLICT:
                return
        raise TimerFailed(f"{schedule_id} is being changed by others", refused=False)

    def is_zone_refused(self, schedule: Schedule) -> bool:
        """Return whether EventBridge, which has found the schedule's timer invalid, accepts it in UTC.

        If not, its target is invalid, such as a role that EventBridge may not assume. The error has the same code, and
        differs in its text alone; so a disabled timer with another name is created, and deleted again.

        Two calls.
        """
        name = f"{schedule.id}-{new_token()}"
        request = {
            **self._build_timer_request(schedule),
            "Name": name,
            "State": "DISABLED",
            "ScheduleExpressionTimezone": DEFAULT_TIMEZONE,
        }

        def create() -> None:
            self._client.create_schedule(**request)

        if _try_call(create, _INVALID) == _INVALID:
            return False
        try:
            self.delete_timer(ScheduleId(name))
        except TimerFailed as error:
            logger.warning("timer %s is left to the sweep: %s", name, error)
        return True

    def get_timer(self, schedule_id: ScheduleId) -> TimerSnapshot | None:
        """Return the timer of the schedule, if it exists.

        One call.
        """
        group = self._settings.schedule_group_name
        try:
            response = self._client.get_schedule(GroupName=group, Name=schedule_id)
        except ClientError as error:
            if _error_code(error) == _NOT_FOUND:
                return None
            code = _error_code(error)
            raise TimerFailed(f"GetSchedule: {code}", refused=code in _REFUSAL_CODES) from error
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
            refused = isinstance(error, ClientError) and _error_code(error) in _REFUSAL_CODES
            raise TimerFailed(f"ListSchedules: {error}", refused=refused) from error
        return [ScheduleId(summary["Name"]) for summary in response["Schedules"]], response.get("NextToken")

    def _build_timer_request(self, schedule: Schedule, spread_minutes: int = 0) -> Mapping[str, Any]:
        settings = self._settings
        return {
            "GroupName": settings.schedule_group_name,
            "Name": schedule.id,
            "Description": "trigger=host_api",
            "State": "ENABLED",
            "ScheduleExpression": eventbridge_expression(parse_rule(schedule.definition.cron)),
            "ScheduleExpressionTimezone": schedule.definition.timezone,
            "FlexibleTimeWindow": _build_window(spread_minutes),
            **({"ActionAfterCompletion": "DELETE"} if schedule.definition.is_one_time else {}),
            "Target": {
                "Arn": settings.timer_target_arn,
                "RoleArn": settings.timer_role_arn,
                "Input": build_timer_input(schedule, settings.occurrence_queue_url),
                "DeadLetterConfig": {"Arn": settings.timer_dlq_arn},
                "RetryPolicy": _RETRY_POLICY,
            },
        }


def _build_window(spread_minutes: int) -> Mapping[str, Any]:
    if not spread_minutes:
        return {"Mode": "OFF"}
    return {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": spread_minutes}


def _try_call(call: Callable[[], None], *expected_codes: str) -> str | None:
    """Make the call, and return the code of its error if that is an expected one.

    Raises:
        TimerFailed: The call failed with another error.
    """
    try:
        call()
    except ClientError as error:
        code = _error_code(error)
        if code in expected_codes:
            return code
        text = f"{error.operation_name}: {code}: {error.response['Error'].get('Message', '')}"
        raise TimerFailed(text, refused=code in _REFUSAL_CODES, invalid=code == _INVALID) from error
    except BotoCoreError as error:
        raise TimerFailed(str(error), refused=False) from error
    return None


def _error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _timer_snapshot_from_api(
    schedule_id: ScheduleId, api_schedule: Mapping[str, Any], settings: TimerSettings
) -> TimerSnapshot:
    target = api_schedule.get("Target", {})
    event, queue_url, group = parse_timer_input(target.get("Input"))
    install_text, revision = event.get("installId"), event.get("revision")
    install_id = parse_install_id(install_text) if isinstance(install_text, str) else None
    dlq_arn = target.get("DeadLetterConfig", {}).get("Arn")
    return TimerSnapshot(
        schedule_id=schedule_id,
        install_id=install_id,
        group=group,
        expression=api_schedule.get("ScheduleExpression", ""),
        timezone=api_schedule.get("ScheduleExpressionTimezone", ""),
        timer_revision=revision if isinstance(revision, int) else None,
        created_at=api_schedule.get("CreationDate"),
        deletes_itself=api_schedule.get("ActionAfterCompletion") == "DELETE",
        spread_minutes=api_schedule.get("FlexibleTimeWindow", {}).get("MaximumWindowInMinutes") or 0,
        matches_stack=(
            (target.get("Arn"), queue_url) == (settings.timer_target_arn, settings.occurrence_queue_url)
            and (target.get("RoleArn"), dlq_arn) == (settings.timer_role_arn, settings.timer_dlq_arn)
            and api_schedule.get("State") == "ENABLED"
        ),
        unreadable=None if install_id else _describe_unreadable_input(target.get("Input")),
    )


def _describe_unreadable_input(text: str | None) -> str:
    """Return why the input of a timer names no install."""
    try:
        target_input = json.loads(text or "")
    except (ValueError, RecursionError):
        return "its input is not JSON"
    return (
        "its input names no install" if isinstance(target_input, dict) else "its input is not a JSON object"
    )
