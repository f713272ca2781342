"""What EventBridge Scheduler invokes when a schedule fires."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap
from scheduling.api.boundary import logger
from scheduling.api.fires import fire_of, report
from scheduling.operations.execute import execute

services = bootstrap.services()
runner = bootstrap.runner()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, object]:
    """What came of the occurrence; raises where Lambda is to deliver it again."""
    fire = fire_of(event)
    logger.append_keys(install_id=fire.install_id, schedule_id=fire.schedule_id)
    return report(fire, execute(services, runner, fire))
