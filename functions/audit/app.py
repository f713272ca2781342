"""What Lambda invokes with the table's stream: each change that means something goes on the bus and into the log."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap
from scheduling.api.triggers import audit_logger, stream_response
from scheduling.operations.audit import publish_records

event_bus_client = bootstrap.event_bus_client()


@audit_logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, object]:
    """From where on the stream is to be delivered again, where the bus has not taken all."""
    return stream_response(publish_records(event_bus_client.put_events, event))
