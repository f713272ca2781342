"""Lambda function that EventBridge Scheduler invokes when a schedule fires."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap
from scheduling.api.observability import bind_request
from scheduling.api.triggers import parse_fire, run_and_report
from scheduling.operations.runs.execute import execute_fire

services = bootstrap.executor_services()
run_endpoint = bootstrap.runner_client().execute_endpoint


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, object]:
    """Run the occurrence and return its outcome; raise if Lambda must deliver it again."""
    fire = parse_fire(event)
    bind_request(context, "execute", install_id=fire.install_id, schedule_id=fire.schedule_id)
    return run_and_report(fire, lambda: execute_fire(services, run_endpoint, fire))
