"""What EventBridge delivers, in and out (contract, section 5)."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationInfo, field_validator

from scheduling.api.boundary import logger
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import Fire, NotRun, Run, Trigger, parse_manual_time, parse_time


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


def report(fire: Fire, result: Run | NotRun) -> dict[str, object]:
    """What the function answers: a run's `status`, or why none was made; logged, since the history has no run then."""
    status = result.value if isinstance(result, NotRun) else result.status.value
    logger.info("occurrence", scheduled_time=fire.scheduled_time, status=status)
    occurrence = {"scheduleId": fire.schedule_id, "scheduledTime": fire.scheduled_time}
    if isinstance(result, NotRun):
        return {**occurrence, "status": status}
    return {**occurrence, "status": status, "attempt": result.attempt, "error": result.error}
