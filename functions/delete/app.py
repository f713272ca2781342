"""DELETE /v1/installs/{installId}/schedules/{scheduleId}"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request, answer
from scheduling.api.parsing import if_match, schedule_id_of
from scheduling.api.problems import rest
from scheduling.operations.schedules.delete import delete

services = bootstrap.services()


@rest("delete")
def handler(request: Request) -> Answer:
    """Nothing, once the schedule is gone."""
    delete(
        services,
        request.install_id,
        schedule_id_of(request.path("scheduleId")),
        if_match=if_match(request.header("if-match")),
    )
    return answer(204)
