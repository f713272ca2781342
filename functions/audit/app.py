"""Lambda function of the table's stream: publishes an event for every change that means something outside."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap
from scheduling.api.triggers import audit_logger, stream_response
from scheduling.operations.audit import publish_records

event_bus_client = bootstrap.event_bus_client()


@audit_logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, object]:
    """Publish and log the events of the records, and return from which record Lambda must redeliver."""
    return stream_response(publish_records(event_bus_client.put_events, event))
