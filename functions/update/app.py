"""PATCH /v1/installs/{installId}/schedules/{scheduleId}"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request
from scheduling.api.parsing import if_match, schedule_id_of, schedule_input
from scheduling.api.problems import one_schedule, rest
from scheduling.operations.schedules.update import update

services = bootstrap.services()


@rest("update")
def handler(request: Request) -> Answer:
    """The schedule with the given fields."""
    schedule = update(
        services,
        request.install_id,
        schedule_id_of(request.path("scheduleId")),
        schedule_input(request.json_object()),
        if_match=if_match(request.header("if-match")),
    )
    return one_schedule(200, schedule)
