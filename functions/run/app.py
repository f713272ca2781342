"""POST /admin/v1/installs/{installId}/schedules/{scheduleId}/run"""

from scheduling import bootstrap
from scheduling.api.http import Answer, Request, answer
from scheduling.api.parsing import plain_idempotency_key, schedule_id_of
from scheduling.api.problems import rest
from scheduling.api.rendering import compact
from scheduling.operations.runs.run_now import run_now

services = bootstrap.services()
executor = bootstrap.executor()


@rest("run")
def handler(request: Request) -> Answer:
    """The manual occurrence, handed to the executor; with `Idempotency-Key`, the one that the same request made."""
    key = plain_idempotency_key(request.header("idempotency-key"))
    schedule_id = schedule_id_of(request.path("scheduleId"))
    fire = run_now(services, executor.deliver, request.install_id, schedule_id, key)
    return answer(202, compact({"scheduleId": fire.schedule_id, "scheduledTime": fire.scheduled_time}))
