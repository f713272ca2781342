"""Every minute: finish what was left unfinished between the table and EventBridge, and go on with the sweep."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap
from scheduling.api.observability import begin, emit, logger
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.maintenance.sweep import sweep

services = bootstrap.services()
interval = bootstrap.sweep_interval()


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, object]:
    """How many pending rows were settled and are left, and what the sweep mended, by kind."""
    begin(context, "reconcile")
    report = reconcile(services)
    mended = sweep(services, interval)
    counts = {
        "PendingSettled": report.settled,
        "PendingFailed": report.failed,
        "MissedFires": mended["missed"],
        "DriftMended": mended.total() - mended["missed"],
    }
    oldest = {"OldestPendingSeconds": (MetricUnit.Seconds, report.oldest.total_seconds())}
    emit({name: (MetricUnit.Count, count) for name, count in counts.items()} | oldest)
    logger.info("reconciled", settled=report.settled, failed=report.failed, mended=mended)
    return {"settled": report.settled, "failed": report.failed, "mended": dict(mended)}
