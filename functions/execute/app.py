"""What EventBridge Scheduler invokes when a schedule fires."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap
from scheduling.api.observability import begin
from scheduling.api.triggers import fire_of, reported
from scheduling.operations.runs.execute import execute

services = bootstrap.services()
runner = bootstrap.runner()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, object]:
    """What came of the occurrence; raises where Lambda is to deliver it again."""
    fire = fire_of(event)
    begin(context, "execute", install_id=fire.install_id, schedule_id=fire.schedule_id)
    return reported(fire, lambda: execute(services, runner.execute, fire))
