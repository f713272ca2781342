"""Lambda function that the queue of occurrences invokes when a schedule has fired."""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap
from scheduling.api.triggers import handle_deliveries
from scheduling.domain.deliveries.delivery import Delivery, DeliveryResult
from scheduling.operations.runs.deliver import deliver_occurrence

services = bootstrap.executor_services()
run_endpoint = bootstrap.runner_client().execute_endpoint


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, object]:
    """Run the occurrence of each message, and return the messages that must be delivered again."""
    return handle_deliveries(event, context, deliver, services.queue.send_dead_letter, services.clock)


def deliver(delivery: Delivery) -> Sequence[DeliveryResult]:
    """Handle one delivery."""
    return deliver_occurrence(services, run_endpoint, delivery)
