"""POST /v1/installs/{installId}/schedules"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request
from scheduling.api.parsing import idempotency_key, schedule_input
from scheduling.api.problems import one_schedule, rest
from scheduling.operations.schedules.create import create

services = bootstrap.services()


@rest("create")
def handler(request: Request) -> Answer:
    """A new schedule; with `Idempotency-Key`, the one that the same request made before."""
    body = request.json_object()
    key = idempotency_key(request.header("idempotency-key"), body)
    schedule = create(services, request.install_id, schedule_input(body), key)
    location = f"/v1/installs/{schedule.install_id}/schedules/{schedule.id}"
    return one_schedule(201, schedule, location=location)
