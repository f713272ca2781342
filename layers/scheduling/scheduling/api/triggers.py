"""What EventBridge delivers, in and out (contract, section 5)."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import BaseModel, ValidationInfo, field_validator

from scheduling.api.observability import Values, emit, logger
from scheduling.domain.errors import RunFailed
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import Fire, NotRun, Run, Trigger, parse_manual_time, parse_time
from scheduling.operations.audit import Published


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
        _count(fire, "retried" if failed.attempt else "delayed", failed)
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


def _count(fire: Fire, outcome: str, run: Run | RunFailed | None) -> None:
    values: Values = {"Fires": (MetricUnit.Count, 1)}
    if run and run.duration_ms is not None:
        values = {**values, "RunDurationMs": (MetricUnit.Milliseconds, run.duration_ms)}
    if run and run.started_at and run.attempt == 1 and fire.trigger is Trigger.SCHEDULE:
        late = run.started_at - datetime.fromisoformat(fire.scheduled_time)
        values = {**values, "LatenessMs": (MetricUnit.Milliseconds, late / timedelta(milliseconds=1))}
    emit(values, outcome=outcome, trigger=fire.trigger.value)


audit_log = Logger(service="audit", level="INFO")
"""A log of its own, which the level of the others does not silence."""


def report(published: Published) -> dict[str, object]:
    """Where in the stream Lambda is to begin again, if anywhere; each event that was taken has its line now."""
    for event in published.taken:
        audit_log.info(event.name.value, detail=event.detail)
    if published.again_from is None:
        return {"batchItemFailures": []}
    audit_log.warning("to be told of again", sequence=published.again_from)
    return {"batchItemFailures": [{"itemIdentifier": published.again_from}]}
