"""The log of the functions: JSON lines with request, operation, tenant, install and schedule; no secret, no payload."""

from collections.abc import Mapping

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from scheduling.domain.install import Install

logger = Logger(service="scheduling")


def bind_request(context: LambdaContext, operation: str, **keys: str) -> None:
    """From now on, every line is of this request and operation, and about what is named by `about`."""
    logger.clear_state()
    logger.set_correlation_id(context.aws_request_id)
    logger.append_keys(operation=operation, **{name: value for name, value in keys.items() if value})


def bind_install(install: Install) -> None:
    """Name the tenant of what is being done, as soon as it is known."""
    logger.append_keys(tenant_id=install.tenant_id)


METRICS_NAMESPACE = "ExtensionScheduler"
MetricValues = Mapping[str, tuple[MetricUnit, float]]
_METADATA_KEYS = ("correlation_id", "tenant_id", "install_id", "schedule_id")


def emit_metrics(values: MetricValues, **dimensions: str) -> None:
    """One line with these metrics by these dimensions, and beside them what the log says it is about."""
    metrics = EphemeralMetrics(namespace=METRICS_NAMESPACE)
    for name, dimension in dimensions.items():
        metrics.add_dimension(name, dimension)
    for name, (unit, value) in values.items():
        metrics.add_metric(name, unit, value)
    log_keys = logger.get_current_keys()
    for name in _METADATA_KEYS:
        if log_keys.get(name):
            metrics.add_metadata(name, log_keys[name])
    metrics.flush_metrics()
