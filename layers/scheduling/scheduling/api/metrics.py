"""Metrics in CloudWatch's embedded format: lines of the log, each with what it is about; see docs/operations.md."""

from collections.abc import Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from scheduling.api.log import logger

NAMESPACE = "ExtensionScheduler"
Values = Mapping[str, tuple[MetricUnit, float]]
_ABOUT = ("correlation_id", "tenant_id", "install_id", "schedule_id")


def emit(values: Values, **dimensions: str) -> None:
    """One line with these metrics by these dimensions, and beside them what the log says it is about."""
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    for name, dimension in dimensions.items():
        metrics.add_dimension(name, dimension)
    for name, (unit, value) in values.items():
        metrics.add_metric(name, unit, value)
    about = logger.get_current_keys()
    for name in _ABOUT:
        if about.get(name):
            metrics.add_metadata(name, about[name])
    metrics.flush_metrics()
