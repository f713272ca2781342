"""Every minute: finish what was left unfinished between the table and EventBridge."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap
from scheduling.api.boundary import logger
from scheduling.operations.reconcile import reconcile

services = bootstrap.services()


@logger.inject_lambda_context
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    """How many pending rows were settled, and how many are left."""
    report = asdict(reconcile(services))
    logger.info("reconciled", **report)
    return report
