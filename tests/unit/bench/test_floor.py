"""The floor of the bench does the same work as the service."""

import json
import subprocess
import sys

from scheduling.domain.fire_events import build_timer_input

from bench.stage import FUNCTION_ENVIRONMENT, ROOT
from tests.unit import builders

PROGRAM = """
import json, sys, timers
print(json.dumps(timers.timer_arguments(*json.load(sys.stdin))))
"""


def test_timers_of_the_floor_send_what_those_of_the_service_send() -> None:
    schedule = builders.schedule()
    definition = schedule.definition
    row = {"cron": definition.cron, "timezone": definition.timezone, "timerRevision": schedule.timer_revision}
    arguments = [{**row, "tenantId": schedule.tenant_id}, schedule.install_id, schedule.id]

    output = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(arguments),
        env={**FUNCTION_ENVIRONMENT, "PYTHONPATH": str(ROOT / "bench" / "floor")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    expected = build_timer_input(schedule, FUNCTION_ENVIRONMENT["OCCURRENCE_QUEUE_URL"])
    assert json.loads(output)["Target"]["Input"] == expected
