"""Lambda function that runs every minute: syncs pending rows with EventBridge, and continues the full sweep."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap
from scheduling.api.observability import bind_request, emit_metrics, logger
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.maintenance.sweep import sweep

services = bootstrap.services()
sweep_interval = bootstrap.sweep_interval()


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, object]:
    """Return how many pending rows were synced and how many failed, and the sweep's repairs by kind."""
    bind_request(context, "reconcile")
    report = reconcile(services)
    repairs = sweep(services, sweep_interval)
    counts = {
        "PendingSynced": report.synced,
        "PendingFailed": report.failed,
        "MissedFires": repairs["missed"],
        "DriftRepaired": repairs.total() - repairs["missed"],
    }
    oldest_pending = {"OldestPendingSeconds": (MetricUnit.Seconds, report.oldest_age.total_seconds())}
    emit_metrics({name: (MetricUnit.Count, count) for name, count in counts.items()} | oldest_pending)
    logger.info("reconciled", synced=report.synced, failed=report.failed, repaired=repairs)
    return {"synced": report.synced, "failed": report.failed, "repaired": dict(repairs)}
