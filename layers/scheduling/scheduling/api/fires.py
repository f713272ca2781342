"""What EventBridge delivers, in and out (contract, section 5)."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel

from scheduling.api.boundary import logger
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import Fire, NotRun, Run, parse_time


class _Event(BaseModel):
    installId: str  # noqa: N815 - the contract's names
    scheduleId: str  # noqa: N815
    revision: int
    replay: bool = False
    scheduledTime: Annotated[str, AfterValidator(parse_time)]  # noqa: N815


def fire_of(event: Mapping[str, Any]) -> Fire:
    """The fire that the event tells of. Raises pydantic.ValidationError, which names what is missing."""
    given = _Event.model_validate(event)
    return Fire(
        install_id=InstallId(given.installId),
        schedule_id=ScheduleId(given.scheduleId),
        revision=given.revision,
        replay=given.replay,
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
