"""Events of EventBridge Scheduler and of the table's stream, and the functions' results (contract, section 5)."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import BaseModel, ValidationInfo, field_validator

from scheduling.api.observability import MetricValues, count_unreadable, emit_metrics, logger
from scheduling.domain.errors import RunFailed
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import (
    Fire,
    Run,
    SkipReason,
    Trigger,
    normalize_manual_time,
    normalize_scheduled_time,
)
from scheduling.operations.audit import PublishResult


class _FireEvent(BaseModel):
    installId: str  # noqa: N815 - the contract's names
    scheduleId: str  # noqa: N815
    revision: int
    replay: bool = False
    trigger: Trigger = Trigger.SCHEDULE
    scheduledTime: str  # noqa: N815

    @field_validator("scheduledTime")
    @classmethod
    def _normalize_scheduled_time(cls, text: str, info: ValidationInfo) -> str:
        manual = info.data.get("trigger") is Trigger.MANUAL
        return normalize_manual_time(text) if manual else normalize_scheduled_time(text)


def parse_fire(event: Mapping[str, Any]) -> Fire:
    """Return the fire that the event describes.

    Raises:
        pydantic.ValidationError: A field is missing or has the wrong type.
    """
    fire_event = _FireEvent.model_validate(event)
    return Fire(
        install_id=InstallId(fire_event.installId),
        schedule_id=ScheduleId(fire_event.scheduleId),
        timer_revision=fire_event.revision,
        replay=fire_event.replay,
        trigger=fire_event.trigger,
        scheduled_time=fire_event.scheduledTime,
    )


def run_and_report(fire: Fire, run: Callable[[], Run | SkipReason]) -> dict[str, object]:
    """Call `run`, log and count its outcome, and return it as the function's result.

    The result has the status of the run, or the reason why there was none. Raises what `run` raises.
    """
    try:
        result = run()
    except RunFailed as error:
        failed_run = error.run if isinstance(error.run, Run) else None
        if failed_run:
            _report_failure(failed_run)
        _emit_fire_metrics(fire, "retried" if failed_run else "delayed", failed_run)
        raise
    status = result.value if isinstance(result, SkipReason) else result.status.value
    logger.info("occurrence", scheduled_time=fire.scheduled_time, status=status)
    occurrence: dict[str, object] = {
        "scheduleId": fire.schedule_id,
        "scheduledTime": fire.scheduled_time,
        "status": status,
    }
    if isinstance(result, SkipReason):
        _emit_fire_metrics(fire, status, None)
        return occurrence
    if result.error:
        _report_failure(result)
    _emit_fire_metrics(fire, status, result)
    return {**occurrence, "attempt": result.attempt, "error": result.error}


def _report_failure(run: Run) -> None:
    """Log why the attempt failed, and count what the runner, not the extension, has caused."""
    logger.warning("attempt failed", attempt=run.attempt, reason=run.error, detail=run.detail)
    if run.runner_status is not None:
        refusal: MetricValues = {"RunnerRefusals": (MetricUnit.Count, 1)}
        emit_metrics(refusal)  # over all statuses, for the alarm
        emit_metrics(refusal, status=str(run.runner_status))
    if run.runner_error:
        emit_metrics({"RunnerErrors": (MetricUnit.Count, 1)}, error=run.runner_error)


def _emit_fire_metrics(fire: Fire, outcome: str, run: Run | None) -> None:
    values: MetricValues = {"Fires": (MetricUnit.Count, 1)}
    if run and run.duration_ms is not None:
        values = {**values, "RunDurationMs": (MetricUnit.Milliseconds, run.duration_ms)}
    if run and run.attempt == 1 and fire.trigger is Trigger.SCHEDULE:
        lateness = run.started_at - datetime.fromisoformat(fire.scheduled_time)
        values = {**values, "LatenessMs": (MetricUnit.Milliseconds, lateness / timedelta(milliseconds=1))}
    emit_metrics(values, outcome=outcome, trigger=fire.trigger.value)


audit_logger = Logger(service="audit", level="INFO")
"""A separate logger, which the log level of the functions does not silence."""


def stream_response(result: PublishResult) -> dict[str, object]:
    """Log every published event and unreadable record, and return the record from which Lambda must redeliver, if any.

    Unreadable records are counted once: by the delivery after which nothing is redelivered.
    """
    for item in result.unreadable:
        audit_logger.error(str(item))
    if result.unreadable and result.republish_from is None:
        emit_metrics(count_unreadable(len(result.unreadable)))
    for event in result.published:
        audit_logger.info(event.name.value, detail=event.detail)
    if result.republish_from is None:
        return {"batchItemFailures": []}
    audit_logger.warning("to be redelivered", sequence=result.republish_from)
    return {"batchItemFailures": [{"itemIdentifier": result.republish_from}]}
