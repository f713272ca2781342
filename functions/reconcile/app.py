"""Every minute: finish what was left unfinished between the table and EventBridge, and go on with the sweep."""

from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap
from scheduling.api.boundary import logger
from scheduling.operations.reconcile import reconcile
from scheduling.operations.sweep import sweep

services = bootstrap.services()
interval = bootstrap.sweep_interval()
metrics = Metrics(namespace="ExtensionScheduler")  # its one dimension, service, is the name of the stack


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, object]:
    """How many pending rows were settled and are left, and what the sweep mended, by kind."""
    report = reconcile(services)
    mended = sweep(services, interval)
    metrics.add_metric("PendingSettled", MetricUnit.Count, report.settled)
    metrics.add_metric("PendingFailed", MetricUnit.Count, report.failed)
    metrics.add_metric("OldestPendingSeconds", MetricUnit.Seconds, report.oldest.total_seconds())
    metrics.add_metric("MissedFires", MetricUnit.Count, mended["missed"])
    metrics.add_metric("DriftMended", MetricUnit.Count, mended.total() - mended["missed"])
    logger.info("reconciled", settled=report.settled, failed=report.failed, mended=mended)
    return {"settled": report.settled, "failed": report.failed, "mended": dict(mended)}
