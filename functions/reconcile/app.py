"""Lambda function that runs every minute: syncs pending rows with EventBridge, and continues the full sweep."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap
from scheduling.api.observability import bind_request, count_unreadable, emit_metrics, logger
from scheduling.api.sweep_parts import check_part_event, count_repairs
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.maintenance.sweep import sweep

services = bootstrap.services()
sweep_interval = bootstrap.sweep_interval()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, object]:
    """Return how many pending rows were synced and how many failed, and the sweep's repairs by kind.

    The sweep continues even if the reconciler fails, whose metrics are emitted before, however long the sweep takes.
    For a part of the sweep, return its result: whoever sent it counts the repairs.
    """
    bind_request(context, "reconcile")
    if result := check_part_event(services, event):
        return result
    try:
        report = reconcile(services)
        emit_metrics(
            {
                "PendingSynced": (MetricUnit.Count, report.synced),
                "PendingFailed": (MetricUnit.Count, report.failed),
                "OldestPendingSeconds": (MetricUnit.Seconds, report.oldest_age.total_seconds()),
            }
        )
    finally:
        emit_metrics(count_unreadable(0))  # each item is counted where it is reported
        repairs = sweep(services, sweep_interval, bootstrap.part_runner(context.invoked_function_arn))
        emit_metrics(count_repairs(repairs))
    logger.info("reconciled", synced=report.synced, failed=report.failed, repaired=repairs)
    return {"synced": report.synced, "failed": report.failed, "repaired": dict(repairs)}
