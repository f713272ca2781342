"""Logs and metrics of the functions: JSON lines with request, operation and ids, never a secret or a payload."""

from collections.abc import Mapping

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from scheduling.domain.errors import UnreadableItem
from scheduling.domain.install import Install
from scheduling.domain.runs import Run

logger = Logger(service="scheduling")
"""Its context belongs to a thread, since the local stack runs a callback while the run that makes it is waiting."""

METRICS_NAMESPACE = "ExtensionScheduler"
MetricValues = Mapping[str, tuple[MetricUnit, float]]
_METADATA_KEYS = ("correlation_id", "tenant_id", "install_id", "schedule_id", "request_id")


def bind_request(context: LambdaContext, operation: str, **keys: str) -> None:
    """Set the request, the operation and the non-empty `keys` as context of all further log lines."""
    logger.thread_safe_clear_keys()
    logger.thread_safe_append_keys(
        correlation_id=context.aws_request_id,
        operation=operation,
        **{name: value for name, value in keys.items() if value},
    )


def bind_install(install: Install) -> None:
    """Add the install's tenant to the context of all further log lines."""
    logger.thread_safe_append_keys(tenant_id=install.tenant_id)


def bind_run(run: Run) -> None:
    """Add the run's request id, which the runner logs as well, to the context of all further log lines."""
    logger.thread_safe_append_keys(request_id=run.request_id)


def count_unreadable(count: int) -> MetricValues:
    """Return the metric that counts items which could not be read."""
    return {"UnreadableItems": (MetricUnit.Count, count)}


def report_unreadable(item: UnreadableItem) -> None:
    """Log and count an item that cannot be read."""
    logger.error(str(item))
    emit_metrics(count_unreadable(1))


def report_secret_outage(secret_id: str, age_seconds: float | None) -> None:
    """Log and count that a secret could not be read; without an age, no value is left to be used."""
    logger.warning("secret not read", secret=secret_id, value_age_seconds=age_seconds)
    emit_metrics({"SecretReadFailures": (MetricUnit.Count, 1)})


def emit_metrics(values: MetricValues, **dimensions: str) -> None:
    """Write one line with the metrics by these dimensions, with the ids of the log context as metadata."""
    metrics = EphemeralMetrics(namespace=METRICS_NAMESPACE)
    for name, dimension in dimensions.items():
        metrics.add_dimension(name, dimension)
    for name, (unit, value) in values.items():
        metrics.add_metric(name, unit, value)
    log_keys = logger.thread_safe_get_current_keys()
    for name in _METADATA_KEYS:
        if log_keys.get(name):
            metrics.add_metadata(name, log_keys[name])
    metrics.flush_metrics()
