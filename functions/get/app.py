"""GET /v1/installs/{installId}/schedules/{scheduleId}"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request
from scheduling.api.parsing import schedule_id_of
from scheduling.api.problems import one_schedule, rest
from scheduling.operations.schedules.queries import get_schedule

services = bootstrap.services()


@rest("get")
def handler(request: Request) -> Answer:
    """One schedule of the install."""
    schedule = get_schedule(services, request.install_id, schedule_id_of(request.path("scheduleId")))
    return one_schedule(200, schedule)
