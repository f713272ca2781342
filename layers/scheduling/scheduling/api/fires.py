"""What EventBridge delivers, in and out (contract, section 5)."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from pydantic import BaseModel, ValidationInfo, field_validator

from scheduling.api.log import logger
from scheduling.api.metrics import Values, emit
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import Fire, NotRun, Run, Trigger, parse_manual_time, parse_time
from scheduling.operations.execute import RunFailed


class _Event(BaseModel):
    installId: str  # noqa: N815 - the contract's names
    scheduleId: str  # noqa: N815
    revision: int
    replay: bool = False
    trigger: Trigger = Trigger.SCHEDULE
    scheduledTime: str  # noqa: N815

    @field_validator("scheduledTime")
    @classmethod
    def _in_its_form(cls, text: str, given: ValidationInfo) -> str:
        manual = given.data.get("trigger") is Trigger.MANUAL
        return parse_manual_time(text) if manual else parse_time(text)


def fire_of(event: Mapping[str, Any]) -> Fire:
    """The fire that the event tells of. Raises pydantic.ValidationError, which names what is missing."""
    given = _Event.model_validate(event)
    return Fire(
        install_id=InstallId(given.installId),
        schedule_id=ScheduleId(given.scheduleId),
        revision=given.revision,
        replay=given.replay,
        trigger=given.trigger,
        scheduled_time=given.scheduledTime,
    )


def reported(fire: Fire, run: Callable[[], Run | NotRun]) -> dict[str, object]:
    """What the function answers: a run's `status`, or why none was made; logged, and counted by its outcome.

    Raises what `run` raises.
    """
    try:
        result = run()
    except RunFailed as failed:
        _count(fire, "retried" if failed.run else "delayed", failed.run)
        raise
    outcome = result.value if isinstance(result, NotRun) else result.status.value
    logger.info("occurrence", scheduled_time=fire.scheduled_time, status=outcome)
    occurrence: dict[str, object] = {
        "scheduleId": fire.schedule_id,
        "scheduledTime": fire.scheduled_time,
        "status": outcome,
    }
    if isinstance(result, NotRun):
        _count(fire, outcome, None)
        return occurrence
    _count(fire, outcome, result)
    return {**occurrence, "attempt": result.attempt, "error": result.error}


def _count(fire: Fire, outcome: str, run: Run | None) -> None:
    values: Values = {"Fires": (MetricUnit.Count, 1)}
    if run and run.duration_ms is not None:
        values = {**values, "RunDurationMs": (MetricUnit.Milliseconds, run.duration_ms)}
    if run and run.attempt == 1 and fire.trigger is Trigger.SCHEDULE:
        late = run.started_at - datetime.fromisoformat(fire.scheduled_time)
        values = {**values, "LatenessMs": (MetricUnit.Milliseconds, late / timedelta(milliseconds=1))}
    emit(values, outcome=outcome, trigger=fire.trigger.value)
