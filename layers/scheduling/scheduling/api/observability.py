"""Logs and metrics of the functions: JSON lines with request, operation and ids, never a secret or a payload."""

import json
import os
import time
from collections.abc import Mapping

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from scheduling.domain.install import Install

logger = Logger(service="scheduling")

METRICS_NAMESPACE = "ExtensionScheduler"
MetricValues = Mapping[str, tuple[MetricUnit, float]]
_METADATA_KEYS = ("correlation_id", "tenant_id", "install_id", "schedule_id")


def bind_request(context: LambdaContext, operation: str, **keys: str) -> None:
    """Set the request, the operation and the non-empty `keys` as context of all further log lines."""
    logger.clear_state()
    logger.set_correlation_id(context.aws_request_id)
    logger.append_keys(operation=operation, **{name: value for name, value in keys.items() if value})


def bind_install(install: Install) -> None:
    """Add the install's tenant to the context of all further log lines."""
    logger.append_keys(tenant_id=install.tenant_id)


def emit_metrics(values: MetricValues, **dimensions: str) -> None:
    """Write one line with the metrics by these dimensions, with the ids of the log context as metadata.

    The line is in CloudWatch's embedded metric format. Powertools' Metrics writes the same line, but takes 0.1 ms for
    its checks of names and units, which are constants here.
    """
    all_dimensions = {**dimensions, "service": os.environ.get("POWERTOOLS_SERVICE_NAME", "service_undefined")}
    directive = {
        "Namespace": METRICS_NAMESPACE,
        "Dimensions": [list(all_dimensions)],
        "Metrics": [{"Name": name, "Unit": unit.value} for name, (unit, _) in values.items()],
    }
    log_keys = logger.get_current_keys()
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        **all_dimensions,
        **{name: log_keys[name] for name in _METADATA_KEYS if log_keys.get(name)},
        **{name: [float(value)] for name, (_, value) in values.items()},
    }
    print(json.dumps(line, separators=(",", ":")))
